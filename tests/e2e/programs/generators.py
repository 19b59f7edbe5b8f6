"""Generators in all their ways: resumed, thrown into, closed, delegated to, left suspended."""


def count_to(n):
    for i in range(n):
        yield i


def echo():
    received = []
    while True:
        try:
            received.append((yield len(received)))
        except KeyError:
            received.append("caught")
        except GeneratorExit:
            return received


def delegate(n):
    first = yield from count_to(n)
    second = yield from (x * x for x in count_to(n))
    return first, second


def failing():
    yield 1
    raise ValueError("from a generator")


def walk(tree):
    for branch in tree:
        if isinstance(branch, list):
            yield from walk(branch)
        else:
            yield branch


def main():
    total = sum(count_to(100))
    generator = echo()
    next(generator)
    for word in "abc":
        generator.send(word)
    generator.throw(KeyError)
    generator.close()
    total += sum(delegate(20))
    try:
        for _ in failing():
            total += 1
    except ValueError:
        pass
    try:
        count_to(3).throw(ZeroDivisionError)  # before it has started
    except ZeroDivisionError:
        pass
    half_way = count_to(10)
    next(half_way)
    del half_way
    unpacked = [*walk([1, [2, [3, [4]]], [[5]]])]
    first, *rest = count_to(5)
    return total, unpacked, first, rest, any(x > 3 for x in count_to(9)), dict(zip("abc", count_to(3)))
