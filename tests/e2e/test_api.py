"""The API: start, stop, recording, is_recording, in this very process."""

import _thread
import gc
import os
import pathlib
import signal
import sys
import threading
import unittest

import pytrace
from api import Api, leaf, work
from e2e import calls, dump, top


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
        self.assertEqual(calls(self.trace), {"%s:%d(leaf)" % (leaf.__code__.co_filename, leaf.__code__.co_firstlineno): 1, "<built-in method builtins.len>": 1})

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

        def growth():
            for _ in range(100):
                made()
            gc.collect()
            objects = len(gc.get_objects())
            for _ in range(1000):
                made()
            gc.collect()
            return len(gc.get_objects()) - objects

        bare = growth()  # free-threaded 3.13 itself lets no code die once a thread was started
        with pytrace.recording(self.trace):
            self.assertLess(growth(), bare + 500)


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


if __name__ == "__main__":
    unittest.main()
