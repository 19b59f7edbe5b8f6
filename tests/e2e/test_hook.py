"""What the hook makes of the interpreter's odder moments: entering and leaving stay paired."""

import collections
import contextlib
import ctypes
import functools
import os
import signal
import sys
import types
import unittest

import pytrace
from e2e import TestCase, dump

ENTERS = ("start", "resume", "throw", "c_call", "open")
LEAVES = ("return", "yield", "unwind", "c_return", "c_raise", "close")


class Raised(Exception):
    pass


def handler(signum, frame):
    raise Raised


class Trap:
    """-trap raises a signal without a call that Python would see: it is noticed where the interpreter looks next, the entry of a function."""

    __neg__ = staticmethod(functools.partial(getattr(ctypes.CDLL(None), "raise"), signal.SIGUSR1))


trap = Trap()


def checkpoint():
    """Called at one and the same depth of the stack, over and over."""


def plain(value):
    return value


def recursive(depth):
    return recursive(depth - 1) if depth else recursive_end(-trap)


def recursive_end(value):
    return value


def recursive_into_itself(depth):
    # The record before the entry that never happens is that of another entry of the same function.
    return recursive_into_itself(-trap if depth == 0 else depth - 1)


def generator():
    received = None
    while True:
        received = yield received


def forgiving_generator():
    while True:
        try:
            yield
        except Raised:
            pass


def divide(value):
    return 1 / value


