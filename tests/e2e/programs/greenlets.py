"""What greenlets can do to a stack: each function here is a program of its own."""

import gc
import threading

from greenlet import GreenletExit, getcurrent, greenlet


def deep(depth, action):
    return action() if depth == 0 else deep(depth - 1, action)


def ping_pong():
    """Three with deep stacks that take turns."""

    def turns(depth, other):
        for _ in range(20):
            deep(depth, lambda: players[other].switch())

    players = [getcurrent()]
    players += [greenlet(lambda d=depth, o=other: turns(d, o)) for depth, other in ((3, 2), (30, 3), (300, 1))]
    players[1].switch()
    for player in players[1:]:
        while not player.dead:
            player.switch()


def generators():
    """Switches out of generators, and into others."""

    def numbers(n):
        for i in range(n):
            home.switch(i)
            yield i

    def consume(n):
        return sum(numbers(n))

    home = getcurrent()
    players = [greenlet(consume) for _ in range(4)]
    for player in players:
        player.switch(5)
    while players:
        players = [player for player in players if not player.dead]
        for player in players:
            player.switch()


def callbacks():
    """Switches while C functions wait for their callbacks."""

    def key(item):
        home.switch(item)
        return -item

    def order(items):
        home.switch(sorted(items, key=key))

    home = getcurrent()
    one, other = greenlet(order), greenlet(order)
    one.switch([3, 1, 2])
    other.switch([5, 4])
    for _ in range(3):
        one.switch()
        other.switch()


def exceptions():
    """Exceptions thrown into greenlets, and out of them into their parents."""

    def wait(n):
        try:
            home.switch()
        except KeyError:
            deep(n, home.switch)
            raise

    def fail():
        deep(3, lambda: 1 / 0)

    home = getcurrent()
    for n in range(5):
        player = greenlet(wait)
        player.switch(n)
        player.throw(KeyError("thrown"))
        try:
            player.switch()
        except KeyError:
            pass
        try:
            greenlet(fail).switch()
        except ZeroDivisionError:
            pass
        greenlet(wait).throw(GreenletExit)


def killed():
    """Greenlets that die because nobody knows them any more: by reference count, and by a collection."""

    def wait(depth):
        try:
            deep(depth, home.switch)
        finally:
            deep(2, int)

    def hold_itself():
        me = [getcurrent()]
        wait(len(me))

    home = getcurrent()
    for depth in range(10):
        player = greenlet(wait)
        player.switch(depth)
        del player
        greenlet(hold_itself).switch()
        gc.collect()


def many():
    """Ten thousand that live at the same time, and as many one after another."""

    def wait():
        deep(2, home.switch)

    home = getcurrent()
    players = [greenlet(wait) for _ in range(10000)]
    for player in players:
        player.switch()
    for player in players[::3]:
        player.switch()
    for _ in range(10000):
        greenlet(int).switch()
    for player in players:
        if not player.dead:
            player.switch()


def family():
    """Greenlets whose parents are greenlets."""

    def child(n):
        if n > 0:
            greenlet(child).switch(n - 1)
        getcurrent().parent.switch(n)
        return n

    first = greenlet(child)
    first.switch(20)
    while not first.dead:
        first.switch()


def threads():
    """Greenlets of several threads, which take turns too."""

    def work(number):
        home = getcurrent()

        def player(depth):
            for _ in range(50):
                deep(depth + number, home.switch)

        players = [greenlet(player) for _ in range(5)]
        for depth, one in enumerate(players):
            one.switch(depth)
        while not players[-1].dead:
            for one in players:
                if not one.dead:
                    one.switch()

    workers = [threading.Thread(target=work, args=(number,), name="worker %d" % number) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


SCENARIOS = [ping_pong, generators, callbacks, exceptions, killed, many, family, threads]
