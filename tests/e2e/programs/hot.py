"""Loops that run long enough to be compiled, where the interpreter has a compiler (3.14 and later, with PYTHON_JIT=1)."""

ROUNDS = 20000


def plain(x):
    return x + 1


class Object:
    def method(self, x):
        return self.inner(x)

    def inner(self, x):
        return len((x,))


def raising(x):
    if x % 3 == 0:
        raise ValueError
    return plain(x)


def numbers(n):
    for i in range(n):
        yield i


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def main():
    total, thing = 0, Object()
    for i in range(ROUNDS):
        total += plain(i) + thing.method(i) + abs(-i)
        try:
            total += raising(i)
        except ValueError:
            total += 1
    for number in numbers(ROUNDS):
        total += number
    return total + fib(15)


def through(start, stop):
    """Calls start() and stop() from within a loop that has been hot for long, and will be."""
    total = 0
    for i in range(4 * ROUNDS):
        if i == ROUNDS:
            start()
        total += plain(i) + abs(-i)
        if i == 3 * ROUNDS - 1:
            stop()
    return total


# What is called between the two, how often.
CALLS_THROUGH = {"plain": 2 * ROUNDS, "abs": 2 * ROUNDS}
