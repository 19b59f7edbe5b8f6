"""What the tests of exports share: traces, and what our own reports say of them.

CMake sets PYTRACE_ANALYZE to the analyzer, PYTRACE_CONSUMERS to where other people's tools were installed (scripts/export-consumers),
and, if there is a recorder, PYTRACE_RECORDED to the trace of program.py, PYTRACE_PYTHON to the interpreter.
"""
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ANALYZE = os.environ["PYTRACE_ANALYZE"]
CONSUMERS = pathlib.Path(os.environ["PYTRACE_CONSUMERS"])
PYTHON = os.environ.get("PYTRACE_PYTHON")
RECORDED = os.environ.get("PYTRACE_RECORDED")
VECTORS = pathlib.Path(__file__).resolve().parent.parent / "vectors"
UNRECORDED = "(not recorded)"
SUSPENDED = "(suspended)"
LEFT_OUT = "(left out)"
LOSSY = ["bad-lost", "bad-gap", "bad-no-end", "bad-first-chunk-missing", "bad-half"]


def traces():
    found = sorted(VECTORS.glob("good-*.bin")) + [VECTORS / (name + ".bin") for name in LOSSY]
    if RECORDED:
        found.append(pathlib.Path(RECORDED))
    return found


def consume(tool, path):
    """What a tool that runs in node reads in a file; see consume.js."""
    script = pathlib.Path(__file__).with_name("consume.js")
    return json.loads(subprocess.run(["node", script, CONSUMERS / "node" / "node_modules", tool, path],
                                     stdout=subprocess.PIPE, timeout=120, check=True).stdout)


def run(*arguments, check=True):
    done = subprocess.run([ANALYZE, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    if check and done.returncode:
        raise AssertionError("pytrace-analyze %s: %s" % (" ".join(map(str, arguments)), done.stderr.decode()))
    return done


def export(name, trace, *options):
    return run("export", name, trace, "--quiet", *options).stdout


def report(command, trace, *options):
    return json.loads(run(command, trace, "--quiet", "--format", "json", *options).stdout)


def top(trace, *options):
    return report("top", trace, "--top", "0", *options)["functions"]


def tree(trace, *options):
    return report("tree", trace, *options)["nodes"]


def escaped(name):
    """A text as our tables have it."""
    return "".join("\\x%02x" % ord(c) if ord(c) < 32 or c == "\x7f" else c for c in name).replace("\ufffd", "\\xff")


def shown(function):
    """A function of `top` or `tree` as our tables name it."""
    if function["kind"] == "c":
        module = function["module"] + "." if function["module"] not in ("", "builtins") else ""
        return "{%s%s}" % (module, escaped(function["name"]))
    module = escaped(function["module"]) + ":" if function["module"] else ""
    return module + escaped(function["name"]) or "?"


def paths(nodes):
    """{path: calls} and {path: self time} by the tree, with time that is nobody's below the function that was on top."""
    calls, times = collections.Counter(), collections.Counter()
    children = sums((node["parent"], node["total_ns"]) for node in nodes)
    found = {}
    for node in nodes:
        grouped = node["kind"] in ("thread", "process")
        name = "%s %d" % (node["kind"], node.get("tid", node.get("pid"))) if grouped else shown(node)
        path = found[node["id"]] = found.get(node["parent"], ()) + (name,)
        calls[path] += 0 if grouped else node["calls"]
        times[path] += node["self_ns"]
        times[path + (UNRECORDED,)] += node["total_ns"] - node["self_ns"] - children.get(node["id"], 0)
    return ({path: number for path, number in one.items() if number} for one in (calls, times))


class Spans:
    """Sums up what begins and ends on a track, and fails where that is not nested or time goes back."""

    def __init__(self):
        self.stack = []
        self.last = 0
        self.begins, self.own, self.total = (collections.Counter() for _ in range(3))

    def pass_to(self, ns):
        assert ns >= self.last, "time goes back"
        if self.stack:
            self.own[self.stack[-1]] += ns - self.last
        if self.stack and self.stack[-1] not in (LEFT_OUT, SUSPENDED):
            for name in set(self.stack):
                self.total[name] += ns - self.last
        self.last = ns

    def begin(self, name, ns):
        self.pass_to(ns)
        self.stack.append(name)
        self.begins[name] += 1

    def end(self, name, ns):
        """`name` may be None: whatever is open."""
        self.pass_to(ns)
        top = self.stack.pop()
        assert name is None or name == top, (name, top)


def opened(trace, *options):
    """The functions that may have begun without a call: their frames were open at the start, or when a forked child began."""
    if trace.stem in LOSSY or "-r" in options:
        return set(map(shown, top(trace, *options)))
    lines = map(json.loads, run("dump", trace, "--format", "json", "-q").stdout.splitlines())
    names = {(line["module"], line["name"]) for line in lines if line["kind"] == "open"}
    return {shown(function) for function in top(trace) if (function["module"], function["name"]) in names}


def sums(pairs):
    """{key: sum of its values}, without zeros."""
    total = collections.Counter()
    for key, value in pairs:
        total[key] += value
    return {key: value for key, value in total.items() if value}


class TestCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="pytrace-exports-")
        self.addCleanup(self.directory.cleanup)
        self.here = pathlib.Path(self.directory.name)

    def require(self, *paths):
        """Skips the test where one of these is not among the installed tools."""
        for path in paths:
            if not (CONSUMERS / path).exists():
                self.skipTest("there is no %s" % (CONSUMERS / path))

    def use_packages(self):
        """Makes Python packages of other people importable."""
        self.require("python/complete")
        sys.path.insert(0, str(CONSUMERS / "python"))

    def compare_spans(self, tracks, functions, uncounted=()):
        """What begins and ends on all tracks, against `top`; of functions that are `uncounted` there may be more than calls. Moments are rounded one by one, sums as a whole."""
        begins, own, total = (sum((getattr(track, name) for track in tracks), collections.Counter()) for name in ("begins", "own", "total"))
        self.assertEqual([track.stack for track in tracks if track.stack], [])
        once = collections.Counter(map(shown, functions))  # of several functions of one name, one may call another
        for figure, found in (("self_ns", own), ("total_ns", total)):
            for name, ns in sums((shown(function), function[figure]) for function in functions if once[shown(function)] == 1).items():
                self.assertLessEqual(abs(found[name] - ns), 2 + begins[name] + ns / 1000, (figure, name))
        wanted = sums((shown(function), function["calls"]) for function in functions)
        found = {name: count for name, count in begins.items() if name not in (UNRECORDED, SUSPENDED, LEFT_OUT)}
        for name in {shown(function) for function in functions}:
            self.assertGreaterEqual(found[name], wanted.get(name, 0), name)
        counted = set(wanted) - set(uncounted)
        self.assertEqual({name: found[name] for name in counted}, {name: wanted[name] for name in counted})
        self.assertEqual(set(found), {shown(function) for function in functions})

    def on_each_trace(self, check, *choices):
        """Calls it with every trace, and with every choice of options the telling ones; a failure names both."""
        for trace in traces():
            telling = trace.stem in ("good-complete", "good-switch", "bad-lost", "exports-recorded")
            for options in [(), *(choices if telling else ())]:
                with self.subTest(trace=trace.name, options=" ".join(options)):
                    check(trace, *options)
