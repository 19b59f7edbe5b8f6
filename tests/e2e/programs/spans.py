"""Functions that sleep or spin and time themselves; prints {name: [span inside the function, span around its call]}."""

import functools
import json
import sys
import threading
import time

SPANS = {}


def timed(function):
    """The span around the call is taken by the caller, the one inside by the function."""

    @functools.wraps(function)
    def around(*args):
        start = time.perf_counter_ns()
        inner = function(*args)
        SPANS[function.__name__] = [inner, time.perf_counter_ns() - start]

    return around


@timed
def sleep_long():
    start = time.perf_counter_ns()
    time.sleep(0.3)
    return time.perf_counter_ns() - start


@timed
def sleep_short():
    start = time.perf_counter_ns()
    time.sleep(0.002)
    return time.perf_counter_ns() - start


@timed
def spin():
    start = time.perf_counter_ns()
    while time.perf_counter_ns() < start + 50_000_000:
        pass
    return time.perf_counter_ns() - start


@timed
def call_much():
    start = time.perf_counter_ns()
    for n in range(100_000):
        len("x")
    return time.perf_counter_ns() - start


@timed
def tiny():
    return time.perf_counter_ns() - time.perf_counter_ns()


@timed
def in_thread():
    start = time.perf_counter_ns()
    time.sleep(0.02)
    return time.perf_counter_ns() - start


def recurse(n):
    if n:
        recurse(n - 1)
    else:
        time.sleep(0.02)


@timed
def recursion():
    start = time.perf_counter_ns()
    recurse(50)
    return time.perf_counter_ns() - start


def generate():
    for _ in range(3):
        time.sleep(0.005)
        yield


@timed
def generator():
    start = time.perf_counter_ns()
    for _ in generate():
        time.sleep(0.002)
    return time.perf_counter_ns() - start


sleep_long()
sleep_short()
spin()
call_much()
tiny()
thread = threading.Thread(target=in_thread)
thread.start()
thread.join()
recursion()
generator()
json.dump(SPANS, sys.stdout)
