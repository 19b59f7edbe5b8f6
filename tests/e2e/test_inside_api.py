"""Which functions tell of their lines, instructions and exceptions, in which threads and processes, and for how long."""

import os
import sys
import threading
import unittest

import pytrace
from api import Api
from e2e import analyze, dump, top

MONITORING = sys.version_info >= (3, 12)


def three_lines(x=1):
    y = x
    y += x
    return y


def loops(n):
    for _ in range(n):
        three_lines()


def fails(depth=0):
    if depth:
        fails(depth - 1)
    raise LookupError


def swallows(depth=0):
    try:
        fails(depth)
    except LookupError:
        return True


FIRST = three_lines.__code__.co_firstlineno


class Inside(Api):
    def entries(self, kind, name=None):
        return [entry for entry in dump(self.trace) if entry["kind"] == kind and name in (None, entry["name"])]

    def lines(self, name="three_lines"):
        return [entry["line"] - FIRST for entry in self.entries("line", name)]

    def named(self):
        """The functions that told of lines."""
        return {entry["name"].rpartition(".")[2] for entry in self.entries("line")}


class Choice(Inside):
    def test_by_name_module_or_file(self):
        for pattern, names in {
            "three": {"three_lines"},
            "^three_lines$": {"three_lines"},
            "^__main__:(three_|loo)": {"three_lines", "loops"},
            "/test_inside_api[.]py$": {"three_lines", "loops"},
            "^three$": set(),
        }.items():
            with self.subTest(pattern):
                with pytrace.recording(self.trace, lines=pattern, force=True):
                    loops(1)
                self.assertEqual(self.named() - {"test_by_name_module_or_file"}, names)

    def test_nothing_unless_asked(self):
        with pytrace.recording(self.trace):
            swallows(3)
        kinds = {entry["kind"] for entry in dump(self.trace)}
        self.assertFalse(kinds & {"line", "opcode", "exception"}, kinds)
        (recording,) = analyze("info", self.trace)["recordings"]
        self.assertEqual([recording["header"][key] for key in ("lines", "opcodes", "exceptions")], ["", "", False])

    def test_the_header_tells(self):
        with pytrace.recording(self.trace, lines="a|b", opcodes="c+", exceptions=True):
            pass
        (recording,) = analyze("info", self.trace)["recordings"]
        self.assertEqual([recording["header"][key] for key in ("lines", "opcodes", "exceptions")], ["a|b", "c+", True])

    def test_wrong_patterns(self):
        for option in "lines", "opcodes":
            for value, error in (("(", ValueError), ("", ValueError), ("a" * 1024, ValueError), ("a\0b", ValueError), ("\ud800", ValueError), (1, TypeError), (b"a", TypeError)):
                with self.subTest((option, value)), self.assertRaisesRegex(error, "^%s" % option):
                    pytrace.start(self.trace, **{option: value})
        with self.assertRaisesRegex(TypeError, "^exceptions"):
            pytrace.start(self.trace, exceptions="yes")
        self.assertFalse(os.path.exists(self.trace))

    def test_none_is_none(self):
        with pytrace.recording(self.trace, lines=None, opcodes=None):
            three_lines()
        self.assertEqual(self.lines(), [])