class Hook(TestCase):
    def setUp(self):
        super().setUp()
        for signum in (signal.SIGUSR1, signal.SIGINT):
            self.addCleanup(signal.signal, signum, signal.getsignal(signum))

    def depths(self, name):
        """The number of open frames, this one included, at each entry of the function. Every leave must have a frame to leave, but
        for an unwind of a function that was never entered: SPEC.md 5.5 tells a reader how to know it."""
        found, stacks = [], {}
        for record in dump(self.trace):
            stack = stacks.setdefault(record["tid"], [])
            if record["kind"] in ENTERS:
                stack.append((record["kind"] == "c_call", record["name"]))
                if record["name"] == name:
                    found.append(len(stack))
            elif record["kind"] in LEAVES:
                innermost = [frame for frame in stack if not frame[0]][-1:]
                if record["kind"] == "unwind" and innermost != [(False, record["name"])]:
                    continue
                self.assertIn("name", record, "a leave without a frame")
                self.assertTrue(stack)
                stack.pop()
        self.assertEqual([stack for stack in stacks.values() if stack], [])
        return found

    def assert_level(self, entries):
        depths = self.depths("checkpoint")
        self.assertEqual(len(depths), entries)
        self.assertEqual(len(set(depths)), 1, sorted(set(depths)))

    def interrupt(self, call, exception, times=20):
        checkpoint()
        for _ in range(times):
            with self.assertRaises(exception):
                call()
            checkpoint()

    def test_signal_handler_raises_at_the_entry_of_a_function(self):
        signal.signal(signal.SIGUSR1, handler)
        with pytrace.recording(self.trace):
            self.interrupt(lambda: plain(-trap), Raised)
        self.assert_level(21)

    def test_signal_handler_raises_in_a_recursion(self):
        signal.signal(signal.SIGUSR1, handler)
        with pytrace.recording(self.trace):
            self.interrupt(lambda: recursive(5), Raised)
            self.interrupt(lambda: recursive_into_itself(5), Raised)
        self.assert_level(42)

    def test_signal_handler_in_c_raises_in_a_recursion(self):
        signal.signal(signal.SIGUSR1, signal.default_int_handler)
        with pytrace.recording(self.trace):
            self.interrupt(lambda: recursive_into_itself(5), KeyboardInterrupt)
        self.assert_level(21)

    @unittest.skipUnless(hasattr(sys, "monitoring"), "tools with events for each instruction exist from 3.12 on")
    def test_signal_handler_raises_at_an_entry_that_another_tool_watches(self):
        signal.signal(signal.SIGUSR1, handler)
        monitoring, tool = sys.monitoring, sys.monitoring.DEBUGGER_ID
        monitoring.use_tool_id(tool, "every instruction")
        self.addCleanup(monitoring.free_tool_id, tool)
        monitoring.register_callback(tool, monitoring.events.INSTRUCTION, lambda code, offset: None)
        self.addCleanup(monitoring.register_callback, tool, monitoring.events.INSTRUCTION, None)
        for function in plain, recursive_into_itself:
            monitoring.set_local_events(tool, function.__code__, monitoring.events.INSTRUCTION | monitoring.events.LINE)
            self.addCleanup(monitoring.set_local_events, tool, function.__code__, 0)
        with pytrace.recording(self.trace):
            self.interrupt(lambda: plain(-trap), Raised)
            self.interrupt(lambda: recursive_into_itself(5), Raised)
        self.assert_level(42)

    def test_signal_handler_raises_where_a_generator_goes_on(self):
        signal.signal(signal.SIGUSR1, handler)

        def resume():
            suspended = generator()
            next(suspended)
            suspended.send(-trap)

        with pytrace.recording(self.trace):
            self.interrupt(resume, Raised)
        self.assert_level(21)

    def test_generator_handles_what_a_signal_handler_raises_where_it_goes_on(self):
        signal.signal(signal.SIGUSR1, handler)
        with pytrace.recording(self.trace):
            checkpoint()
            for _ in range(20):
                suspended = forgiving_generator()
                next(suspended)
                with contextlib.suppress(Raised):  # 3.9 and 3.10 call the handler outside of the generator's try
                    suspended.send(-trap)
                checkpoint()
        self.assert_level(21)

    def test_generators_that_run_when_recording_starts(self):
        def record():
            with pytrace.recording(self.trace):
                checkpoint()
                yield 1
                checkpoint()
                yield 2

        def delegate():
            yield from record()

        self.assertEqual(list(delegate()), [1, 2])
        self.assert_level(2)

    def test_every_exception_at_an_instruction_that_counts_its_executions(self):
        # The interpreter has such a counter behind the instruction, and tells the place of the counter for that of the exception.
        with pytrace.recording(self.trace):
            self.interrupt(lambda: divide(0), ZeroDivisionError, 5000)
        self.assert_level(5001)

    def test_c_functions_bound_to_an_object(self):
        length = types.MethodType(len, [])
        copy = types.MethodType(list.copy, [])
        in_order = types.MethodType(sorted, [])
        wrong = types.MethodType(len, 1)

        def call():
            length(), length(*()), copy(), in_order(reverse=True), wrong()

        with pytrace.recording(self.trace):
            self.interrupt(call, TypeError)
        self.assert_level(21)
        names = collections.Counter(record["name"] for record in dump(self.trace) if record["kind"] == "c_call")
        counts = tuple(names[name] for name in ("len", "list.copy", "sorted"))
        # 3.9 and 3.10 call them unseen; from 3.12 on that is so where the arguments are unpacked.
        self.assertIn(counts, [(0, 0, 0), (40, 20, 20), (60, 20, 20)])

    def test_references_to_none_are_not_taken(self):
        def references():
            before = sys.getrefcount(None)
            for _ in range(10000):
                checkpoint()
            return sys.getrefcount(None) - before

        with pytrace.recording(self.trace):
            self.assertLess(abs(references()), 100)

    def test_exception_thrown_into_generators(self):
        def throw(begun):
            suspended = generator()
            if begun:
                next(suspended)
            suspended.throw(Raised())

        with pytrace.recording(self.trace):
            self.interrupt(lambda: throw(False), Raised)
            self.interrupt(lambda: throw(True), Raised)
        self.assert_level(42)

    def test_trace_function_raises_at_the_entry_of_a_function(self):
        def trace(frame, event, argument):
            if frame.f_code is plain.__code__:
                raise Raised

        def traced():
            before = sys.gettrace()
            sys.settrace(trace)
            try:
                plain(1)
            finally:
                sys.settrace(before)

        with pytrace.recording(self.trace):
            self.interrupt(traced, Raised)
        self.assert_level(21)

    def test_threads_begin_and_end_without_an_audit_hook_being_asked(self):
        # Such a hook lets other threads run while the recorder visits them all.
        program = self.write(
            "program.py",
            """
import sys, threading
asked = []
sys.addaudithook(lambda event, arguments: asked.append(event) if event == "sys.setprofile" else None)
sys.setswitchinterval(1e-6)
for _ in range(20):
    threads = [threading.Thread(target=int) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(asked)
""",
        )
        self.assert_succeeded(self.record(program), "[]\n")

    def test_debugger_that_wants_instructions_before_it_traces(self):
        program = self.write(
            "program.py",
            """
import sys
def trace(frame, event, argument):
    print(event, frame.f_lineno)
    return trace
def stop_here():
    frame = sys._getframe().f_back
    frame.f_trace = trace
    frame.f_trace_lines = frame.f_trace_opcodes = True
    sys.settrace(trace)
def program():
    stop_here()
    return 1
program()
sys.settrace(None)
""",
        )
        self.assert_succeeded(self.record(program), self.run_python(program).stdout.decode())

    def test_child_of_a_fork_has_a_frame_for_every_leave(self):
        os.register_at_fork(after_in_child=checkpoint)  # comes before the return of the call that forked
        with pytrace.recording(self.trace):
            child = os.fork()
            if child == 0:
                plain(1)
                os._exit(0)
            self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(len(self.depths("plain")), 1)
        self.assertEqual(len(self.depths("checkpoint")), 1)

    def test_addresses_of_code_are_used_again(self):
        with pytrace.recording(self.trace):
            for i in range(500):
                namespace = {}
                exec("def named_%d(): pass" % i, namespace)
                namespace["named_%d" % i]()
                del namespace
        names = [record["name"] for record in dump(self.trace) if record["kind"] == "start" and record["name"].startswith("named_")]
        self.assertEqual(names, ["named_%d" % i for i in range(500)])

    @unittest.skipIf(sys.version_info >= (3, 12), "from 3.12 on nothing is attached to code")
    def test_who_else_attaches_data_to_code_is_not_asked_to_free_what_is_not_theirs(self):
        freed = []
        free = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(freed.append)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(free))  # the interpreter keeps it for ever
        ctypes.pythonapi._PyEval_RequestCodeExtraIndex(free)
        with pytrace.recording(self.trace):
            exec("def short_lived(): pass\nshort_lived()", {})
        self.assertEqual([record["kind"] for record in dump(self.trace) if record["name"] == "short_lived"], ["start", "return"])
        self.assertEqual(freed, [])

    def test_same_source_again_is_the_same_function(self):
        with pytrace.recording(self.trace):
            for _ in range(300):
                exec("def again(): pass\nagain()", {})
        self.assertLess(os.path.getsize(self.trace), 300 * 60)
        self.assertEqual(len(self.depths("again")), 300)


if __name__ == "__main__":
    unittest.main()
