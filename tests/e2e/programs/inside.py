"""Functions whose lines, instructions and exceptions are compared with what sys.settrace is told. Each test function is `test_…`.

inside.py log FILE [opcodes]  writes down what sys.settrace tells of the second of two rounds, as JSON
inside.py run                 the same two rounds, for the recorder
"""
import asyncio
import contextlib
import json
import sys


# --- Loops and expressions --------------------------------------------------------------------------------------------


def test_loops():
    total = 0
    for i in range(3):
        total += i
    while total > 1:
        total -= 1
    else:
        total = -total
    for i in range(2): total += i
    while total < 1: total += 1
    for i in range(5):
        if i == 1:
            continue
        if i == 3:
            break
    else:
        total = 0
    for i in (): pass
    return total


def test_expressions():
    a = [1,
         2,
         3]
    b = (a[0]
         if len(a) > 5
         else a[1])
    c = {"x": a,
         "y": b}
    d = sum(
        x
        for x in a
        if x
    )
    e = max(a,
            key=lambda x:
            -x)
    f = a and b and \
        c and d
    assert e, \
        "never"
    g = [x for x in a]; h = {x: y for x in a for y in a if x < y}
    k = [[y
          for y in range(x)]
         for x in a]
    del a, b
    return f"{c}{d}" f"{e}", f, g, h, k


def test_documentation_alone():
    """There is nothing else."""


def test_constants():
    if 0:
        pass
    if __debug__:
        x = 1
    while 1:
        break
    return x


def default(value, more=len(
        "default")):
    return value + more


def decorator(label):
    def decorate(function):
        def wrapped(*arguments):
            return function(*arguments)
        return wrapped
    return decorate


def test_definitions():
    @decorator("a")
    @decorator(
        "b")
    def inner(x,
              y=default(1)):
        return x + y

    class Thing:
        kind = "thing"

        def __init__(self): self.x = 1

        @property
        def double(self):
            return self.x * 2

    return inner(1), Thing().double, (lambda: 1)(), (lambda x:
                                                     x)(2)


def test_recursion(n=4):
    if n == 0:
        return 0
    return 1 + test_recursion(n - 1)


def test_executed():
    space = {"__name__": __name__}
    exec(compile("def f(x):\n    y = x\n    return y\nresult = [f(i) for i in range(3)]\n", __file__, "exec"), space)
    return space["result"], eval(compile("1 +\\\n 2", __file__, "eval"))


# --- Exceptions -------------------------------------------------------------------------------------------------------


class Wrong(Exception):
    pass


def raises(what, n=0):
    if n:
        raises(what, n - 1)
    raise what


def test_caught():
    try:
        raises(Wrong, 2)
    except Wrong:
        x = 1
    try:
        1 / 0
    except (ValueError,
            ZeroDivisionError) as error:
        x = error
    try:
        [].pop()
    except IndexError: pass
    try:
        {}["missing"]
    except ValueError:
        x = 2
    except KeyError:
        x = 3
    else:
        x = 4
    finally:
        y = x
    try:
        x.nothing
    except AttributeError:
        return y


def cleans_up():
    try:
        raises(Wrong)
    finally:
        len("clean")


def test_finally():
    try:
        cleans_up()
    except Wrong:
        pass
    for i in range(3):
        try:
            if i == 1:
                continue
        finally:
            len("each")
    try:
        return 1
    finally:
        len("last")


def test_again():
    try:
        try:
            raises(KeyError("k"))
        except KeyError:
            raise
    except KeyError:
        pass
    try:
        try:
            raises(KeyError)
        except KeyError as error:
            raise Wrong from error
    except Wrong as error:
        kept = error
    try:
        raise kept
    except Wrong:
        pass
    try:
        try:
            raises(Wrong)
        finally:
            raises(ValueError)
    except ValueError:
        pass


def test_through_c():
    try:
        sorted([2, 1], key=raises)
    except TypeError:
        pass
    try:
        list(map(lambda x: 1 / x, [1, 0]))
    except ZeroDivisionError:
        pass
    return getattr(None, "missing", 1), hasattr(None, "missing")


def test_signatures():
    try:
        raises()
    except TypeError:
        pass
    try:
        int("x")
    except ValueError:
        pass