class Places(Inside):
    def test_each_thread(self):
        before, go = threading.Event(), threading.Event()

        def waits():
            before.set()
            go.wait()
            loops(10)

        early = threading.Thread(target=waits)
        early.start()
        before.wait()
        with pytrace.recording(self.trace, lines="^three_lines$"):
            go.set()
            late = [threading.Thread(target=loops, args=(10,)) for _ in range(3)]
            for thread in late:
                thread.start()
            for thread in [early, *late]:
                thread.join()
        threads = {}
        for entry in self.entries("line", "three_lines"):
            threads.setdefault(entry["tid"], []).append(entry["line"] - FIRST)
        self.assertEqual(sorted(threads.values()), [[1, 2, 3] * 10] * 4)

    def test_forked_child(self):
        pytrace.start(self.trace, lines="^three_lines$", exceptions=True)
        three_lines()
        pid = os.fork()
        if pid == 0:
            three_lines()
            swallows(1)
            os._exit(0)
        os.waitpid(pid, 0)
        three_lines()
        pytrace.stop()
        self.assertEqual(self.lines(), [1, 2, 3] * 3)
        self.assertEqual([name for name in (entry["name"] for entry in self.entries("exception")) if name in ("fails", "swallows")], ["fails", "fails", "swallows"])
        self.assertTrue(top(self.trace)["trace"]["complete"])

    def test_functions_that_run_already(self):
        def runs():
            a = 1
            pytrace.start(self.trace, lines="runs$", opcodes="runs$")
            a = 2
            three_lines()
            return a

        runs()
        pytrace.stop()
        first = runs.__code__.co_firstlineno
        name = self.entries("open")[-1]["name"]
        self.assertEqual([entry["line"] - first for entry in self.entries("line", name)], [3, 4, 5])
        self.assertGreater(len(self.entries("opcode", name)), 6)

    def test_functions_that_come_and_go(self):
        source = "def comes():\n    x = 1\n    return x\ncomes()\n"
        with pytrace.recording(self.trace, lines="comes$"):
            for _ in range(300):
                exec(source, {"__name__": "for_ever"})
        self.assertEqual([entry["line"] for entry in self.entries("line")], [2, 3] * 300)
        self.assertLess(analyze("info", self.trace)["recordings"][0]["contents"]["functions"], 20)

    def test_hits_of_lines_and_instructions(self):
        with pytrace.recording(self.trace, lines="three|loops", opcodes="three"):
            loops(10)
        functions = {function["name"]: function for function in analyze("lines", "^(three_lines|loops)$", self.trace)["functions"]}
        hits = {name: [(line["line"] - FIRST, line["hits"]) for line in function["lines"]] for name, function in functions.items()}
        first = loops.__code__.co_firstlineno - FIRST
        self.assertEqual(hits, {"three_lines": [(0, 0), (1, 10), (2, 10), (3, 10)], "loops": [(first, 0), (first + 1, 11), (first + 2, 10)]})
        self.assertEqual(functions["loops"]["lines"][2]["source"], "        three_lines()")
        self.assertEqual({opcode["hits"] for opcode in functions["three_lines"]["opcodes"]}, {10})
        for function in functions.values():
            # A line's time is rounded to nanoseconds.
            self.assertAlmostEqual(sum(line["self_ns"] for line in function["lines"]), function["self_ns"], delta=len(function["lines"]))
            self.assertAlmostEqual(sum(line["total_ns"] for line in function["lines"]), function["total_ns"], delta=len(function["lines"]))

    def test_what_is_lost_is_counted(self):
        n = 50_000
        with pytrace.recording(self.trace, lines="^(three_lines|loops)$", policy="drop", ring_size="16K", c_calls=False):
            loops(n)
        facts = top(self.trace)["trace"]
        # in and out of both, three lines, two lines of the loop a turn, and its last look at the range
        self.assertEqual(facts["events"] + facts["lost"], 2 * (n + 1) + 3 * n + 2 * n + 1)
        self.assertEqual(len({entry["name"] for entry in dump(self.trace) if entry["kind"] == "line"}), 2)


