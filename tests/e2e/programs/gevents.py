"""gevent, with the standard library patched: greenlets in the guise of threads, a pool, queues. Counts its own calls."""

from gevent import monkey

monkey.patch_all()

import collections
import functools
import json
import queue
import sys
import threading
import time

import gevent
import gevent.pool

counts = collections.Counter()


def counted(function):
    name = function.__name__

    @functools.wraps(function)
    def wrapper(*arguments):
        counts[name] += 1
        return function(*arguments)

    return wrapper


@counted
def leaf(n):
    if n % 3 == 0:
        time.sleep(0)
    return n


@counted
def recursive(n):
    return leaf(n) if n == 0 else recursive(n - 1) + leaf(n)


@counted
def sleeper(n):
    for i in range(n):
        gevent.sleep(0.0001 * (i % 3))
        recursive(i % 7)


@counted
def produce(target, n):
    for i in range(n):
        target.put(leaf(i))
    target.put(None)


@counted
def consume(source):
    while source.get() is not None:
        leaf(1)


@counted
def fail(n):
    gevent.sleep(0)
    if n == 0:
        raise KeyError("on purpose")
    fail(n - 1)


@counted
def catch(n):
    try:
        fail(n)
    except KeyError:
        leaf(3)


@counted
def endless():
    while True:
        leaf(3)
        gevent.sleep(0.001)


def main():
    items = queue.Queue(3)
    threads = [threading.Thread(target=sleeper, args=(20,)) for _ in range(10)]
    threads += [threading.Thread(target=produce, args=(items, 50)), threading.Thread(target=consume, args=(items,))]
    for thread in threads:
        thread.start()
    greenlets = [gevent.spawn(sleeper, 10) for _ in range(30)] + [gevent.spawn(catch, n) for n in range(20)]
    killed = [gevent.spawn(endless) for _ in range(5)]
    gevent.joinall(greenlets)
    for thread in threads:
        thread.join()
    gevent.killall(killed)
    gevent.pool.Pool(4).map(recursive, range(20))


main()
with open(sys.argv[1], "w") as file:
    json.dump(counts, file)
