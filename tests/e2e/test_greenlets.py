"""Greenlets: each has a stack of its own, and every event stands in that of the greenlet which ran.

The packages greenlet and gevent lie in PYTRACE_GREENLETS, put there by scripts/greenlet-packages; without them the tests are skipped (status 77).
"""

import collections
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
import unittest

from e2e import ANALYZE, PROGRAMS, SECONDS, TestCase, analyze, calls, dump, environment, top

PACKAGES = os.environ.get("PYTRACE_GREENLETS", "")
sys.path[:0] = [PACKAGES, PROGRAMS]
HAVE_GREENLET = importlib.util.find_spec("greenlet") is not None
HAVE_GEVENT = HAVE_GREENLET and importlib.util.find_spec("gevent") is not None

CALLS = {"start", "resume", "throw", "c_call"}
RETURNS = {"return", "yield", "unwind", "c_return", "c_raise"}


class GreenletCase(TestCase):
    def path(self):
        return {"PYTHONPATH": os.pathsep.join([PACKAGES, PROGRAMS, os.environ["PYTHONPATH"]])}

    def complete(self, *arguments):
        facts = top(self.trace, *arguments)["trace"]
        self.assertTrue(facts["complete"], facts)
        self.assertEqual(facts["lost"], 0)
        return facts

    def seen(self, functions):
        """The recorded events of these functions, as judge_greenlets.py logs them, by thread; {thread: stack that was left over} too."""
        names = {thread["tid"]: thread["name"] for thread in analyze("threads", self.trace)["threads"]}
        running, numbers, events = collections.Counter(), collections.defaultdict(dict), collections.defaultdict(list)
        for line in dump(self.trace):
            thread = names[line["tid"]]
            if line["kind"] == "switch":
                running[thread] = line["greenlet"]
            name = line["name"].rpartition(".")[2]
            if line["kind"] in CALLS | RETURNS and functions(line["module"], name):
                known = numbers[thread]
                number = known.setdefault(running[thread], len(known))
                events[thread].append([number, "call" if line["kind"] in CALLS else "return", name])
        return events


@unittest.skipUnless(HAVE_GREENLET, "no greenlet")
class EventByEvent(GreenletCase):
    def judge(self, scenario):
        log = os.path.join(self.here, "log.json")
        outcome = self.run_python(os.path.join(PROGRAMS, "judge_greenlets.py"), scenario, log, self.trace, env=self.path())
        self.assert_succeeded(outcome)
        with open(log) as file:
            expected = json.load(file)
        c_functions = ("switch", "throw", "sorted", "sum") if sys.version_info >= (3, 12) else ()
        found = self.seen(lambda module, name: module == "greenlets" or (name in c_functions and module != "greenlets"))
        self.assertEqual(set(found), set(expected))
        for thread, events in expected.items():
            for i, pair in enumerate(zip(events, found[thread])):
                self.assertEqual(*pair, "event %d of %s" % (i, thread))
            self.assertEqual(len(events), len(found[thread]), thread)
        self.complete()
        check = subprocess.run([ANALYZE, "check", self.trace], stdout=subprocess.PIPE, timeout=SECONDS)
        self.assertEqual(check.returncode, 0, check.stdout.decode())


def add_scenarios():
    import greenlets

    for scenario in greenlets.SCENARIOS:
        name = scenario.__name__
        setattr(EventByEvent, "test_" + name, lambda self, name=name: self.judge(name))


if HAVE_GREENLET:
    add_scenarios()


if __name__ == "__main__":
    if not HAVE_GREENLET:
        print("skipped: there is no greenlet for this interpreter in PYTRACE_GREENLETS=%r" % PACKAGES)
        sys.exit(77)
    unittest.main()