class Exceptions(Inside):
    def test_each_function_that_one_reaches(self):
        with pytrace.recording(self.trace, exceptions=True):
            swallows(2)
        first = fails.__code__.co_firstlineno
        sites = [(entry["name"], entry["type"], entry["line"] - first) for entry in self.entries("exception")]
        at_try = swallows.__code__.co_firstlineno + 2 - first
        self.assertEqual(
            sites, [("fails", "LookupError", 3), ("fails", "LookupError", 2), ("fails", "LookupError", 2), ("swallows", "LookupError", at_try)]
        )

    def test_types_are_named_as_tracebacks_name_them(self):
        class Local(Exception):
            pass

        class Renamed(Exception):
            __module__ = "else.where"
            __qualname__ = "Other.Name"

        with pytrace.recording(self.trace, exceptions=True):
            for kind in Local, Renamed, UnicodeDecodeError, os.error:
                try:
                    raise kind
                except (TypeError, Exception):
                    pass
        self.assertEqual(
            [entry["type"] for entry in self.entries("exception")],
            ["__main__.%s" % Local.__qualname__, "else.where.Other.Name", "TypeError", "OSError"],
        )

    def test_end_of_a_loop_is_none(self):
        class Countdown:
            n = 2

            def __iter__(self):
                return self

            def __next__(self):
                self.n -= 1
                if self.n:
                    return self.n
                raise StopIteration

        def numbers():
            yield 1
            return 2

        def delegates():
            return (yield from numbers())

        with pytrace.recording(self.trace, exceptions=True):
            for _ in numbers():
                pass
            list(delegates())
            for _ in Countdown():
                pass
        self.assertEqual([entry["name"].rpartition(".")[2] for entry in self.entries("exception")], ["__next__"])


def reraises():
    try:
        fails()
    except LookupError:
        swallows()
        raise


def cleans_up():
    try:
        fails(1)
    finally:
        len("clean")


def yields_meanwhile():
    try:
        raise LookupError
    finally:
        yield


class Property:
    @property
    def missing(self):
        raise AttributeError


class Flights(Inside):
    """Where exceptions end, and how many functions further."""

    def flights(self, function):
        with pytrace.recording(self.trace, exceptions=True):
            function()
        report = analyze("exceptions", self.trace, "--top", "0")["exceptions"]

        def name(function):
            return function and function["name"].rpartition(".")[2]

        return sorted(
            (row["type"], name(row["raised_by"]), row["end"], name(row["caught_by"]), row["up_least"], row["up_most"], row["count"])
            for row in report
        )

    def test_caught(self):
        self.assertEqual(self.flights(lambda: swallows(2)), [("LookupError", "fails", "caught", "swallows", 3, 3, 1)])

    def test_passed_on(self):
        def ends():
            for function in reraises, cleans_up:
                try:
                    function()
                except LookupError:
                    pass

        self.assertEqual(
            self.flights(ends),
            [
                ("LookupError", "fails", "caught", "ends", 2, 3, 2),
                ("LookupError", "fails", "caught", "swallows", 1, 1, 1),
            ],
        )

    def test_passed_on_after_a_yield(self):
        def ends():
            generator = yields_meanwhile()
            next(generator)
            try:
                next(generator)
            except LookupError:
                pass

        self.assertEqual(self.flights(ends), [("LookupError", "yields_meanwhile", "caught", "ends", 1, 1, 1)])

    def test_through_c_and_swallowed_there(self):
        def ends():
            try:
                list(map(fails, [1]))
            except LookupError:
                pass
            hasattr(Property(), "missing")

        self.assertEqual(
            self.flights(ends),
            [("AttributeError", "missing", "swallowed", "hasattr", 1, 1, 1), ("LookupError", "fails", "caught", "ends", 2, 2, 1)],
        )

    def test_out_of_a_thread(self):
        def ends():
            thread = threading.Thread(target=fails)
            thread.start()
            thread.join()

        hook, threading.excepthook = threading.excepthook, lambda arguments: None
        self.addCleanup(setattr, threading, "excepthook", hook)
        (flight,) = [flight for flight in self.flights(ends) if flight[1] == "fails"]
        self.assertEqual(flight, ("LookupError", "fails", "caught", "_bootstrap_inner", 2, 2, 1))

    def test_out_of_the_program(self):
        self.write("program.py", "def f():\n    raise KeyError\nf()\n")
        outcome = self.record("program.py", options=["--exceptions"])
        self.assertEqual(outcome.status, 1)
        (row,) = [row for row in analyze("exceptions", self.trace)["exceptions"] if row["raised_by"]["name"] == "f"]
        self.assertEqual((row["end"], row["caught_by"], row["up_least"], row["line"]), ("left", None, 2, 2))

    def test_top_counts_where_they_began(self):
        with pytrace.recording(self.trace, exceptions=True):
            for depth in range(4):
                swallows(depth)
            swallows()
        counts = {function["name"]: function["exceptions"] for function in top(self.trace)["functions"]}
        self.assertEqual((counts["fails"], counts["swallows"]), (5, 0))
        (process,) = top(self.trace, "--by", "process")["processes"]
        self.assertEqual(process["exceptions"], 5)

    def test_unless_they_were_recorded(self):
        with pytrace.recording(self.trace):
            swallows()
        self.assertEqual({function["exceptions"] for function in top(self.trace)["functions"]}, {None})
        with self.assertRaisesRegex(AssertionError, "--exceptions"):
            analyze("exceptions", self.trace)


