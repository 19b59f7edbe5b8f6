"""One thread, and two at the same time, that call the same functions, bare or recorded. Prints a line of JSON: what two threads did
in the time of one, and in its processor time.

    parallel.py TOOL PLACE       with PYTHONPATH holding the pytrace package
"""

import json
import os
import sys
import threading
import time

import contenders

CALLS = 2_000_000


def work():
    def leaf(n):
        return n

    for n in range(CALLS):
        leaf(n)


def run_threads(count, processor_s):
    """Seconds from the moment that all are there until all have done their work."""
    ready = threading.Barrier(count + 1)

    def run():
        ready.wait()
        start = time.thread_time()
        work()
        processor_s.append(time.thread_time() - start)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    ready.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def measure(tool, place, count):
    processor_s = []
    os.mkdir(place)
    begin, end = contenders.TOOLS[tool]([], place)
    begin()
    wall_s = run_threads(count, processor_s)
    end()
    return wall_s, sum(processor_s) / count


def main():
    tool, place = sys.argv[1:]
    work()
    one_wall_s, one_processor_s = measure(tool, place + ".1", 1)
    two_wall_s, two_processor_s = measure(tool, place + ".2", 2)
    print(json.dumps({"in_time": 2 * one_wall_s / two_wall_s, "in_processor_time": 2 * one_processor_s / two_processor_s}))


if __name__ == "__main__":
    main()
