"""Python called from C, and C called from Python in its many shapes: builtins, methods, types, slots, partials, descriptors."""

import bisect
import collections
import functools
import heapq
import itertools
import json
import operator
import re
import types


class Card:
    def __init__(self, rank):
        self.rank = rank

    def __lt__(self, other):
        return self.rank < other.rank

    def __hash__(self):
        return hash(self.rank)

    def __eq__(self, other):
        return self.rank == other.rank

    def __bool__(self):
        return self.rank > 3

    def __getattr__(self, name):
        return name

    def __len__(self):
        return self.rank

    def __iter__(self):
        return iter(range(self.rank))


def by_length(word):
    return len(word)


def compare(a, b):
    return (a > b) - (a < b)


def add(a, b):
    return a + b


class Missing(dict):
    def __missing__(self, key):
        self[key] = key * 2
        return self[key]

    def setdefault(self, key, default=None):
        return super().setdefault(key, default)


def main():
    words = "the quick brown fox jumps over the lazy dog".split()
    out = [sorted(words, key=by_length), sorted(words, key=functools.cmp_to_key(compare)), max(words, key=len), min(words, key=lambda w: w[-1])]
    words.sort(key=str.upper)
    out += [list(map(by_length, words)), list(filter(None, map(Card, range(6)))), functools.reduce(add, range(20))]
    cards = [Card(n * 7 % 10) for n in range(10)]
    heapq.heapify(cards)
    out += [[heapq.heappop(cards).rank for _ in range(5)], sorted(cards)[0].rank, {Card(1), Card(1)}, Card(2) in [Card(1), Card(2)]]
    out += [Card(3).unknown, len(Card(4)), [*Card(3)], bisect.bisect([1, 2, 3], 2), Missing()["x"], Missing().setdefault(1, 2), collections.Counter("abracadabra").most_common(1)]
    out += [re.sub(r"\w+", lambda m: m.group().title(), "some words here"), json.dumps({"a": [1, {"b": None}]}, default=str), json.loads("[1, 2]", parse_int=float)]
    out += [str.join("-", words), list.append([], 1), "x".join(map(str, range(3))), dict.fromkeys("ab"), int.from_bytes(b"ab", "big"), bytes.fromhex("ff")]
    out += [functools.partial(add, 1)(2), operator.itemgetter(1)([1, 2]), operator.methodcaller("upper")("x"), operator.attrgetter("rank")(Card(1))]
    out += [list(itertools.starmap(add, [(1, 2), (3, 4)])), list(itertools.accumulate(range(5), add)), [k for k, _ in itertools.groupby(words, by_length)]]
    bound, unbound = words.append, list.append
    bound("x"), unbound(words, "y"), [].append(1), super(Card, Card(1)).__init__(), type("T", (), {"f": by_length}), print(end="", *words, file=Null())
    out += [isinstance(1, int), issubclass(bool, int), callable(len), type(1)("2"), object.__new__(Card) is None, "{:>{w}}".format("x", w=3), f"{Card(1).rank:>4}"]
    out += [renamed("<one>")("x"), renamed("<other>")("y"), renamed("<other>")("z")]
    return str(out).count("Card")


def renamed(name):
    """A template engine does so: what it compiles is called <module> otherwise."""
    return types.FunctionType(by_length.__code__.replace(co_name=name), globals())


class Null:
    def write(self, text):
        return len(text)
