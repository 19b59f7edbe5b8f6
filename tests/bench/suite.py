"""The programs of pyperformance, as functions to be called in this process: pyperf, which would time them in workers of its own, is
given a stand-in.

    suite.load("chaos")     a list of Program(name, run); run(loops) does the program's work so many times

install.py makes a virtual environment with all that they need.

The process that loads one belongs to it: it becomes __main__.
"""

import asyncio
import collections
import os
import sys
import types

# name: (directory, options)
PROGRAMS = {
    "richards": ("richards", []),
    "deltablue": ("deltablue", []),
    "raytrace": ("raytrace", []),
    "hexiom": ("hexiom", ["--level", "10"]),
    "chaos": ("chaos", ["--iterations", "1000"]),
    "go": ("go", []),
    "nqueens": ("nqueens", []),
    "generators": ("generators", []),
    "coroutines": ("coroutines", []),
    "async_generators": ("async_generators", []),
    "async_tree": ("async_tree", ["none"]),
    "deepcopy": ("deepcopy", []),
    "comprehensions": ("comprehensions", []),
    "logging": ("logging", ["format"]),
    "pickle_pure_python": ("pickle", ["pickle", "--pure-python"]),
    "pprint": ("pprint", []),
    "pyflate": ("pyflate", []),
    "regex_compile": ("regex_compile", []),
    "typing_runtime_protocols": ("typing_runtime_protocols", []),
    "xml_etree": ("xml_etree", ["process"]),
    "chameleon": ("chameleon", []),
    "django_template": ("django_template", []),
    "docutils": ("docutils", []),
    "genshi_xml": ("genshi", ["xml"]),
    "html5lib": ("html5lib", []),
    "mako": ("mako", []),
    "sqlalchemy_declarative": ("sqlalchemy_declarative", []),
    "sqlglot_optimize": ("sqlglot_v2", ["optimize"]),
    "sympy_sum": ("sympy", ["sum"]),
    "tornado_http": ("tornado_http", []),
}

# Those that `make bench` measures: much object code, much text, generators, coroutines, a server, large libraries.
MEASURED = """
    richards deltablue raytrace hexiom chaos go generators deepcopy django_template pyflate logging html5lib chameleon regex_compile
    coroutines sympy_sum sqlalchemy_declarative sqlglot_optimize tornado_http docutils
""".split()

# Some that begin quickly.
QUICK = "richards deltablue chaos go generators deepcopy django_template pyflate logging html5lib coroutines sqlglot_optimize".split()

Program = collections.namedtuple("Program", "name run")


class Runner:
    """What programs use of pyperf.Runner."""

    programs = []

    def __init__(self, *args, metadata=None, **kwargs):
        import argparse

        self.metadata = {} if metadata is None else metadata
        self.argparser = argparse.ArgumentParser()
        self.args = None

    def parse_args(self, args=None):
        self.args = self.argparser.parse_args(args)
        return self.args

    def bench_time_func(self, name, function, *args, **kwargs):
        self.programs.append(Program(name, lambda loops: function(loops, *args)))

    def bench_func(self, name, function, *args, **kwargs):
        def run(loops):
            for _ in range(loops):
                function(*args)

        self.programs.append(Program(name, run))

    def bench_async_func(self, name, function, *args, loop_factory=None, **kwargs):
        async def main(loops):
            for _ in range(loops):
                await function(*args)

        def run(loops):
            if loop_factory is None:
                asyncio.run(main(loops))
            else:
                with asyncio.Runner(loop_factory=loop_factory) as runner:
                    runner.run(main(loops))

        self.programs.append(Program(name, run))


def directory_of(program, package=None):
    if package is None:
        import pyperformance as package
    return os.path.join(os.path.dirname(package.__file__), "data-files", "benchmarks", "bm_" + PROGRAMS[program][0])


def load(program):
    """Raises ImportError if the program, or something that it needs, is not installed."""
    import pyperf

    path = os.path.join(directory_of(program), "run_benchmark.py")
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec")
    pyperf.Runner = Runner
    Runner.programs = []
    sys.argv = [path, *PROGRAMS[program][1]]
    sys.path.insert(0, os.path.dirname(path))
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    module.__file__ = path
    exec(code, module.__dict__)
    return Runner.programs
