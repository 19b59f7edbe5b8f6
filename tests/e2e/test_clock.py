"""--clock: what time is. With `cpu` it is what the thread's own CPU clock says, which a program can read as well."""

import json
import os
import resource
import unittest

from e2e import PROGRAMS, TestCase, top


class CpuTime(TestCase):
    def setUp(self):
        super().setUp()
        outcome = self.run_python(os.path.join(PROGRAMS, "cpu_time.py"), self.trace)
        self.assert_succeeded(outcome)
        measured = json.loads(outcome.stdout)
        self.spans, self.process_ns = measured["spans"], measured["process"]
        self.facts = top(self.trace)
        self.functions = {function["name"]: function for function in self.facts["functions"] if function["module"] == "__main__"}

    def test_totals_lie_between_the_spans(self):
        """Also of threads that wait, and of one that is caught by stop in the middle of a loop that calls nothing."""
        for name, (least, most) in self.spans.items():
            if name == "burn":  # which burn_beside calls, too
                least, most = (sum(pair) for pair in zip(self.spans["burn"], self.spans["burn_beside"]))
            with self.subTest(name):
                self.assertLessEqual(least, self.functions[name]["total_ns"])
                self.assertLessEqual(self.functions[name]["total_ns"], most)

    def test_threads_had_no_more_than_their_process(self):
        self.assertLessEqual(sum(function["self_ns"] for function in self.facts["functions"]), self.process_ns)

    def test_the_wall_keeps_its_time(self):
        self.assertEqual(self.facts["trace"]["clock"], "cpu")
        self.assertGreaterEqual(self.facts["trace"]["wall_ns"], 800_000_000)  # it sleeps so long, and starts anew for each wait


class Clock(TestCase):
    def recorded(self, *options):
        self.assert_succeeded(self.record("-c", "print(len('x'))", options=["--force", *options]), "1\n")
        return top(self.trace)["trace"]["clock"]

    def test_the_system_and_the_thread(self):
        self.assertEqual(self.recorded("--clock", "monotonic"), "monotonic")
        self.assertEqual(self.recorded("--clock=cpu"), "cpu")

    def test_the_counter_is_the_default_where_it_is_a_clock_and_else_refused(self):
        default = self.recorded()
        if default != "monotonic":
            self.assertIn(default, ("tsc", "cntvct"))
            self.assertEqual(self.recorded("--clock=tsc"), default)
            return
        outcome = self.record("-c", "print(len('x'))", options=["--force", "--clock=tsc"])
        self.assertNotEqual(outcome.status, 0)
        self.assertEqual(outcome.stdout, b"")
        self.assertIn("is no clock on this machine", outcome.stderr.decode())

    def test_a_process_that_is_killed_in_its_sleep_had_no_time_then(self):
        program = "import os, time\nlen('x')\ntime.sleep(1)\nos.kill(os.getpid(), 9)"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        outcome = self.record("-c", program, options=["--clock=cpu"])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertEqual(outcome.status, -9)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        facts = top(self.trace)
        self.assertEqual(facts["trace"]["ended"], "killed")
        self.assertLessEqual(sum(function["self_ns"] for function in facts["functions"]), spent * 1e9)

    def test_children_have_their_own(self):
        program = "import os, time\ndef burn():\n for n in range(300000): pass\ndef child():\n burn()\n os._exit(0)\n"
        program += "if os.fork() == 0: child()\nburn()\nos.wait()"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assert_succeeded(self.record("-c", program, options=["--clock=cpu"]))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        functions = top(self.trace)["functions"]
        self.assertEqual([function["calls"] for function in functions if function["name"] == "burn"], [2])
        self.assertLessEqual(sum(function["self_ns"] for function in functions), spent * 1e9)


if __name__ == "__main__":
    unittest.main()
