"""The standard library at real work: parsing, formatting, comparing, compiling, arithmetic in pure Python."""

import _pydecimal
import argparse
import ast
import configparser
import csv
import difflib
import fractions
import html.parser
import io
import logging
import pprint
import string
import textwrap
import tokenize

SOURCE = "def f(a, *b, c=1, **d):\n    return [x for x in b if x] + [lambda: c]\n" * 5


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.links = []

    def handle_starttag(self, tag, attributes):
        self.links += [value for name, value in attributes if name == "href"]


def parse():
    tree = ast.parse(SOURCE)
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    tokens = [token.string for token in tokenize.generate_tokens(io.StringIO(SOURCE).readline)]
    return len(names), len(tokens), ast.dump(tree) == ast.dump(ast.parse(SOURCE))


def compare():
    a, b = SOURCE.splitlines(), SOURCE.replace("lambda", "None or").splitlines()
    return list(difflib.unified_diff(a, b)), difflib.get_close_matches("appel", ["ape", "apple", "peach"])


def arithmetic():
    context = _pydecimal.Context(prec=40)
    third = context.divide(_pydecimal.Decimal(1), _pydecimal.Decimal(3))
    return third.sqrt(), sum(fractions.Fraction(1, n) for n in range(1, 12))


def text():
    parser = argparse.ArgumentParser(prog="x")
    parser.add_argument("--level", type=int, choices=range(5))
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args(["--level", "3", "a", "b"])
    config = configparser.ConfigParser()
    config.read_string("[a]\nb = %(c)s\nc = 1\n")
    page = Links()
    page.feed("<p><a href='x'>y</a><a href=z>" * 5)
    rows = list(csv.DictReader(io.StringIO("a,b\n1,2\n3,4\n")))
    stream = io.StringIO()
    logger = logging.Logger("x")
    logger.addHandler(logging.StreamHandler(stream))
    for n in range(5):
        logger.warning("number %d", n)
    return vars(arguments), config["a"]["b"], page.links, rows, stream.getvalue(), pprint.pformat({n: list(range(n)) for n in range(15)})


def main():
    return parse(), compare(), arithmetic(), text(), string.Template("$a $b").substitute(a=1, b=2), textwrap.wrap("word " * 50)
