"""chrome: trace events, by the rules of their format and as Firefox Profiler imports them, compared with `top`."""
import collections
import decimal
import json
import os
import re
import subprocess
import time
import unittest

import exports

CHOICES = [("--py",), ("--hide", "run|odd"), ("--focus", "len|area"), ("-r", "20%~70%"), ("--ignore", "depth|len"), ("--pid", "1")]


def tracks(file):
    """{(pid, tid): spans}"""
    found = collections.defaultdict(exports.Spans)
    for event in file["traceEvents"]:
        spans = found[event["pid"], event["tid"]]
        if event["ph"] in "BE":
            (spans.begin if event["ph"] == "B" else spans.end)(event["name"], int(event["ts"] * 1000))
        else:
            assert event["ph"] == "M", event
    return found


class Chrome(exports.TestCase):
    def load(self, trace, *options):
        return json.loads(exports.export("chrome", trace, *options), parse_float=decimal.Decimal)

    def test_counts_and_times_are_those_of_top(self):
        def check(trace, *options):
            wanted = ("--hide", r"^\{") if options == ("--py",) else options
            functions = exports.top(trace, *wanted)
            self.compare_spans(tracks(self.load(trace, *options)).values(), functions, exports.opened(trace, *options))

        self.on_each_trace(check, *CHOICES)

    def test_moments_are_those_of_the_trace_to_the_nanosecond(self):
        trace = exports.VECTORS / "good-complete.bin"
        lines = [json.loads(line) for line in exports.run("dump", trace, "--format", "json").stdout.splitlines()]
        found = [event["ts"] * 1000 for event in self.load(trace)["traceEvents"] if "ts" in event]
        self.assertEqual(found, [line["t_ns"] for line in lines])

    def test_processes_threads_and_greenlets_have_tracks_with_names(self):
        def names(trace):
            return {(event["pid"], event["tid"]): event["args"]["name"] for event in self.load(exports.VECTORS / trace)["traceEvents"]
                    if event["name"] == "thread_name"}

        self.assertEqual(names("good-fork.bin"), {(1, 1): "MainThread, tid 1", (2, 2): "tid 2"})
        self.assertEqual(sorted(names("good-switch.bin").values()),
                         ["MainThread, tid 1"] + ["MainThread, tid 1, greenlet %d" % number for number in (1, 2, 3)])

    def test_losses_are_told(self):
        self.assertIn("1,234 events were lost", self.load(exports.VECTORS / "bad-lost.bin")["otherData"]["notes"])


class Firefox(exports.TestCase):
    def setUp(self):
        super().setUp()
        self.require("node/complete")

    def ask(self, *words, check=True):
        script = exports.CONSUMERS / "node/node_modules/@firefox-devtools/profiler-cli/dist/profiler-cli.js"
        done = subprocess.run(["node", script, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                              env={"PATH": os.environ["PATH"], "HOME": str(self.here)})
        if check and done.returncode:
            raise AssertionError(done.stderr.decode())
        return done

    def test_it_imports_every_call_as_a_marker(self):
        trace = exports.VECTORS / "good-complete.bin"
        path = self.here / "trace.json"
        path.write_bytes(exports.export("chrome", trace))
        self.ask("load", str(path), check=False)  # it leaves before its daemon is ready
        self.addCleanup(self.ask, "stop", "--all", check=False)
        until = time.monotonic() + 60
        while self.ask("profile", "info", check=False).returncode and time.monotonic() < until:
            time.sleep(0.1)
        text = self.ask("thread", "markers").stdout.decode()
        found = {name: int(count) for name, count in re.findall(r"^  (\S+) +(\d+) markers ", text, re.MULTILINE)}
        found.pop("Other", None)
        wanted = collections.Counter()
        for function in exports.top(trace):
            wanted[exports.shown(function)] += max(function["calls"], 1)  # main was open already
        self.assertEqual(found, dict(wanted))


if __name__ == "__main__":
    unittest.main()
