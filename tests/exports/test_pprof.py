"""pprof: read by `go tool pprof` and by DataDog's pprof-format, and compared with `top` and `tree`."""
import re
import subprocess
import unittest

import exports

CHOICES = [("--no-collapse",), ("--hide", "run|odd"), ("--focus", "len|area"), ("-r", "20%~70%")]


class PprofFormat(exports.TestCase):
    def setUp(self):
        super().setUp()
        self.require("node/complete")

    def load(self, trace, *options):
        path = self.here / "profile.pb.gz"
        path.write_bytes(exports.export("pprof", trace, *options))
        return exports.consume("pprof", path)

    def samples(self, profile):
        """[path, {label: number}, calls, ns] of each sample."""
        strings = profile["stringTable"]
        names = {function["id"]: strings[function["name"]] for function in profile["function"]}
        places = {location["id"]: names[location["line"][0]["functionId"]] for location in profile["location"]}
        for sample in profile["sample"]:
            labels = {strings[label["key"]]: label["num"] for label in sample["label"]}
            yield (tuple(places[place] for place in reversed(sample["locationId"])), labels, *sample["value"])

    def check(self, trace, *options):
        profile = self.load(trace, *options)
        strings = profile["stringTable"]
        self.assertEqual(strings[0], "")
        self.assertEqual([(strings[kind["type"]], strings[kind["unit"]]) for kind in profile["sampleType"]],
                         [("calls", "count"), ("time", "nanoseconds")])
        calls, times = {}, {}
        for path, _, count, ns in self.samples(profile):
            calls[path] = calls.get(path, 0) + count
            times[path] = times.get(path, 0) + ns
        wanted_calls, wanted_times = exports.paths(exports.tree(trace, *options))
        self.assertEqual({path: count for path, count in calls.items() if count}, wanted_calls)
        self.assertEqual({path: ns for path, ns in times.items() if ns}, wanted_times)

    def test_every_path_has_the_calls_and_the_time_of_the_tree(self):
        self.on_each_trace(self.check, *CHOICES)

    def test_functions_have_their_places(self):
        def check(trace):
            profile = self.load(trace)
            strings = profile["stringTable"]
            wanted = {(exports.shown(node), exports.escaped(node["file"]), node["line"]) for node in exports.tree(trace) if node["self_ns"]}
            found = {(strings[one["name"]], strings[one["filename"]], one["startLine"]) for one in profile["function"]}
            self.assertEqual(wanted - found, set())

        self.on_each_trace(check)

    def test_processes_and_threads_are_labels(self):
        trace = exports.VECTORS / "good-fork.bin"
        for by, key in (("process", "pid"), ("thread", "tid")):
            wanted = exports.sums((node[key], node["total_ns"]) for node in exports.tree(trace, "--by", by) if node["kind"] == by)
            found = exports.sums((labels[by], ns) for _, labels, _, ns in self.samples(self.load(trace, "--by", by)))
            self.assertEqual(found, wanted)

    def test_losses_are_told(self):
        profile = self.load(exports.VECTORS / "bad-lost.bin")
        self.assertIn("1,234 events were lost", [profile["stringTable"][comment] for comment in profile["comment"]])


class GoPprof(exports.TestCase):
    def setUp(self):
        super().setUp()
        self.require("go/complete")

    def rows(self, path, index):
        """{function: [flat, cumulated]}"""
        text = subprocess.run([exports.CONSUMERS / "go" / "pprof", "-top", "-nodecount=0", "-nodefraction=0", "-edgefraction=0", "-unit=ns",
                               "-symbolize=none", "-sample_index=" + index, path],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True, timeout=60).stdout.decode()
        found = {}
        for line in text.splitlines():
            row = re.match(r" *(\d+)(?:ns)? +[\d.]+% +[\d.]+% +(\d+)(?:ns)? +[\d.]+%  (.*)$", line)
            if row:
                old = found.setdefault(row[3], [0, 0])
                found[row[3]] = [old[0] + int(row[1]), old[1] + int(row[2])]
        return found

    def check(self, trace, *options):
        path = self.here / "profile.pb.gz"
        path.write_bytes(exports.export("pprof", trace, *options))
        functions = exports.top(trace, *options)
        if not any(function["self_ns"] for function in functions):
            return
        times, calls = self.rows(path, "time"), self.rows(path, "calls")
        for name, own in exports.sums((exports.shown(function), function["self_ns"]) for function in functions).items():
            self.assertLess(abs(times[name][0] - own), 100, name)  # rounded once for each path
        for name, count in exports.sums((exports.shown(function), function["calls"]) for function in functions).items():
            self.assertEqual(calls[name][0], count, name)
        if "--no-collapse" not in options:  # else what folds into an outer call is not below those between
            return
        once = exports.sums((exports.shown(function), 1) for function in functions)
        for function in functions:
            name = exports.shown(function)
            if once[name] == 1 and function["total_ns"]:
                self.assertLess(abs(times[name][1] - function["total_ns"]), 500, name)

    def test_flat_and_cumulated_figures_are_self_and_total_of_top(self):
        self.on_each_trace(self.check, *CHOICES)


if __name__ == "__main__":
    unittest.main()
