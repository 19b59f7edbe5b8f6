"""What a recording covers: threads, forked children, and what its options leave out or limit."""

import _thread
import os
import subprocess
import sys
import threading
import time
import unittest

import pytrace
from api import Api, work
from e2e import analyze, top


class Threads(Api):
    def test_threads_before_and_after_the_start(self):
        go, ready = threading.Event(), threading.Event()

        def early():
            ready.set()
            go.wait()
            work()

        def late():
            work(100)

        first = threading.Thread(target=early, name="early bird")
        first.start()
        ready.wait()
        pytrace.start(self.trace)
        go.set()
        second = threading.Thread(target=late, name="late bird")
        second.start()
        first.join(), second.join()
        pytrace.stop()
        self.assertEqual(self.counts()["work"], 2)
        names = {thread["name"] for thread in analyze("threads", self.trace)["threads"]}
        self.assertLessEqual({"early bird", "late bird", "MainThread"}, names)

    def test_names_of_threads_that_do_next_to_nothing(self):
        with pytrace.recording(self.trace):
            for n in range(3):
                thread = threading.Thread(target=len, args=("",), name="short %d" % n)
                thread.start(), thread.join()
        names = {thread["name"] for thread in analyze("threads", self.trace)["threads"]}
        self.assertLessEqual({"short 0", "short 1", "short 2"}, names)

    def test_start_and_stop_in_another_thread(self):
        thread = threading.Thread(target=pytrace.start, args=(self.trace,))
        thread.start(), thread.join()
        self.assertTrue(pytrace.is_recording())
        work()
        thread = threading.Thread(target=pytrace.stop)
        thread.start(), thread.join()
        self.assertFalse(pytrace.is_recording())
        work()
        counts = self.counts()
        self.assertEqual((counts["work"], counts["leaf"]), (1, 3))

    def test_starter_ends_while_nothing_else_happens(self):
        go = threading.Event()

        def start():
            go.wait()
            time.sleep(0.05)
            pytrace.start(self.trace, flush_interval="10ms")

        thread = threading.Thread(target=start)
        thread.start()
        go.set()
        time.sleep(0.4)  # the starter is gone before this thread has its first event
        thread.join()
        work()
        pytrace.stop()
        self.assertEqual(self.counts()["work"], 1)
        self.assertEqual(top(self.trace)["trace"]["ended"], "stopped")

    def test_stop_while_others_work(self):
        done = []

        def busy():
            while not done:
                work()

        threads = [threading.Thread(target=busy) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for n in range(5):
                trace = "%s.%d" % (self.trace, n)
                with pytrace.recording(trace):
                    time.sleep(0.02)
                # Losses are possible, where four threads keep the drain process from running for too long.
                facts = top(trace)["trace"]
                self.assertEqual((facts["ended"], facts["recovered"]), ("stopped", 0))
                self.assertEqual(facts["complete"], facts["lost"] == 0)
        finally:
            done.append(True)
            for thread in threads:
                thread.join()

    def notes(self):
        """How often each is told: PROCESS blocks are not compressed."""
        top(self.trace)  # waits for the file, should a thread have been ending when the program did
        with open(self.trace, "rb") as file:
            content = file.read()
        return {note: content.count(note) for note in (b"profile function", b"found late") if note in content}

    @unittest.skipIf(sys.version_info >= (3, 12), "a tool of sys.monitoring is not replaced by sys.setprofile")
    def test_replaced_profile_function_is_noted(self):
        replace = "sys.setprofile(None)"
        in_thread = "import threading\nt = threading.Thread(target=sys.setprofile, args=(None,)); t.start(); t.join()"
        for source in replace, in_thread, "import cProfile\np = cProfile.Profile(); p.enable(); p.disable()":
            with self.subTest(source):
                self.assert_succeeded(self.record("-c", "import sys\n" + source, options=["--force"]))
                self.assertIn(b"profile function", self.notes())
        with pytrace.recording(self.trace, force=True):
            sys.setprofile(None)
        self.assertIn(b"profile function", self.notes())

    def test_nothing_to_note(self):
        program = "import os, threading\nif os.fork(): os.wait()\nt = threading.Thread(target=len, args=('',)); t.start(); t.join()"
        self.assert_succeeded(self.record("-c", program))
        self.assertEqual(self.notes(), {})

    def test_more_threads_than_slots(self):
        # Under the policy block, a thread would wait for another one to end.
        with pytrace.recording(self.trace, max_threads=2, policy="drop"):
            threads = [threading.Thread(target=time.sleep, args=(0.5,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        facts = top(self.trace)["trace"]
        self.assertGreater(facts["lost"], 0)
        self.assertFalse(facts["complete"])

    def test_every_event_of_a_thread_without_a_slot_is_counted(self):
        started = []

        def run():
            started.append(True)
            work(2000)

        with pytrace.recording(self.trace, max_threads=1):
            _thread.start_new_thread(run, ())
            while not started or _thread._count() > 0:
                time.sleep(0.001)
        # run, append and work; then leaf and len again and again. Each is entered and left.
        self.assertEqual(top(self.trace)["trace"]["lost"], 2 * 3 + 2 * 2 * 2000)


class Processes(Api):
    def test_forked_children_share_the_file(self):
        pytrace.start(self.trace)
        for _ in range(3):
            pid = os.fork()
            if pid == 0:
                try:
                    work()
                finally:
                    os._exit(0)
            self.assertEqual(os.waitpid(pid, 0)[1], 0)
        work()
        pytrace.stop()
        self.assertEqual(self.counts()["work"], 4)
        self.assertEqual(top(self.trace)["trace"]["processes"], 4)

    def test_children_left_out(self):
        pytrace.start(self.trace, children=False)
        pid = os.fork()
        if pid == 0:
            work()
            os._exit(pytrace.is_recording())
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        pytrace.stop()
        self.assertNotIn("work", self.counts())

    def test_child_starts_its_own_recording(self):
        for children in True, False:
            with self.subTest(children=children):
                pytrace.start(self.trace, children=children, force=True)
                work()
                pid = os.fork()
                if pid == 0:
                    status = 1
                    try:
                        with pytrace.recording(self.trace + ".child", force=True):
                            work()
                        status = 0
                    finally:
                        os._exit(status)
                self.assertEqual(os.waitpid(pid, 0)[1], 0)
                pytrace.stop()
                self.assertEqual(self.counts(self.trace + ".child"), {"work": 1, "leaf": 3})

    def test_child_outlives_its_parent(self):
        read, write = os.pipe()
        program = (
            "import os, pytrace, sys, time\n"
            "def late():\n    time.sleep(0.2)\n"
            "pytrace.start(%r)\n"
            "if os.fork() == 0:\n    late(); os._exit(0)\n" % self.trace
        )
        subprocess.run([sys.executable, "-c", program], check=True, pass_fds=[write])
        os.close(write)
        os.read(read, 1)  # the child is ending, but not yet dead: only then does the analyzer wait for the file
        os.close(read)
        deadline = time.monotonic() + 20
        while not top(self.trace)["trace"]["complete"] and time.monotonic() < deadline:
            time.sleep(0.01)
        names = {function["name"]: function["calls"] for function in top(self.trace)["functions"]}
        self.assertEqual(names.get("late"), 1)
        self.assertTrue(top(self.trace)["trace"]["complete"])


class Options(Api):
    def test_policies_lose_nothing_without_telling(self):
        for policy in "block", "drop":
            with self.subTest(policy):
                with pytrace.recording(self.trace, policy=policy, ring_size="64K", force=True):
                    work(100_000)
                facts = top(self.trace)["trace"]
                # work, and for each turn leaf and len: two events a call
                self.assertEqual(facts["events"] + facts["lost"], 2 * (1 + 2 * 100_000))

    def test_no_c_calls(self):
        with pytrace.recording(self.trace, c_calls=False):
            work()
        self.assertEqual({function["kind"] for function in top(self.trace)["functions"]}, {"py"})
        self.assertEqual(self.counts(), {"work": 1, "leaf": 3})

    def test_max_size(self):
        pytrace.start(self.trace, max_size="64K", ring_size="64K", flush_interval=0.01)
        deadline = time.monotonic() + 30
        while pytrace.is_recording() and time.monotonic() < deadline:
            work(1000)
        self.assertFalse(pytrace.is_recording())
        self.assertLessEqual(os.stat(self.trace).st_size, 64 * 1024)
        self.assertEqual(top(self.trace)["trace"]["ended"], "limit")

    def test_flush_interval(self):
        pytrace.start(self.trace, flush_interval="50ms")
        work()
        deadline = time.monotonic() + 30
        while "leaf" not in self.counts() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertEqual(self.counts()["leaf"], 3)
        pytrace.stop()

    def test_ring_directory(self):
        with pytrace.recording(self.trace, ring_dir=self.here):
            (arena,) = os.listdir(self.here)
            self.assertEqual(os.stat(os.path.join(self.here, arena)).st_mode & 0o777, 0o700)
        self.assertEqual(os.listdir(self.here), [])

    def test_command_line_left_out(self):
        for argv in True, False:
            with pytrace.recording(self.trace, argv=argv, force=True):
                pass
            with open(self.trace, "rb") as file:
                self.assertIs(os.fsencode(sys.executable) in file.read(), argv)


if __name__ == "__main__":
    unittest.main()
