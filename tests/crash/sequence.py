"""What victim.py does, event by event, and the comparison of a trace with it.

An event is a pair (kind, name). Nothing here looks at how the recorder works: the sequence follows from the program alone.
"""

import itertools
import re

NAME_BASE = 1000  # as in victim.py
BURST = 400

ENTERS = {b"start", b"resume", b"throw", b"c_call"}
LEAVES = {b"return", b"yield", b"unwind", b"c_return", b"c_raise"}

# One line of `pytrace-analyze dump --format json`, read without a JSON parser: a campaign reads some ten million of them.
LINE = re.compile(
    rb'\{"t_ns": ?(\d+), ?"tid": ?(\d+), ?"kind": ?"(\w+)"'
    rb'(?:, ?"module": ?(?:"[^"]*"|null), ?"name": ?"([^"]*)")?(?:[^\n]*?"count": ?(\d+))?[^\n]*\}\n'
)


def spell(number):
    yield b"start", b"spell"
    while number:
        number, digit = divmod(number, 10)
        name = b"d%d" % digit
        yield b"c_call", b"divmod"
        yield b"c_return", b"divmod"
        yield b"start", name
        yield b"return", name
    yield b"return", b"spell"


PAIR_AND_FAIL = [
    (b"start", b"pair"),
    (b"yield", b"pair"),
    (b"resume", b"pair"),
    (b"yield", b"pair"),
    (b"resume", b"pair"),
    (b"return", b"pair"),
    (b"start", b"fail"),
    (b"unwind", b"fail"),
]


def unit(number):
    yield b"start", b"unit"
    yield from spell(number)
    yield from PAIR_AND_FAIL
    yield b"return", b"unit"


def work(worker):
    """All events of a worker's stream, from its entering `work`; it never ends."""
    yield b"start", b"work"
    yield from spell(NAME_BASE + worker)
    for number in itertools.count(1):
        yield from unit(number)
        if number % BURST == 0:
            yield b"c_call", b"sleep"
            yield b"c_return", b"sleep"


def events_through(worker, units):
    """How many events a worker has caused, from its entering `work`, when it has finished so many units."""
    if units == 0:
        return 0

    def spelled(first, last):  # events of spell(first) … spell(last): 2 for each, 4 more for each digit
        total, low = 0, 1
        while low <= last:
            high = low * 10 - 1
            numbers = min(last, high) - max(first, low) + 1
            total += max(numbers, 0) * (2 + 4 * len(str(low)))
            low *= 10
        return total

    name = NAME_BASE + worker
    pauses = (units - 1) // BURST
    return 1 + spelled(name, name) + spelled(1, units) + units * (len(PAIR_AND_FAIL) + 2) + 2 * pauses


class Mismatch(Exception):
    pass


class Stream:
    """The events of one thread of a trace, as dump shows them."""

    def __init__(self):
        self.events = []  # (kind, name); of a gap (b"lost", count)
        self.last_ns = 0

    def add(self, t_ns, kind, name, count):
        if t_ns < self.last_ns:
            raise Mismatch(f"time goes back from {self.last_ns} to {t_ns}")
        self.last_ns = t_ns
        if kind in ENTERS or kind in LEAVES:
            self.events.append((kind, name))
        elif kind == b"lost":
            self.events.append((kind, int(count)))

    def begins_at(self):
        """Where the worker enters `work`; None if this is no worker's stream."""
        try:
            return self.events.index((b"start", b"work"))
        except ValueError:
            return None

    def worker(self, begin):
        """The number that it spells first, or None if it was cut short before it had."""
        number, power, position = 0, 1, begin + 2
        for _ in str(NAME_BASE):
            if position + 2 >= len(self.events):
                return None
            number += int(self.events[position + 2][1][1:]) * power
            power, position = power * 10, position + 4
        return number - NAME_BASE


def read_dump(lines):
    """The streams of a trace by tid, from the whole output of dump (bytes)."""
    streams, end = {}, 0
    for match in LINE.finditer(lines):
        if match.start() != end:
            raise Mismatch(f"not a line of dump: {lines[end:match.start()][:200]!r}")
        end = match.end()
        t_ns, tid, kind, name, count = match.groups()
        streams.setdefault(int(tid), Stream()).add(int(t_ns), kind, name, count)
    if end != len(lines):
        raise Mismatch(f"not a line of dump: {lines[end:][:200]!r}")
    return streams


def compare(events, expected):
    """Checks that the events are a beginning of the expected ones, gaps of a told size left out. Returns (seen, lost).

    A worker that was asked to stop leaves `work` between two units; that is the end of its sequence.
    """
    seen = lost = 0
    for position, event in enumerate(events):
        if event[0] == b"lost":
            lost += event[1]
            next(itertools.islice(expected, event[1] - 1, None), None)
            continue
        truth = next(expected)
        if event == (b"return", b"work") and truth == (b"start", b"unit"):
            break  # it was asked to stop; what comes after is the interpreter's own
        if event != truth:
            before = [f"{kind.decode()} {name}" for kind, name in events[max(position - 3, 0):position]]
            raise Mismatch(f"event {position} is {event}, should be {truth}; before it: {before}")
        seen += 1
    return seen, lost

