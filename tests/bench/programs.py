"""Programs beside those of suite.py: work by Python's own library, for machines without a package index, and small ones that stress one
thing each."""

import ast
import copy
import difflib
import io
import pathlib
import pprint
import string
import sysconfig
import textwrap
import tokenize
import xml.dom.minidom


def library_source(name):
    return pathlib.Path(sysconfig.get_path("stdlib"), name).read_text(encoding="utf-8")


LARGE_MODULES = ("argparse.py", "typing.py", "inspect.py", "tarfile.py", "pickle.py", "doctest.py")


def parse_and_unparse():
    for name in LARGE_MODULES:
        ast.unparse(ast.parse(library_source(name)))


def tokens():
    for name in LARGE_MODULES:
        for _ in tokenize.generate_tokens(io.StringIO(library_source(name)).readline):
            pass


def compare_texts():
    lines = library_source("argparse.py").splitlines()[:500]
    list(difflib.ndiff(lines, [line.replace("e", "E") for line in lines]))


def copy_and_print():
    rows = [{"number": n, "half": n / 2, "words": ["a", "b", str(n)], "even": n % 2 == 0} for n in range(10_000)]
    pprint.pformat(copy.deepcopy(rows))


def document():
    tree = xml.dom.minidom.parseString("<list>" + "<item kind='x'>text<b>more</b></item>" * 12_000 + "</list>")
    tree.toprettyxml()


def templates():
    template = string.Template("$name owes $amount to $other")
    for n in range(24_000):
        textwrap.shorten(template.substitute(name=n, amount=n * 2, other="someone"), 20)


def recursion():
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    fib(24)


def methods():
    class Counter:
        def __init__(self):
            self.count = 0

        def add(self):
            self.count += 1

    counter = Counter()
    for _ in range(100_000):
        counter.add()


def c_calls():
    items = []
    for n in range(100_000):
        items.append(abs(n))


def generator():
    def numbers():
        for n in range(100_000):
            yield n

    sum(n for n in numbers())


def exceptions():
    def fail():
        raise ValueError

    for _ in range(50_000):
        try:
            fail()
        except ValueError:
            pass


LIBRARY = ["parse_and_unparse", "tokens", "compare_texts", "copy_and_print", "document", "templates"]
MICRO = ["recursion", "methods", "c_calls", "generator", "exceptions"]
