"""What the tests of the API share: a little program that they record in their own process."""

import pytrace
from e2e import TestCase, top


def leaf():
    return len("leaf")


def work(n=3):
    for _ in range(n):
        leaf()


class Api(TestCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.stop_if_recording)

    def stop_if_recording(self):
        if pytrace.is_recording():
            pytrace.stop()

    def counts(self, trace=None):
        """{name: calls} of the two functions above."""
        found = {}
        for function in top(trace or self.trace)["functions"]:
            if function["name"] in ("leaf", "work") and function["calls"]:
                found[function["name"]] = found.get(function["name"], 0) + function["calls"]
        return found
