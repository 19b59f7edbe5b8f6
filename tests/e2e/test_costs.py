"""What a call costs is measured when a recording begins, where nobody sees it; --compensate takes it away."""

import os
import subprocess
import sys
import unittest

from e2e import ANALYZE, SECONDS, TestCase, analyze, top

KINDS = {"call", "c_call", "resume"}


class Costs(TestCase):
    def setUp(self):
        super().setUp()
        self.assert_succeeded(self.record("-c", "print(len('x'))", options=["--force"]), "1\n")
        if top(self.trace)["trace"]["clock"] == "monotonic":
            self.skipTest("the processor's counter is no clock here")

    def costs_of(self, program, *options):
        os.unlink(self.trace)
        self.assert_succeeded(self.run_python("-c", program, self.trace, *options))
        return top(self.trace)["trace"]["costs"]

    def recorded_with(self, *options):
        self.assert_succeeded(self.record("-c", "print(len('x'))", options=["--force", *options]), "1\n")
        return top(self.trace)["trace"]["costs"]

    def assert_refused(self):
        done = subprocess.run([ANALYZE, "top", self.trace, "--compensate"], stderr=subprocess.PIPE, timeout=SECONDS)
        self.assertEqual(done.returncode, 2)
        self.assertIn("does not tell what recording cost", done.stderr.decode())

    def assert_pristine(self):
        self.assertEqual(subprocess.run([ANALYZE, "check", self.trace], stdout=subprocess.PIPE, timeout=SECONDS).returncode, 0)

    def test_each_kind_that_is_recorded(self):
        self.assertEqual(set(self.recorded_with()), KINDS)
        self.assertEqual(set(self.recorded_with("--no-c-calls")), KINDS - {"c_call"})

    def test_times_are_less_without(self):
        program = "def f(): pass\nfor i in range(1000): f()"
        self.assert_succeeded(self.record("-c", program, options=["--force"]))
        raw, compensated = (
            {function["name"]: function for function in report["functions"]}
            for report in (top(self.trace), analyze("top", self.trace, "--compensate"))
        )
        self.assertEqual(raw["f"]["calls"], compensated["f"]["calls"])
        for name in ("f", "<module>"):
            self.assertLess(compensated[name]["self_ns"], raw[name]["self_ns"])

    def test_another_clock(self):
        for clock in ("monotonic", "cpu"):
            self.assertEqual(self.recorded_with("--clock", clock), {})
            self.assert_refused()

    def test_somebody_else_who_watches(self):
        """Whose cost would be in the figures, and who would see functions that are none of the program's."""
        programs = {"trace": "import sys, pytrace\nseen = []\nsys.settrace(lambda frame, *rest: seen.append(frame.f_code.co_filename))\n"}
        if sys.version_info >= (3, 12):
            programs["profile"] = programs["trace"].replace("settrace", "setprofile")
            programs["tool"] = (
                "import sys, pytrace\nseen = []\nwatch = sys.monitoring\nwatch.use_tool_id(2, 'other')\n"
                "watch.register_callback(2, watch.events.PY_START, lambda code, offset: seen.append(code.co_filename))\n"
                "watch.set_events(2, watch.events.PY_START)\n"
            )
        for name, program in programs.items():
            with self.subTest(name):
                end = "pytrace.start(sys.argv[1])\npytrace.stop()\nassert '<pytrace>' not in seen, seen\n"
                self.assertEqual(self.costs_of(program + end), {})
                self.assert_refused()

    def test_nobody_sees_it(self):
        program = (
            "import gc, sys, types, pytrace\n"
            "gc.disable()\n"
            "audited = []\n"
            "armed = False\n"
            "sys.addaudithook(lambda event, arguments: audited.append(event) if armed else None)\n"
            "armed = True\n"
            "before = set(sys.modules)\n"
            "pytrace.start(sys.argv[1])\n"
            "armed = False\n"
            "pytrace.stop()\n"
            "assert sys.gettrace() is None and sys.getprofile() is None\n"
            "if getattr(sys, '_is_gil_enabled', lambda: True)():\n"  # else functions die in collections only
            "    functions = [f for f in gc.get_objects() if isinstance(f, types.FunctionType)]\n"
            "    assert not [f for f in functions if f.__code__.co_filename == '<pytrace>'], functions\n"
            "assert set(sys.modules) == before, set(sys.modules) - before\n"
            "assert audited.count('compile') == 1 and 'exec' not in audited and 'import' not in audited, audited\n"
        )
        self.assertEqual(set(self.costs_of(program)), KINDS)
        self.assertEqual([f for f in top(self.trace)["functions"] if f["file"] == "<pytrace>"], [])
        self.assert_pristine()

    def test_a_signal_handler_that_raises_meanwhile(self):
        """It runs in the midst of our functions, or before or after: the program gets its exception, or handles it all the same."""
        program = (
            "import signal, sys, pytrace\n"
            "class Late(Exception): pass\n"
            "def handler(*unused): raise Late\n"
            "signal.signal(signal.SIGALRM, handler)\n"
            "raised = 0\n"
            "for i in range(30):\n"
            "    try:\n"
            "        signal.setitimer(signal.ITIMER_REAL, 0.0002 + i * 0.0003)\n"
            "        pytrace.start(sys.argv[1], force=True)\n"
            "        signal.setitimer(signal.ITIMER_REAL, 0)\n"
            "    except Late:\n"
            "        raised += 1\n"
            "    if pytrace.is_recording():\n"
            "        pytrace.stop()\n"
            "pytrace.start(sys.argv[1], force=True)\n"
            "len('')\n"
            "pytrace.stop()\n"
        )
        self.assertEqual(set(self.costs_of(program)), KINDS)
        self.assert_pristine()


if __name__ == "__main__":
    unittest.main()
