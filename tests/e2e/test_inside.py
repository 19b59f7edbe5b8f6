"""Lines, instructions and exceptions, held against what sys.settrace is told of the same program."""

import json
import os
import unittest

from e2e import PROGRAMS, TestCase, dump

PROGRAM = os.path.join(PROGRAMS, "inside.py")
CALLS = {"start": "call", "resume": "call", "throw": "call", "return": "return", "yield": "return", "unwind": "return"}


def second_round(events):
    """The second call of one_round, up to its return."""
    begin = [at for at, event in enumerate(events) if event[:2] == ["call", "one_round"]]
    end = [at for at, event in enumerate(events) if event[:2] == ["return", "one_round"]]
    assert len(begin) == len(end) == 2, (begin, end)
    return events[begin[1] : end[1]]


class Inside(TestCase):
    def logged(self, *kinds, opcodes=False):
        path = os.path.join(self.here, "log.json")
        self.assert_succeeded(self.run_python(PROGRAM, "log", path, *(["opcodes"] if opcodes else [])))
        with open(path) as file:
            events = [event[:2] if event[0] in CALLS.values() else event for event in json.load(file)]
        os.unlink(path)
        return [event for event in second_round(events) if event[0] in kinds or event[0] in CALLS.values()]

    def recorded(self, *options):
        """What happened in the program's own functions."""
        self.assert_succeeded(self.record(PROGRAM, "run", options=options))
        events = []
        for entry in dump(self.trace):
            kind, name = entry["kind"], entry["name"]
            if entry["module"] not in ("__main__", "inside_match"):
                continue
            if kind in CALLS:
                events.append([CALLS[kind], name])
            elif kind == "line":
                events.append([kind, name, entry["line"]])
            elif kind == "opcode":
                events.append([kind, name, entry["offset"]])
            elif kind == "exception":
                events.append([kind, name, entry["type"], entry["line"]])
        return second_round(events)

    def assert_same(self, recorded, logged):
        for at, (ours, theirs) in enumerate(zip(recorded, logged)):
            if ours != theirs:
                self.fail("event %d is %s, not %s, after %s" % (at, ours, theirs, logged[max(0, at - 5) : at]))
        self.assertEqual(len(recorded), len(logged))

    def test_lines(self):
        self.assert_same(self.recorded("--lines", "^(__main__|inside_match):"), self.logged("line"))

    def test_opcodes(self):
        recorded = self.recorded("--opcodes", "^(__main__|inside_match):")
        self.assert_same(recorded, self.logged("opcode", opcodes=True))

    def test_exceptions(self):
        self.assert_same(self.recorded("--exceptions"), self.logged("exception"))

    def test_all_of_it(self):
        recorded = self.recorded("--lines", "inside[^/]*$", "--opcodes", "inside[^/]*$", "--exceptions")
        self.assert_same(recorded, self.logged("line", "opcode", "exception", opcodes=True))


if __name__ == "__main__":
    unittest.main()
