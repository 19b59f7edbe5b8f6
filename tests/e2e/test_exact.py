"""Every call is counted, and counted once: the counts of each function, Python and C, are those of cProfile.

Two runs of a deterministic program are compared, one under each; from 3.12 on, where both can watch the same run, that too.
"""

import json
import os
import sys
import unittest

from e2e import GIL, PROGRAMS, TestCase, calls, dump, top

sys.path.insert(0, PROGRAMS)

SAME_RUN = sys.version_info >= (3, 12)  # and cProfile sees all threads

# What the counters do to themselves and to each other.
APPARATUS = {
    "<method 'enable' of '_lsprof.Profiler' objects>",
    "<method 'disable' of '_lsprof.Profiler' objects>",
    "<built-in method pytrace._core.start>",
    "<built-in method pytrace._core.stop>",
}


class CountingCase(TestCase):
    jit = "0"  # what the environment of the program says to an interpreter that has a compiler

    def count(self, program, function, counts=True, trace=True):
        """Returns the counts of cProfile, or None."""
        counts_path = os.path.join(self.here, "counts.json") if counts else "-"
        if os.path.exists(self.trace):
            os.remove(self.trace)
        outcome = self.run_python(
            os.path.join(PROGRAMS, "count.py"),
            program,
            function,
            counts_path,
            self.trace if trace else "-",
            env={"PYTHONPATH": self.path(), "PYTHON_JIT": self.jit},
        )
        self.assert_succeeded(outcome)
        if not counts:
            return None
        with open(counts_path) as file:
            return {label: n for label, n in json.load(file).items() if label not in APPARATUS}

    def path(self):
        return os.pathsep.join([PROGRAMS, os.environ["PYTHONPATH"]])

    def traced(self, *arguments):
        facts = top(self.trace)["trace"]
        self.assertTrue(facts["complete"], facts)
        self.assertEqual(facts["lost"], 0)
        return {label: n for label, n in calls(self.trace, *arguments).items() if label not in APPARATUS}

    def equal(self, expected, found):
        pairs = {label: (expected.get(label, 0), found.get(label, 0)) for label in {**expected, **found}}
        wrong = {label: pair for label, pair in pairs.items() if pair[0] != pair[1]}
        self.assertEqual(wrong, {}, "label: (cProfile, pytrace)")

    def compare(self, program, function="main", deterministic=True):
        if deterministic:
            expected = self.count(program, function, trace=False)
            self.count(program, function, counts=False)
            self.equal(expected, self.traced())
        if SAME_RUN:
            self.equal(self.count(program, function), self.traced())


class Exact(CountingCase):
    def test_generators(self):
        self.compare("generators")

    def test_coroutines(self):
        self.compare("coroutines")

    @unittest.skipUnless(SAME_RUN, "the calls of asyncio depend on timing; cProfile and others watch the same run from 3.12 on")
    def test_event_loop(self):
        self.compare("coroutines", "main_loop", deterministic=False)

    def test_exceptions(self):
        self.compare("exceptions")

    def test_recursion(self):
        self.compare("recursion")

    def test_callbacks(self):
        self.compare("callbacks")

    def test_classes(self):
        self.compare("classes")

    def test_library(self):
        self.compare("library")

    @unittest.skipUnless(SAME_RUN, "cProfile sees all threads from 3.12 on only")
    @unittest.skipUnless(GIL, "cProfile itself hangs now and then with threads that run in parallel")
    def test_threads_like_cprofile(self):
        self.compare("threads", deterministic=False)

    def test_threads_by_their_own_count(self):
        import threads

        self.count("threads", "main", counts=False)
        path = threads.__file__
        found = {}
        for function in top(self.trace)["functions"]:
            if function["file"] == path:
                name = function["name"].rpartition(".")[2]
                found[name] = found.get(name, 0) + function["calls"]
        self.assertEqual(found, threads.CALLS)

    def test_without_c_calls(self):
        expected = self.count("callbacks", "main", trace=False)
        self.assert_succeeded(
            self.record("-c", "import callbacks; callbacks.main()", options=["--no-c-calls"], env={"PYTHONPATH": self.path()})
        )
        functions = top(self.trace)["functions"]
        self.assertEqual({function["kind"] for function in functions}, {"py"})
        found = {function["label"]: function["calls"] for function in functions}
        for label, n in expected.items():
            if PROGRAMS in label and "(main)" in label:
                self.assertEqual(found[label], n)


class ExactWhenCompiled(CountingCase):
    """The interpreter compiles hot loops, where it can; what is compiled reports no event, and must be given up."""

    jit = "1"

    def test_hot_loops(self):
        self.compare("hot")

    def test_recursion(self):
        self.compare("recursion")

    def test_recording_starts_and_stops_in_a_hot_loop(self):
        import hot

        program = "import functools, sys, hot, pytrace\nhot.through(functools.partial(pytrace.start, sys.argv[1]), pytrace.stop)"
        environment = {"PYTHONPATH": self.path(), "PYTHON_JIT": self.jit}
        self.assert_succeeded(self.run_python("-c", program, self.trace, env=environment))
        found = {function["name"]: function["calls"] for function in top(self.trace)["functions"] if function["calls"]}
        self.assertEqual(found, hot.CALLS_THROUGH)


class Consistent(CountingCase):
    """What must hold in every trace, whoever counted."""

    def test_every_enter_has_its_leave(self):
        for program in "generators", "exceptions", "recursion", "coroutines":
            with self.subTest(program):
                self.count(program, "main", counts=False)
                self.check_nesting()

    def check_nesting(self):
        enters = {"start": "py", "resume": "py", "throw": "py", "c_call": "c", "open": None}
        leaves = {"return": "py", "yield": "py", "unwind": "py", "c_return": "c", "c_raise": "c", "close": None}
        stacks, last = {}, {}
        for record in dump(self.trace):
            kind, tid = record["kind"], record["tid"]
            stack = stacks.setdefault(tid, [])
            self.assertGreaterEqual(record["t_ns"], last.get(tid, 0))
            last[tid] = record["t_ns"]
            if kind in enters:
                stack.append((enters[kind], record["module"], record["name"]))
            elif kind in leaves:
                self.assertTrue(stack, record)
                entered = stack.pop()
                self.assertEqual(entered[1:], (record["module"], record["name"]))
                if entered[0] and leaves[kind]:
                    self.assertEqual(entered[0], leaves[kind])
        self.assertEqual([stack for stack in stacks.values() if stack], [])

    def test_times_add_up(self):
        self.count("library", "main", counts=False)
        functions = top(self.trace)["functions"]
        for function in functions:
            self.assertGreaterEqual(function["total_ns"], function["self_ns"], function)
            self.assertGreaterEqual(function["calls"], function["primitive"], function)
            if function["primitive"]:
                longest_ns = function["max_ns"] + 1  # each figure is rounded by itself
                self.assertGreaterEqual(longest_ns * function["primitive"], function["total_ns"], function)
        roots = [record for record in dump(self.trace) if record["kind"] == "open"]
        self.assertEqual([record["name"] for record in roots], ["<module>", "by_pytrace"])


if __name__ == "__main__":
    unittest.main()
