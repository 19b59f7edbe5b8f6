"""The program that the kill campaign kills: every event it causes can be told in advance (see sequence.py).

    victim.py PROGRESS-FILE THREADS CHILDREN STORM

Each of its threads and forked children spells the natural numbers by calls, one *unit* a number, and notes in shared memory how
many units it has finished: all their events were published before. Word 0 of that memory asks everyone to stop, word 1 + n
belongs to worker n. In a storm each child spells STORM numbers and leaves by os._exit, and another takes its place.
"""

import mmap
import os
import sys
import threading
import time

STOP, FIRST = 0, 1
BURST = 400  # units between two pauses: more records than a small ring holds
PAUSE = 0.004  # seconds, for each worker: all of them together make about a million events a second
NAME_BASE = 1000


class Expected(Exception):
    pass


def d0(): pass
def d1(): pass
def d2(): pass
def d3(): pass
def d4(): pass
def d5(): pass
def d6(): pass
def d7(): pass
def d8(): pass
def d9(): pass


DIGITS = (d0, d1, d2, d3, d4, d5, d6, d7, d8, d9)


def spell(number):
    while number:
        number, digit = divmod(number, 10)
        DIGITS[digit]()


def pair():
    yield 1
    yield 2


def fail():
    raise Expected


def unit(number):
    spell(number)
    for _ in pair():
        pass
    try:
        fail()
    except Expected:
        pass


def work(worker, progress, limit, pause):
    spell(NAME_BASE + worker)  # says whose stream this is
    number = 0
    while not progress[STOP] and number != limit:
        number += 1
        unit(number)
        progress[FIRST + worker] = number
        if number % BURST == 0:
            time.sleep(pause)


def fork_worker(worker, progress, limit, pause):
    pid = os.fork()
    if pid == 0:
        work(worker, progress, limit, pause)
        os._exit(0)
    return pid


def main():
    threads, children, storm = int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    with open(sys.argv[1], "r+b") as file:
        progress = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")
    pause = PAUSE * (threads + children)
    alive = {fork_worker(threads + child, progress, storm or -1, pause) for child in range(children)}
    others = [threading.Thread(target=work, args=(worker, progress, -1, pause)) for worker in range(1, threads)]
    for thread in others:
        thread.start()
    if storm:
        born = threads + children
        while not progress[STOP] and FIRST + born < len(progress):
            alive.remove(os.wait()[0])
            alive.add(fork_worker(born, progress, storm, pause))
            born += 1
    else:
        work(0, progress, -1, pause)
    for thread in others:
        thread.join()
    for pid in alive:
        os.waitpid(pid, 0)


main()
