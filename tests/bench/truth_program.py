"""Programs whose shares of time are known: functions of many small calls and of few long ones, for truth.py.

A section is a driver and, mostly, a part that it calls. Without a recorder it is timed twice, with the part's real body and
with an empty one: the difference is the part's own time; the rest, the calls included, is the driver's.
"""

COUNT = 3_000


# --- One long function: hardly an event ----------------------------------------------------------------------------


def crunch(unused):
    total = 0
    for i in range(2 * COUNT):
        total = (total * 31 + i) & 0xFFFFFFFF
    return total


# --- Recursion: nothing but calls -----------------------------------------------------------------------------------


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def recurse(unused):
    return fibonacci(17)


# --- A small function -----------------------------------------------------------------------------------------------


def polynomial(x):
    return ((3 * x + 5) * x + 7) * x + 11


def polynomial_empty(x):
    return x


def drive_polynomial(part):
    total = 0
    for i in range(2 * COUNT):
        total += part(i) & 255
    return total


# --- Methods and attributes ------------------------------------------------------------------------------------------


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def step(self, other):
        self.x, self.y = (self.x + other.y) % 1009, (self.y + other.x) % 1013
        if self.x > self.y:
            self.x -= 1
        else:
            self.y -= 1

    def step_empty(self, other):
        pass


def drive_step(part):
    here, there = Point(3, 4), Point(5, 6)
    for _ in range(2 * COUNT):
        part(here, there)
    return here


# --- A middle-sized function -----------------------------------------------------------------------------------------


def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


def collatz_empty(n):
    return n


def drive_collatz(part):
    return max([part(n) for n in range(1, COUNT // 25)])


# --- A generator -----------------------------------------------------------------------------------------------------


def triangles():
    total = i = 0
    while True:
        i += 1
        total += i if i % 3 else -i
        yield total


def triangles_empty():
    while True:
        yield 0


def drive_triangles(part):
    odd = count = 0
    for value in part():
        odd += value & 1
        count += 1
        if count == 2 * COUNT:
            break
    return odd


# --- C functions: short ones in a Python function, and long ones -----------------------------------------------------


def drive_builtins(unused):
    seen = {}
    words = []
    for i in range(COUNT):
        if len(words) < 100:
            words.append(i)
        elif seen.get(i & 63) is None:
            seen.setdefault(i & 63, i)
        elif isinstance(i, str):
            words.pop()
    return words


NUMBERS = [i * 7919 % 1009 for i in range(150)]


def drive_sorted(part):
    for _ in range(COUNT // 30):
        part(NUMBERS)


# section: its driver, the part, the part without a body
SECTIONS = {
    "crunch": (crunch, None, None),
    "fibonacci": (recurse, None, None),
    "polynomial": (drive_polynomial, polynomial, polynomial_empty),
    "step": (drive_step, Point.step, Point.step_empty),
    "collatz": (drive_collatz, collatz, collatz_empty),
    "triangles": (drive_triangles, triangles, triangles_empty),
    "builtins": (drive_builtins, None, None),
    "sorted": (drive_sorted, sorted, id),
}

# What one section alone calls counts as its driver's: how long it takes by itself is not to be had.
BELONGS = {"recurse": "fibonacci", "Point.__init__": "drive_step", "max": "drive_collatz"}
BELONGS.update(dict.fromkeys(["len", "list.append", "list.pop", "dict.get", "dict.setdefault", "isinstance"], "drive_builtins"))


def run_all():
    for driver, part, _ in SECTIONS.values():
        driver(part)
