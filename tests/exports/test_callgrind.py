"""callgrind: read by callgrind_annotate and gprof2dot, and compared with `top`."""
import collections
import io
import re
import shutil
import subprocess
import unittest

import exports

CHOICES = [("--hide", "run|odd"), ("--focus", "len|area"), ("-r", "20%~70%")]
ROW = re.compile(r"^\s*([\d,]+) +(?:\([\d. ]+%\) +)?(\S.*)$")


def figures(trace, *options):
    """{file:name: [self, total]} by `top`."""
    found = collections.defaultdict(lambda: [0, 0])
    for function in exports.top(trace, *options):
        figure = found[(exports.escaped(function["file"]) or "???") + ":" + exports.shown(function)]
        figure[0] += function["self_ns"]
        figure[1] += function["total_ns"]
    return found


class Annotate(exports.TestCase):
    def setUp(self):
        super().setUp()
        if not shutil.which("callgrind_annotate"):
            self.skipTest("there is no callgrind_annotate")

    def annotate(self, path, inclusive):
        run = subprocess.run(["callgrind_annotate", "--threshold=100", "--auto=no", "--inclusive=" + inclusive, str(path)],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True, cwd=self.here, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"})
        self.assertEqual(run.stderr, b"")
        found = {}
        for line in run.stdout.decode().splitlines():
            row = ROW.match(line)
            if row:
                found[row[2]] = int(row[1].replace(",", ""))
        return found

    def check(self, trace, *options):
        path = self.here / "callgrind.out"
        path.write_bytes(exports.export("callgrind", trace, *options))
        wanted = figures(trace, *options)
        if not any(own for own, _ in wanted.values()):
            return
        for at, inclusive in enumerate(("no", "yes")):
            found = self.annotate(path, inclusive)
            missing = {name for name, times in wanted.items() if times[at] and name not in found}
            self.assertEqual(missing, set())
            for name, times in wanted.items():
                if times[at]:
                    self.assertLess(abs(found[name] - times[at]), 100, name)  # rounded once for each caller

    def test_self_and_inclusive_times_are_those_of_top(self):
        self.on_each_trace(self.check, *CHOICES)

    def test_the_tree_tells_the_callers(self):
        path = self.here / "callgrind.out"
        path.write_bytes(exports.export("callgrind", exports.VECTORS / "good-complete.bin"))
        text = subprocess.run(["callgrind_annotate", "--threshold=100", "--auto=no", "--tree=caller", str(path)],
                              stdout=subprocess.PIPE, check=True).stdout.decode()
        pairs = re.findall(r"^ *([\d,]+) \(.*?\)  < (\S+) \((\d+)x\) \[\]\n.*?\*  (\S+)$", text, re.MULTILINE)
        self.assertEqual(
            sorted(pairs),
            [
                ("10", "/srv/app.py:app:Worker.run", "1", "???:{len}"),
                ("128", "/srv/app.py:app:Worker.run", "1", "???:{list.append}"),
                ("224,029", "/srv/app.py:app:Worker.run", "2", "/srv/app.py:app:numbers"),
                ("225,242", "/srv/app.py:__main__:main", "1", "/srv/app.py:app:Worker.run"),
                ("225,309", "???:(thread)", "1", "/srv/app.py:__main__:main"),
            ],
        )


class Gprof2dot(exports.TestCase):
    def check(self, trace, *options):
        text = exports.export("callgrind", trace, *options).decode()
        functions = exports.top(trace, *options)
        if not functions:
            return
        import gprof2dot

        profile = gprof2dot.CallgrindParser(io.StringIO(text)).parse()
        calls = collections.Counter()
        for function in profile.functions.values():
            for call in function.calls.values():
                calls[profile.functions[call.callee_id].name] += call[gprof2dot.CALLS]
        wanted = exports.sums((exports.shown(function), function["calls"]) for function in functions)
        found = {name: count for name, count in calls.items() if name != exports.UNRECORDED}
        opened = exports.opened(trace, *options)
        for name, count in wanted.items():
            self.assertGreaterEqual(found[name], count, name)
            if name not in opened:
                self.assertEqual(found[name], count, name)

    def test_calls_are_those_of_top(self):
        self.use_packages()
        self.on_each_trace(self.check, *CHOICES)


if __name__ == "__main__":
    unittest.main()