class Afterwards(Inside):
    def test_nothing_stays_behind(self):
        for _ in range(3):
            with pytrace.recording(self.trace, lines="three_lines|loops", opcodes="three_lines", exceptions=True, force=True):
                loops(1)
                swallows(1)
            self.assertEqual(self.lines(), [1, 2, 3])
            if MONITORING:
                for tool in range(6):
                    self.assertIsNone(sys.monitoring.get_tool(tool))
                    sys.monitoring.use_tool_id(tool, "test")
                    for function in three_lines, loops:
                        self.assertEqual(sys.monitoring.get_local_events(tool, function.__code__), 0)
                    sys.monitoring.free_tool_id(tool)
            self.assertIsNone(sys.gettrace())
            self.assertFalse(sys._getframe().f_trace_opcodes)
            with pytrace.recording(self.trace, force=True):
                loops(1)
            self.assertEqual(self.lines(), [])

    def test_other_choice_next_time(self):
        for lines, expected in (("three", [1, 2, 3]), ("loops", []), ("three", [1, 2, 3])):
            with pytrace.recording(self.trace, lines=lines, force=True):
                loops(1)
            self.assertEqual(self.lines(), expected)


def settrace_log(function):
    """What sys.settrace tells of three_lines while `function` runs."""
    log = []

    def trace(frame, event, argument):
        if frame.f_code is three_lines.__code__:
            log.append((event, frame.f_lineno - FIRST))
            return trace

    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(None)
    return log


LOG = [("call", 0), ("line", 1), ("line", 2), ("line", 3), ("return", 3)]


class Neighbours(Inside):
    @unittest.skipUnless(MONITORING, "there is one trace function only")
    def test_beside_a_trace_function(self):
        with pytrace.recording(self.trace, lines="three_lines", opcodes="three_lines", exceptions=True):
            self.assertEqual(settrace_log(three_lines), LOG)
            three_lines()
        self.assertEqual(self.lines(), [1, 2, 3] * 2)
        self.assertEqual(settrace_log(three_lines), LOG)

    @unittest.skipIf(MONITORING, "any number of tools have room")
    def test_place_that_is_taken(self):
        def start():
            for option in {"lines": "."}, {"opcodes": "."}, {"exceptions": True}:
                with self.assertRaisesRegex(RuntimeError, "sys.settrace"):
                    pytrace.start(self.trace, **option)
            with pytrace.recording(self.trace):
                three_lines()

        self.assertEqual(settrace_log(start), LOG)
        self.assertEqual(len(self.entries("start", "three_lines")), 1)

    @unittest.skipIf(MONITORING, "any number of tools have room")
    def test_place_that_is_taken_away(self):
        with pytrace.recording(self.trace, lines="three_lines"):
            three_lines()
            self.assertEqual(settrace_log(three_lines), LOG)
            three_lines()
        self.assertEqual(self.lines(), [1, 2, 3])
        (process,) = analyze("info", self.trace)["recordings"][0]["processes"]
        self.assertRegex(" ".join(process["notes"]), "trace function was replaced")


if __name__ == "__main__":
    unittest.main()
