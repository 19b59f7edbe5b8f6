"""A program with something of everything that is hard to export: recursion, generators, exceptions, threads, a forked child, frames
that are open at the end, and names that no format likes. With an argument: only what cProfile can watch."""
import os
import sys
import threading


def even(n):
    return True if n == 0 else odd(n - 1)


def odd(n):
    return False if n == 0 else even(n - 1)


def depth(n):
    return 1 if n == 0 else 1 + max(depth(n - 1), depth(n - 2) if n > 1 else 0)


def squares(n):
    for i in range(n):
        yield i * i


def fails(n):
    if n == 0:
        raise ValueError(n)
    try:
        fails(n - 1)
    except ValueError:
        if n < 3:
            raise


class Shape:
    def area(self):
        return sum(squares(20))

    def compare(self, other):
        return sorted([self, other], key=lambda shape: shape.area())


def strange(name):
    """A function of that name, which no source could give it."""
    def template():
        return len("x")
    return type(template)(template.__code__.replace(co_name=name, **({"co_qualname": name} if sys.version_info >= (3, 11) else {})), {})


def work(rounds):
    shape = Shape()
    for _ in range(rounds):
        even(10)
        depth(8)
        shape.compare(shape)
        try:
            fails(5)
        except ValueError:
            pass
    for name in ("semi;colon", "new\nline", 'quote"back\\slash', "tab\there", "na\u00efve \U0001F40D", "", "ends 12"):
        function = strange(name)
        for _ in range(rounds):
            function()


def main():
    threads = [threading.Thread(target=work, args=(20 * n,), name="worker %d" % n) for n in range(1, 4)]
    for thread in threads:
        thread.start()
    work(50)
    for thread in threads:
        thread.join()
    pid = os.fork()
    if pid == 0:
        work(10)
        os._exit(0)
    os.waitpid(pid, 0)
    sys.exit(0)


if sys.argv[1:]:
    work(5)
else:
    main()
