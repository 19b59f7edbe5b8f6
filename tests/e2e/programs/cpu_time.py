"""Records itself, with the path as argument, by the CPU time of its threads; prints as JSON what it measured of that itself.

Spans are [least, most] of what the trace may tell: the clock is read inside the function, and around its call.
"""

import json
import sys
import threading
import time

import pytrace

SPANS = {}


def timed(function):
    def around():
        start = time.thread_time_ns()
        inner = function()
        SPANS[function.__name__] = [inner, time.thread_time_ns() - start]

    return around


def burn():
    start = time.thread_time_ns()
    total = 0
    for n in range(1_000_000):
        total += n
    return time.thread_time_ns() - start


def sleep():
    start = time.thread_time_ns()
    time.sleep(0.5)
    return time.thread_time_ns() - start


def burn_beside():
    return burn()


def sleep_and_burn():
    start = time.thread_time_ns()
    for _ in range(5):
        time.sleep(0.1)
        len("x")
    return time.thread_time_ns() - start


entered = None
busy = threading.Event()


def never_returns():
    global entered
    entered = time.thread_time_ns()
    busy.set()
    while True:
        pass


process_start = time.process_time_ns()
pytrace.start(sys.argv[1], clock="cpu")
beside = [threading.Thread(target=timed(function)) for function in (burn_beside, sleep_and_burn)]
for thread in beside:
    thread.start()
timed(burn)()
timed(sleep)()
for thread in beside:
    thread.join()

forever = threading.Thread(target=never_returns, daemon=True)
forever.start()
busy.wait()
forever_clock = time.pthread_getcpuclockid(forever.ident)
time.sleep(0.3)
least = time.clock_gettime_ns(forever_clock) - entered
pytrace.stop()
SPANS["never_returns"] = [least, time.clock_gettime_ns(forever_clock)]

print(json.dumps({"spans": SPANS, "process": time.process_time_ns() - process_start}), flush=True)
