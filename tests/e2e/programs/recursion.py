"""Recursion: direct, mutual, through C, and deeper than the interpreter allows."""

import functools
import sys


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def is_even(n):
    return n == 0 or is_odd(n - 1)


def is_odd(n):
    return n != 0 and is_even(n - 1)


def ackermann(m, n):
    if m == 0:
        return n + 1
    return ackermann(m - 1, 1 if n == 0 else ackermann(m, n - 1))


def depth(tree):
    return 1 + max(map(depth, tree), default=0)


@functools.lru_cache(maxsize=None)
def cached(n):
    return n if n < 2 else cached(n - 1) + cached(n - 2)


class Node:
    def __init__(self, level):
        self.children = [Node(level - 1) for _ in range(2)] if level else []

    def __repr__(self):
        return "Node(%r)" % self.children

    def __eq__(self, other):
        return self.children == other.children


def bottomless(n):
    return bottomless(n + 1)


def main():
    try:
        bottomless(0)
    except RecursionError:
        pass
    sys.setrecursionlimit(3000)
    tree = []
    for _ in range(50):
        tree = [tree, []]
    return fibonacci(15), is_even(200), ackermann(2, 4), depth(tree), cached(60), len(repr(Node(5))), Node(4) == Node(4)
