"""The times are true: a function's total lies between the span that it measures inside itself and the span around its call."""

import json
import os
import unittest

from e2e import PROGRAMS, TestCase, top


class Times(TestCase):
    def setUp(self):
        super().setUp()
        outcome = self.record(os.path.join(PROGRAMS, "spans.py"))
        self.assert_succeeded(outcome)
        self.spans = json.loads(outcome.stdout)
        self.functions = {}
        for function in top(self.trace)["functions"]:
            if function["module"] == "__main__":
                self.functions[function["name"]] = function

    def test_total_lies_between_the_spans(self):
        for name, (inside, around) in self.spans.items():
            with self.subTest(name):
                self.assertEqual(self.functions[name]["calls"], 1)
                self.assertLessEqual(inside, self.functions[name]["total_ns"])
                self.assertLessEqual(self.functions[name]["total_ns"], around)

    def test_recursion_counts_once(self):
        recurse, inside = self.functions["recurse"], self.spans["recursion"][0]
        self.assertEqual((recurse["calls"], recurse["primitive"]), (51, 1))
        self.assertLessEqual(recurse["total_ns"], inside)
        self.assertGreaterEqual(recurse["total_ns"], 20_000_000)

    def test_generator_is_not_charged_while_suspended(self):
        generate = self.functions["generate"]
        self.assertEqual(generate["calls"], 4)
        self.assertGreaterEqual(generate["total_ns"], 15_000_000)
        self.assertLessEqual(generate["total_ns"], self.spans["generator"][0] - 6_000_000)

    def test_sleep_is_no_self_time_of_the_caller(self):
        sleeper = self.functions["sleep_long"]
        self.assertLess(sleeper["self_ns"], sleeper["total_ns"] - 300_000_000)

    def test_self_times_are_the_whole(self):
        """Self times add up to the whole of a thread; only waiting for the drain is nobody's."""
        facts = top(self.trace, "--tid", "1")
        inside = sum(function["self_ns"] for function in facts["functions"])
        self.assertGreaterEqual(inside + facts["trace"]["stalled_ns"] + len(facts["functions"]), self.functions["<module>"]["total_ns"])


if __name__ == "__main__":
    unittest.main()
