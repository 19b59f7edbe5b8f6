"""Runs a scenario of greenlets.py, recorded and watched by the interpreter's own hook, and logs what that saw.

    judge_greenlets.py SCENARIO LOG TRACE

LOG gets, for each thread by its name, the events in order: [number of the greenlet by first appearance, kind, function]. From 3.12 on the hook
is sys.setprofile, which sees C functions too; before, pytrace itself needs that, and it is sys.settrace.
"""

import collections
import json
import sys
import threading
import weakref

import greenlets
import pytrace
from greenlet import getcurrent

name, log_path, trace_path = sys.argv[1:]
events = collections.defaultdict(list)
numbers = collections.defaultdict(weakref.WeakKeyDictionary)
counts = collections.Counter()
C_FUNCTIONS = ("switch", "throw", "sorted", "sum")


def log(kind, function):
    thread = threading.current_thread().name
    known = numbers[thread]
    number = known.get(getcurrent())
    if number is None:
        number = known[getcurrent()] = counts[thread]
        counts[thread] += 1
    events[thread].append([number, kind, function])


def on_profile(frame, kind, argument):
    if kind in ("call", "return"):
        if frame.f_code.co_filename == greenlets.__file__:
            log(kind, frame.f_code.co_name)
    elif argument.__name__ in C_FUNCTIONS:
        log("call" if kind == "c_call" else "return", argument.__name__)


def on_trace(frame, kind, argument):
    if frame.f_code.co_filename != greenlets.__file__:
        return None
    if kind in ("call", "return"):
        log(kind, frame.f_code.co_name)
    return on_trace


scenario = getattr(greenlets, name)
pytrace.start(trace_path)
if sys.version_info >= (3, 12):
    threading.setprofile(on_profile)
    sys.setprofile(on_profile)
    scenario()
    sys.setprofile(None)
else:
    threading.settrace(on_trace)
    sys.settrace(on_trace)
    scenario()
    sys.settrace(None)
pytrace.stop()
with open(log_path, "w") as file:
    json.dump(events, file)
