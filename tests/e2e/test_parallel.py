"""Threads that record side by side: on a free-threaded interpreter in parallel. Every count is that of the program itself."""

import os
import random
import subprocess
import sys
import threading
import time
import unittest
import warnings

import pytrace
from api import Api
from e2e import ANALYZE, GIL, analyze, dump, top

FUNCTIONS = 2500  # more than a thread keeps at hand (1024), so that look-ups and first sights never end

made = {"__name__": "made"}
exec(compile("".join("def f%d(x): return len(x)\n" % n for n in range(FUNCTIONS)), "made.py", "exec"), made)
functions = [made["f%d" % n] for n in range(FUNCTIONS)]


def leaf():
    return len("leaf")


def child():
    for _ in range(10):
        leaf()


class Parallel(Api):
    def run_threads(self, *bodies):
        failures = []

        def run(body):
            try:
                body()
            except BaseException as error:
                failures.append(error)
                raise

        threads = [threading.Thread(target=run, args=(body,)) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def check(self, trace=None):
        done = subprocess.run([ANALYZE, "check", trace or self.trace], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout.decode())

    def found(self):
        """{name: calls}"""
        found = {}
        for function in top(self.trace)["functions"]:
            found[function["name"]] = found.get(function["name"], 0) + function["calls"]
        return found

    @unittest.skipIf(GIL, "this interpreter has a global lock")
    def test_the_global_lock_stays_off(self):
        program = (
            "import sys, threading, pytrace\n"
            "pytrace.start(sys.argv[1])\n"
            "t = threading.Thread(target=len, args=('',)); t.start(); t.join()\n"
            "assert not sys._is_gil_enabled()\n"
            "pytrace.stop()\n"
            "assert not sys._is_gil_enabled()\n"
        )
        outcome = self.run_python("-W", "error", "-c", program, self.trace)
        self.assert_succeeded(outcome)
        self.assertEqual(outcome.stderr, b"")

    def test_every_call_of_24_threads(self):
        for before in True, False:
            with self.subTest(threads="before the start" if before else "after the start"):
                counts = [[0] * FUNCTIONS for _ in range(24)]
                go = threading.Event()

                def body(seed):
                    own, chosen = counts[seed], random.Random(seed)
                    go.wait()
                    for _ in range(1500):
                        n = int(chosen.random() * FUNCTIONS)
                        own[n] += 1
                        functions[n]("")

                threads = [threading.Thread(target=body, args=(seed,)) for seed in range(24)]
                if before:
                    for thread in threads:
                        thread.start()
                pytrace.start(self.trace, force=True)
                if not before:
                    for thread in threads:
                        thread.start()
                go.set()
                for thread in threads:
                    thread.join()
                pytrace.stop()
                self.check()
                found = self.found()
                called = {"f%d" % n: sum(own[n] for own in counts) for n in range(FUNCTIONS)}
                self.assertEqual({name: found.get(name, 0) for name in called}, called)

    def test_no_gap_between_start_and_stop(self):
        """Each thread calls the functions in a circle: whatever part of that is recorded has no gap and nothing twice."""
        over = []

        def body():
            while not over:
                for function in functions[:500]:
                    function("")
                time.sleep(0.0002)  # for the drain process, on a small machine

        threads = [threading.Thread(target=body) for _ in range(8)]
        for thread in threads:
            thread.start()
        traces = ["%s.%d" % (self.trace, n) for n in range(5)]
        try:
            for n, trace in enumerate(traces):
                with pytrace.recording(trace):
                    time.sleep(0.002 * n)
        finally:
            over.append(True)
            for thread in threads:
                thread.join()
        for trace in traces:
            if top(trace)["trace"]["lost"] == 0:
                self.check(trace)
                self.check_circles(trace)

    def check_circles(self, trace):
        last = {}
        for record in dump(trace):
            if record["kind"] == "start" and record["module"] == "made":
                number, thread = int(record["name"][1:]), record["tid"]
                if thread in last:
                    self.assertEqual(number, (last[thread] + 1) % 500)
                last[thread] = number

    def test_threads_forks_and_code_that_comes_and_goes(self):
        def churn():
            for _ in range(50):
                thread = threading.Thread(target=leaf)
                thread.start(), thread.join()

        def fork():
            for _ in range(5):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # what 3.12 and later say of forks where there are threads
                    pid = os.fork()
                if pid == 0:
                    try:
                        child()
                    finally:
                        os._exit(0)
                self.assertEqual(os.waitpid(pid, 0)[1], 0)

        def execute(thread):
            for n in range(300):
                exec("def own%d_%d(): return 1\nown%d_%d()" % (thread, n % 50, thread, n % 50), {})
                exec("def same(): return 1\nsame()", {})

        with pytrace.recording(self.trace):
            self.run_threads(churn, churn, churn, fork, fork, *[lambda n=n: execute(n) for n in range(4)])
        self.check()
        self.assertEqual(top(self.trace)["trace"]["processes"], 1 + 2 * 5)
        called = {"leaf": 3 * 50 + 2 * 5 * 10, "child": 2 * 5, "same": 4 * 300}
        called.update({"own%d_%d" % (thread, n): 300 // 50 for thread in range(4) for n in range(50)})
        found = self.found()
        self.assertEqual({name: found.get(name, 0) for name in called}, called)

    def test_starts_and_stops_of_several_threads(self):
        over, traces, refused = [], [], []

        def busy():
            while not over:
                for _ in range(100):
                    leaf()
                time.sleep(0.0002)

        def begin_and_end(thread):
            for n in range(20):
                trace = "%s.%d.%d" % (self.trace, thread, n)
                try:
                    pytrace.start(trace)
                    traces.append(trace)
                except RuntimeError as error:
                    refused.append(str(error))
                pytrace.is_recording()
                time.sleep(0.001)
                try:
                    pytrace.stop()
                except RuntimeError as error:
                    refused.append(str(error))

        others = [threading.Thread(target=busy) for _ in range(4)]
        for thread in others:
            thread.start()
        try:
            self.run_threads(*[lambda n=n: begin_and_end(n) for n in range(3)])
        finally:
            over.append(True)
            for thread in others:
                thread.join()
        self.assertLessEqual(set(refused), {"this process is already being recorded", "nothing is being recorded"})
        self.assertFalse(pytrace.is_recording())
        for trace in traces:
            if top(trace)["trace"]["lost"] == 0:
                self.check(trace)

    @unittest.skipIf(sys.version_info < (3, 12), "the profile function raises no audit events")
    def test_stop_in_the_middle_of_start(self):
        """An audit hook is called while the recording is being started. It cannot stop what has not begun."""
        program = (
            "import sys, pytrace\n"
            "told = []\n"
            "def hook(event, arguments):\n"
            "    if event == 'sys.monitoring.register_callback' and not told:\n"
            "        told.append(event)\n"
            "        try:\n"
            "            pytrace.stop()\n"
            "        except RuntimeError as error:\n"
            "            told.append(error)\n"
            "sys.addaudithook(hook)\n"
            "pytrace.start(sys.argv[1])\n"
            "assert len(told) == 2, told\n"
            "len('')\n"
            "pytrace.stop()\n"
        )
        self.assert_succeeded(self.run_python("-c", program, self.trace))
        self.check()
        self.assertEqual(analyze("top", self.trace)["trace"]["ended"], "stopped")


if __name__ == "__main__":
    unittest.main()
