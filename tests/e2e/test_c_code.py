"""What only C code does: threads that the interpreter did not start, functions whose tables are made at run time. No compiler is
needed: ctypes calls the same functions of the interpreter."""

import re
import sys
import unittest

from e2e import TestCase, analyze, calls

# A thread that pthread_create starts has no thread state but for the time of the call into Python.
FOREIGN_THREADS = """
import ctypes, os
libc = ctypes.CDLL(None)
def leaf(): pass
def body(argument):
    for _ in range(100): leaf()
    return 0
callback = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(body)
for _ in range(20):
    thread = ctypes.c_ulong()
    assert libc.pthread_create(ctypes.byref(thread), None, callback, None) == 0
    libc.pthread_join(thread, None)
"""

# As pybind11 does: the table is on the heap, and belongs to a capsule, which is the function's `self`. Memory that has become free is used
# for the next one.
HEAP_TABLES = """
import ctypes
api = ctypes.pythonapi
class MethodDef(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("function", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p)]
FUNCTION = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.c_void_p)
implementation = FUNCTION(lambda self, unused: None)
api.PyCFunction_NewEx.restype = api.PyCapsule_New.restype = ctypes.py_object
api.PyCFunction_NewEx.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
api.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
tables, free = {}, []
@ctypes.PYFUNCTYPE(None, ctypes.c_void_p)
def destroy(capsule):
    free.append(places.pop(capsule))
places = {}
def make(name):
    table = free.pop() if free else MethodDef()
    table.name, table.flags = name, 0x0004  # METH_NOARGS
    table.function = ctypes.cast(implementation, ctypes.c_void_p).value
    capsule = api.PyCapsule_New(ctypes.addressof(table), None, ctypes.cast(destroy, ctypes.c_void_p))
    places[id(capsule)] = table
    return api.PyCFunction_NewEx(ctypes.addressof(table), capsule, None)
names = [b"heap_%d" % i for i in range(500)]
for name in names:
    function = make(name)
    for _ in range(int(name[5:]) % 3 + 1): function()
    del function
"""

SUBINTERPRETER = """
import importlib
for name in "_interpreters", "_xxsubinterpreters":
    try:
        interpreters = importlib.import_module(name)
        break
    except ImportError: pass
def leaf(): pass
leaf()
interpreter = interpreters.create()
interpreters.run_string(interpreter, "def leaf(): pass\\nfor _ in range(7): leaf()")
interpreters.destroy(interpreter)
leaf()
"""


class CCode(TestCase):
    def recorded(self, program, *options):
        self.assert_succeeded(self.record("-c", program, options=options), "")

    def test_threads_that_c_code_starts(self):
        self.recorded(FOREIGN_THREADS)
        leaves = calls(self.trace)["<string>:4(leaf)"]
        (process,) = analyze("info", self.trace)["recordings"][0]["processes"]
        late = any("found late" in note for note in process["notes"])
        if sys.version_info >= (3, 12):
            self.assertEqual((leaves, late), (2000, False))
        else:
            # Each is a new thread to the interpreter, and may be over before anybody notices it; the trace says so.
            self.assertLess(leaves, 2000)
            self.assertTrue(late)

    def test_functions_whose_tables_are_made_at_run_time(self):
        self.recorded(HEAP_TABLES)
        counted = {label: count for label, count in calls(self.trace).items() if "heap_" in label}
        number = {int(re.search(r"heap_(\d+)", label)[1]): count for label, count in counted.items()}
        self.assertEqual(number, {i: i % 3 + 1 for i in range(500)})

    def test_calls_of_a_subinterpreter_are_not_recorded(self):
        self.recorded(SUBINTERPRETER)
        self.assertEqual(calls(self.trace)["<string>:8(leaf)"], 2)
        self.assertNotIn("<string>:1(leaf)", calls(self.trace))


if __name__ == "__main__":
    unittest.main()
