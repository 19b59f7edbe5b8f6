"""Frames that are left by exceptions, at every depth and through every kind of frame."""

import contextlib


class Refused(Exception):
    def __init__(self, *args):
        super().__init__(*args)
        self.depth = len(args)


def raise_at(depth):
    if depth == 0:
        raise Refused("bottom")
    try:
        raise_at(depth - 1)
    finally:
        len("cleanup")


def translate(depth):
    try:
        raise_at(depth)
    except Refused as error:
        raise LookupError(str(error)) from error


def through_c(values):
    return sorted(values, key=lambda value: int(value))


def in_comprehension(values):
    return [1 // value for value in values]


@contextlib.contextmanager
def swallowing(*kinds):
    try:
        yield
    except kinds:
        pass


class Manager:
    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        return kind is not None


def loop_over(n):
    for i in range(n):
        try:
            if i % 3 == 0:
                {}["missing"]
            elif i % 3 == 1:
                [].pop()
            else:
                return_early(i)
        except (KeyError, IndexError):
            continue
    return n


def return_early(i):
    try:
        raise Refused
    except Refused:
        return i
    finally:
        abs(-i)


def main():
    for depth in range(10):
        try:
            translate(depth)
        except LookupError as error:
            repr(error.__cause__)
    for values in ["1", "2"], ["1", "x"]:
        try:
            through_c(values)
        except ValueError:
            pass
    with swallowing(ZeroDivisionError):
        in_comprehension([1, 0])
    with Manager():
        raise_at(3)
    try:
        next(iter([]))
    except StopIteration:
        pass
    with contextlib.ExitStack() as stack:
        stack.callback(loop_over, 30)
        stack.enter_context(contextlib.suppress(TypeError))
        len(5)
    return getattr(object(), "nothing", None), hasattr(Manager, "__enter__")
