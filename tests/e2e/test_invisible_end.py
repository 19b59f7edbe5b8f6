"""However a program ends, it ends the same way, with the same status, output and order of its last deeds."""

import signal
import unittest

from invisible import InvisibleCase


class Status(InvisibleCase):
    def test_fall_off_the_end(self):
        self.assertEqual(self.same("-c", "print('done')").status, 0)

    def test_exit_codes(self):
        for code, status in (("0", 0), ("3", 3), ("None", 0), ("'a text'", 1), ("256", 0), ("-1", 255), ("(1, 2)", 1), ("True", 1)):
            with self.subTest(code):
                self.assertEqual(self.same("-c", "import sys; sys.exit(%s)" % code, options=["--force"]).status, status)

    def test_exit_in_module(self):
        self.assertEqual(self.same("-m", "program", files={"program.py": "raise SystemExit(5)"}).status, 5)

    def test_exit_in_thread(self):
        self.same_script("import threading, sys\nt = threading.Thread(target=sys.exit, args=(3,))\nt.start(); t.join(); print('on')")

    def test_os_exit(self):
        self.assertEqual(self.same_script("import os, sys\nsys.stdout.flush(); os._exit(7)").status, 7)

    def test_uncaught_exception(self):
        self.assertEqual(self.same_script("def f(): raise ValueError('x' * 30)\nf()").status, 1)

    def test_exception_that_cannot_be_shown(self):
        self.same_script("class E(Exception):\n    def __str__(self): raise RuntimeError\nraise E")

    def test_own_excepthook(self):
        self.same_script("import sys\nsys.excepthook = lambda *what: print('hook', what[0].__name__)\n1/0")

    def test_exception_in_thread(self):
        self.same_script("import threading\nt = threading.Thread(target=lambda: 1/0, name='worker')\nt.start(); t.join()")

    def test_standard_output_is_full(self):
        # Flushing at the end fails: status 120.
        self.assertEqual(self.same_script("import os, sys\nos.dup2(os.open('/dev/full', 1), 1)\nprint('lost')").status, 120)

    def test_standard_output_is_closed(self):
        self.same_script("import sys\nsys.stdout.close()\nsys.stderr.write('still here')")

    def test_all_standard_streams_are_closed(self):
        self.same_script("import os\nfor fd in 0, 1, 2: os.close(fd)\nopen('file', 'w').write('written')")

    def test_reader_has_gone(self):
        self.same_script(
            """
            import os, sys
            read, write = os.pipe()
            os.dup2(write, 1), os.close(write), os.close(read)
            print("into the void")
            """
        )


class LastDeeds(InvisibleCase):
    def test_exit_handlers_and_finalizers(self):
        self.same_script(
            """
            import atexit, sys, threading, weakref
            class Loud:
                def __init__(self, name): self.name = name
                def __del__(self): print("del", self.name, file=sys.stderr)
            kept = Loud("global")
            cycle = Loud("cycle"); cycle.itself = cycle
            sys.kept = Loud("kept by sys")
            ref = weakref.finalize(kept, print, "finalize")
            atexit.register(print, "first registered")
            atexit.register(lambda: print("last registered", threading.active_count()))
            def generator():
                try:
                    yield 1
                finally:
                    print("generator closed", file=sys.stderr)
            suspended = generator(); next(suspended)
            print("main ends")
            """
        )

    def test_exit_handler_raises(self):
        self.same_script("import atexit\n@atexit.register\ndef f(): raise ValueError('late')\nprint('main ends')")

    def test_threads_are_joined(self):
        self.same_script(
            """
            import threading
            turns = [threading.Event() for _ in range(4)]
            def work(n):
                turns[n].wait()
                print("thread", n)
                turns[n + 1].set()
            for n in range(3):
                threading.Thread(target=work, args=(n,)).start()
            print("main ends")
            turns[0].set()
            """
        )

    def test_daemon_threads_are_abandoned(self):
        self.same_script(
            """
            import threading, time
            def spin():
                while True:
                    sum(range(100))
            def sleep():
                time.sleep(1000)
            for target in spin, spin, sleep:
                threading.Thread(target=target, daemon=True).start()
            time.sleep(0.1)
            print("main ends")
            """
        )

    def test_executor_is_shut_down(self):
        self.same_script(
            """
            from concurrent.futures import ThreadPoolExecutor
            pool = ThreadPoolExecutor(4)
            futures = [pool.submit(pow, 2, n) for n in range(100)]
            print(sum(f.result() for f in futures))
            """
        )


class Signals(InvisibleCase):
    """`send` arrives after the first line of output."""

    def ends_by(self, number, outcome):
        self.assertEqual(outcome.status, -number)

    def test_terminate(self):
        self.ends_by(signal.SIGTERM, self.same_script("import time\nprint('ready', flush=True)\ntime.sleep(60)", send=signal.SIGTERM))

    def test_terminate_with_handler(self):
        source = """
            import signal, sys, time
            def handler(number, frame):
                print("handled", number, frame.f_code.co_name)
                sys.exit(9)
            signal.signal(signal.SIGTERM, handler)
            def wait():
                print("ready", flush=True)
                time.sleep(60)
            wait()
            """
        self.assertEqual(self.same_script(source, send=signal.SIGTERM).status, 9)

    def test_interrupt(self):
        self.ends_by(signal.SIGINT, self.same_script("import time\nprint('ready', flush=True)\ntime.sleep(60)", send=signal.SIGINT))

    def test_interrupt_of_a_module(self):
        files = {"program.py": "import time\nprint('ready', flush=True)\ntime.sleep(60)"}
        self.ends_by(signal.SIGINT, self.same("-m", "program", files=files, send=signal.SIGINT))

    def test_interrupt_of_a_command(self):
        self.ends_by(signal.SIGINT, self.same("-c", "import time\nprint('ready', flush=True)\ntime.sleep(60)", send=signal.SIGINT))

    def test_interrupt_caught(self):
        source = """
            import time
            try:
                print("ready", flush=True)
                time.sleep(60)
            except KeyboardInterrupt:
                print("interrupted")
            """
        self.assertEqual(self.same_script(source, send=signal.SIGINT).status, 0)

    def test_interrupt_raised_by_hand(self):
        self.ends_by(signal.SIGINT, self.same_script("import atexit; atexit.register(print, 'bye')\nraise KeyboardInterrupt"))

    def test_interrupt_ignored(self):
        source = "import signal, os\nsignal.signal(2, signal.SIG_IGN)\nos.kill(os.getpid(), 2)\nprint('on')"
        self.same_script(source)

    def test_abort(self):
        self.ends_by(signal.SIGABRT, self.same_script("import os, resource\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\nos.abort()"))

    def test_kill(self):
        self.ends_by(signal.SIGKILL, self.same_script("import os\nprint('x', flush=True)\nos.kill(os.getpid(), 9)"))

    def test_segmentation_fault(self):
        source = """
            import ctypes, resource
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            print("x", flush=True)
            ctypes.string_at(0)
            """
        self.ends_by(signal.SIGSEGV, self.same_script(source))

    def test_alarm(self):
        self.same_script(
            """
            import signal
            hits = []
            signal.signal(signal.SIGALRM, lambda *_: hits.append(1))
            signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
            while len(hits) < 5:
                sum(range(1000))
            signal.setitimer(signal.ITIMER_REAL, 0)
            print("enough")
            """
        )

    def test_dispositions_and_mask(self):
        self.same_script(
            """
            import signal
            for number in sorted(signal.valid_signals()):
                print(number, signal.getsignal(number))
            print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
            """
        )


if __name__ == "__main__":
    unittest.main()
