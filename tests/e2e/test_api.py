"""The API: start, stop, recording, is_recording, in this very process."""

import _thread
import gc
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import unittest

import pytrace
from e2e import TestCase, analyze, calls, dump, top


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
        """{name: calls} of the Python functions of this file."""
        found = {}
        for function in top(trace or self.trace)["functions"]:
            if function["file"] == __file__ and function["calls"]:
                found[function["name"]] = found.get(function["name"], 0) + function["calls"]
        return found


class StartAndStop(Api):
    def test_window(self):
        work()
        self.assertIs(pytrace.start(self.trace), None)
        self.assertIs(pytrace.is_recording(), True)
        work()
        self.assertIs(pytrace.stop(), None)
        self.assertIs(pytrace.is_recording(), False)
        work()
        self.assertEqual(self.counts(), {"work": 1, "leaf": 3})
        facts = top(self.trace)["trace"]
        self.assertEqual((facts["complete"], facts["ended"], facts["lost"], facts["pid"]), (True, "stopped", 0, os.getpid()))

    def test_block(self):
        with pytrace.recording(self.trace):
            work()
        self.assertEqual(self.counts(), {"work": 1, "leaf": 3})

    def test_block_passes_exceptions_on(self):
        with self.assertRaises(ZeroDivisionError):
            with pytrace.recording(self.trace):
                work()
                work(1 // 0)
        self.assertFalse(pytrace.is_recording())
        self.assertEqual(self.counts(), {"work": 1, "leaf": 3})

    def test_nothing_of_ours_is_in_the_trace(self):
        with pytrace.recording(self.trace):
            pytrace.is_recording()
            leaf()
        self.assertEqual(calls(self.trace), {"%s:%d(leaf)" % (__file__, leaf.__code__.co_firstlineno): 1, "<built-in method builtins.len>": 1})

    def test_empty_window(self):
        pytrace.start(self.trace)
        pytrace.stop()
        self.assertEqual(calls(self.trace), {})
        self.assertTrue(top(self.trace)["trace"]["complete"])

    def test_many_times(self):
        for n in range(30):
            trace = "%s.%d" % (self.trace, n)
            with pytrace.recording(trace):
                work(n)
            self.assertEqual(self.counts(trace), {"work": 1, **({"leaf": n} if n else {})})

    def test_open_frames(self):
        def outer():
            pytrace.start(self.trace)
            leaf()

        outer()
        leaf()
        pytrace.stop()
        kinds = [(record["kind"], record["name"].rpartition(".")[2]) for record in dump(self.trace)]
        kinds = [(kind, name) for kind, name in kinds if name in ("outer", "leaf", "test_open_frames")]
        self.assertEqual(
            kinds,
            [
                ("open", "test_open_frames"),
                ("open", "outer"),
                ("start", "leaf"),
                ("return", "leaf"),
                ("return", "outer"),
                ("start", "leaf"),
                ("return", "leaf"),
                ("close", "test_open_frames"),
            ],
        )

    def test_path_forms(self):
        for path in self.trace, pathlib.Path(self.trace), os.path.join(self.here, "..", "trace.bin"):
            with self.subTest(path):
                pytrace.start(path, force=True)
                pytrace.stop()
                self.assertTrue(top(self.trace)["trace"]["complete"])

    def test_process_id_in_the_path(self):
        pytrace.start(os.path.join(self.here, "%p.bin"))
        pytrace.stop()
        self.assertEqual(os.listdir(self.here), ["%d.bin" % os.getpid()])

    def test_the_file_is_private(self):
        with pytrace.recording(self.trace):
            pass
        self.assertEqual(os.stat(self.trace).st_mode & 0o777, 0o600)

    def test_nothing_is_left_behind(self):
        descriptors, tasks = os.listdir("/proc/self/fd"), os.listdir("/proc/self/task")
        hooks = sys.getprofile(), sys.gettrace(), _thread.start_new_thread
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        with pytrace.recording(self.trace):
            work()
            self.assertEqual(os.listdir("/proc/self/fd"), descriptors)
            self.assertEqual(os.listdir("/proc/self/task"), tasks)
        self.assertEqual((sys.getprofile(), sys.gettrace(), _thread.start_new_thread), hooks)
        self.assertEqual(os.listdir("/proc/self/fd"), descriptors)
        self.assertEqual(signal.pthread_sigmask(signal.SIG_BLOCK, []), mask)
        self.assertRaises(ChildProcessError, os.waitpid, -1, os.WNOHANG)

    def test_functions_do_not_leak(self):
        """Code that is made and thrown away is not kept for ever by the recorder."""

        def made():
            scope = {}
            exec("def f():\n    return 1\nf()", scope)
            return id(scope["f"].__code__)

        with pytrace.recording(self.trace):
            for _ in range(100):
                made()
            gc.collect()
            objects = len(gc.get_objects())
            for _ in range(1000):
                made()
            gc.collect()
            self.assertLess(len(gc.get_objects()), objects + 500)


class Refusals(Api):
    def test_existing_file(self):
        pathlib.Path(self.trace).write_text("precious")
        with self.assertRaises(FileExistsError) as caught:
            pytrace.start(self.trace)
        self.assertEqual(os.fspath(caught.exception.filename), self.trace)
        self.assertFalse(pytrace.is_recording())
        self.assertEqual(pathlib.Path(self.trace).read_text(), "precious")

    def test_missing_directory(self):
        with self.assertRaises(FileNotFoundError) as caught:
            pytrace.start("/no/such/place/trace.bin")
        self.assertEqual(caught.exception.filename, "/no/such/place/trace.bin")

    def test_twice(self):
        pytrace.start(self.trace)
        with self.assertRaisesRegex(RuntimeError, "already"):
            pytrace.start(self.trace + "2")
        with self.assertRaisesRegex(RuntimeError, "already"):
            with pytrace.recording(self.trace + "2"):
                pass
        work()
        pytrace.stop()
        self.assertEqual(self.counts(), {"work": 1, "leaf": 3})
        self.assertFalse(os.path.exists(self.trace + "2"))

    def test_stop_without_start(self):
        self.assertRaises(RuntimeError, pytrace.stop)

    def test_wrong_options(self):
        for error, options in (
            (TypeError, {"unknown": 1}),
            (TypeError, {"ring_size": []}),
            (TypeError, {"max_threads": "many"}),
            (TypeError, {"level": 1.5}),
            (ValueError, {"ring_size": "1X"}),
            (ValueError, {"ring_size": 1}),
            (ValueError, {"ring_size": -1}),
            (ValueError, {"max_threads": 0}),
            (ValueError, {"policy": "perhaps"}),
            (ValueError, {"flush_interval": "soon"}),
            (ValueError, {"flush_interval": -1}),
            (ValueError, {"max_size": "none"}),
            (ValueError, {"level": 100}),
        ):
            with self.subTest(options):
                with self.assertRaisesRegex(error, list(options)[0]):
                    pytrace.start(self.trace, **options)
                self.assertFalse(pytrace.is_recording())
                self.assertFalse(os.path.exists(self.trace))
        self.assertRaises(TypeError, pytrace.start)
        self.assertRaises(TypeError, pytrace.start, 5)

    def test_subinterpreter(self):
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        source = "import sys; sys.path[:] = %r\ntry:\n import pytrace; pytrace.start(%r)\nexcept (RuntimeError, ImportError): pass\nelse: raise SystemError"
        interpreter = interpreters.create()
        try:
            failure = interpreters.run_string(interpreter, source % (sys.path, self.trace))
        finally:
            interpreters.destroy(interpreter)
        self.assertIs(failure, None)
        self.assertFalse(os.path.exists(self.trace))


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
                self.assertTrue(top(trace)["trace"]["complete"])
        finally:
            done.append(True)
            for thread in threads:
                thread.join()

    def test_more_threads_than_slots(self):
        with pytrace.recording(self.trace, max_threads=2):
            threads = [threading.Thread(target=time.sleep, args=(0.5,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        facts = top(self.trace)["trace"]
        self.assertGreater(facts["lost"], 0)
        self.assertFalse(facts["complete"])


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
        pytrace.start(self.trace)
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
        os.read(read, 1)  # ends with the child
        os.close(read)
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