# --- Context managers -------------------------------------------------------------------------------------------------


class Manager:
    def __init__(self, swallow):
        self.swallow = swallow

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return self.swallow


@contextlib.contextmanager
def managed():
    try:
        yield 1
    except Wrong:
        len("managed")


def test_with():
    with Manager(True) as a, \
            Manager(False) as b:
        x = a, b
    with Manager(True):
        raises(Wrong)
    try:
        with Manager(False):
            raises(Wrong)
    except Wrong:
        pass
    with managed() as y:
        raises(Wrong)
    for i in range(2):
        with Manager(False):
            if i:
                break
    with Manager(False):
        return x, y


# --- Generators -------------------------------------------------------------------------------------------------------


def numbers(n):
    for i in range(n):
        yield i
    return "end"


def delegates():
    got = yield from numbers(2)
    try:
        yield got
    except Wrong:
        yield 7
    finally:
        len("done")


class Countdown:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return self.n


def test_generators():
    for x in numbers(2):
        len("x")
    for x in Countdown(2): len("y")
    a, b = numbers(2)
    c = list(numbers(3)), [*numbers(1)]
    generator = delegates()
    next(generator), next(generator), next(generator)
    generator.throw(Wrong)
    generator.close()
    started = delegates()
    next(started)
    started.close()
    sent = numbers(1)
    sent.send(None)
    try:
        next(sent)
    except StopIteration as stop:
        d = stop.value
    try:
        next(Countdown(0))
    except StopIteration:
        pass
    return a, b, c, d, sum(x for x in numbers(3)), (x
                                                    for x in numbers(1))


# --- Coroutines -------------------------------------------------------------------------------------------------------


async def waits(n):
    await asyncio.sleep(0)
    if n:
        return await waits(n - 1)
    return n


async def ticks(n):
    for i in range(n):
        yield i
        await asyncio.sleep(0)


class AsyncManager:
    async def __aenter__(self):
        await asyncio.sleep(0)

    async def __aexit__(self, *error):
        await asyncio.sleep(0)


async def coroutine():
    x = await waits(2)
    async for y in ticks(2):
        x += y
    z = [y async for y in ticks(2)]
    try:
        async with AsyncManager():
            raises(Wrong)
    except Wrong:
        pass
    async def fails():
        await asyncio.sleep(0)
        raises(Wrong)
    done = await asyncio.gather(waits(1), fails(), return_exceptions=True)
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.001)
    except asyncio.TimeoutError:
        pass
    return x, z, len(done)


def test_coroutines():
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine())
    finally:
        loop.close()


# --- Two rounds -------------------------------------------------------------------------------------------------------

if sys.version_info >= (3, 10):
    from inside_match import *  # noqa: F403


def one_round():
    for name, function in sorted(globals().items()):
        if name.startswith("test_"):
            function()


def log(path, opcodes):
    """Of what is below one_round in these files; of functions elsewhere nothing."""
    events = []
    files = {__file__, __file__.replace("inside.py", "inside_match.py")}

    def is_loops_end(frame, argument):
        """A StopIteration that ends a loop or an await: it has not come to the frame itself, nor does its traceback."""
        kind, _, traceback = argument
        return issubclass(kind, StopIteration) and (traceback is None or traceback.tb_frame is not frame)

    def trace(frame, event, argument):
        code = frame.f_code
        if code.co_filename not in files or code.co_name in ("trace", "is_loops_end"):
            return None
        frame.f_trace_opcodes = opcodes
        name = getattr(code, "co_qualname", code.co_name)
        if event == "exception":
            if not is_loops_end(frame, argument):
                kind = argument[0]
                module = "" if kind.__module__ == "builtins" else kind.__module__ + "."
                events.append([event, name, module + kind.__qualname__, frame.f_lineno])
        else:
            events.append([event, name, frame.f_lasti if event == "opcode" else frame.f_lineno])
        return trace

    for _ in range(2):  # on 3.12 instructions are told from the next sys.settrace on
        sys.settrace(trace)
        one_round()
        sys.settrace(None)
    with open(path, "w") as file:
        json.dump(events, file)


if __name__ == "__main__":
    if sys.argv[1] == "log":
        log(sys.argv[2], len(sys.argv) > 3)
    else:
        one_round()
        one_round()
