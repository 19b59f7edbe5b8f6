"""Threads that end inside the window: plain ones, a pool, a timer, threads started by threads. The work is the same in every run."""

import queue
import threading
from concurrent.futures import ThreadPoolExecutor


def leaf(n):
    return len(str(n))


def work(n):
    return sum(leaf(i) for i in range(n))


def recursive(n):
    return 1 if n == 0 else recursive(n - 1) + leaf(n)


def nested(results):
    first = threading.Thread(target=lambda: results.append(recursive(5)))
    second = threading.Thread(target=lambda: results.append(recursive(5)))
    first.start()
    second.start()
    first.join()
    second.join()


def consume(source, results):
    while True:
        item = source.get()
        if item is None:
            return
        results.append(work(item))


def main():
    results = []
    threads = []
    for _ in range(3):
        threads.append(threading.Thread(target=nested, args=(results,)))
    threads.append(threading.Timer(0.001, work, (7,)))
    items = queue.Queue()
    threads.append(threading.Thread(target=consume, args=(items, results)))
    for thread in threads:
        thread.start()
    for n in range(20):
        items.put(n)
    items.put(None)
    with ThreadPoolExecutor(3) as pool:
        results += pool.map(work, range(20))
    for thread in threads:
        thread.join()
    return sum(results)


# What every run calls how often, whoever of the threads does it.
CALLS = {
    "leaf": 2 * sum(range(20)) + 7 + 6 * 5,
    "work": 41,
    "recursive": 6 * 6,
    "nested": 3,
    "consume": 1,
    "<lambda>": 6,
    "main": 1,
    "<genexpr>": 2 * sum(range(20)) + 7 + 41,
}
