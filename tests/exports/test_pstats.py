"""pstats: opened by the standard library's pstats, by gprof2dot and by snakeviz, and compared with `top`; for a program that cProfile
watched, with cProfile."""
import pathlib
import pstats
import re
import subprocess
import unittest

import exports

CHOICES = [("--hide", "run|odd"), ("--focus", "len|area"), ("-r", "20%~70%"), ("--pid", "1"), ("--ignore", "depth")]


def key(function):
    """What pstats calls a function of `top`."""
    found = re.fullmatch(r"(.*):(\d+)\((.*)\)", function["label"], re.DOTALL)
    return (found[1], int(found[2]), found[3]) if found and function["kind"] == "py" else ("~", 0, function["label"])


def expected(functions):
    """{key: [calls, primitive, self, total]}; two functions of `top` may be one of pstats, of which the total is not the sum."""
    found = {}
    for function in functions:
        old = found.get(key(function), [0, 0, 0, 0])
        new = [function[figure] for figure in ("calls", "primitive", "self_ns", "total_ns")]
        found[key(function)] = [a + b for a, b in zip(old, new)]
    return found


class Pstats(exports.TestCase):
    def load(self, trace, *options):
        path = self.here / "stats"
        path.write_bytes(exports.export("pstats", trace, *options))
        return pstats.Stats(str(path)) if path.read_bytes() != b"{0" else None

    def compare(self, stats, functions):
        found = {}
        for name, (primitive, calls, self_s, total_s, callers) in stats.stats.items():
            found[name] = [calls, primitive, round(self_s * 1e9), round(total_s * 1e9)]
        found.pop(("~", 0, exports.UNRECORDED), None)
        wanted = expected(functions)
        self.assertEqual(set(found), set(wanted))
        for name, figures in wanted.items():
            self.assertEqual(found[name][:2], figures[:2], name)
            for is_now, was in zip(found[name][2:], figures[2:]):
                self.assertLess(abs(is_now - was), 100, name)  # rounded once for each caller

    def test_functions_have_the_figures_of_top(self):
        def check(trace, *options):
            stats = self.load(trace, *options)
            functions = exports.top(trace, *options)
            if stats is None:
                self.assertEqual(functions, [])
            else:
                self.compare(stats, functions)

        self.on_each_trace(check, *CHOICES)

    def test_only_python_functions_fold_the_others_into_their_callers(self):
        def check(trace, *options):
            stats = self.load(trace, "--py", *options)
            if stats:
                self.compare(stats, exports.top(trace, "--hide", r"^\{", *options))

        self.on_each_trace(check, ("-r", "20%~70%"))

    def test_callers_add_up_to_their_functions(self):
        def check(trace, *options):
            stats = self.load(trace, *options)
            for name, (_, calls, self_s, _, callers) in (stats.stats if stats else {}).items():
                if callers and sum(nc for nc, _, _, _ in callers.values()) == calls:  # else some calls began a stack
                    self.assertAlmostEqual(sum(tt for _, _, tt, _ in callers.values()), self_s, delta=1e-7, msg=name)
                self.assertLessEqual(sum(nc for nc, _, _, _ in callers.values()), calls)
                for caller, (nc, cc, tt, ct) in callers.items():
                    self.assertIn(caller, stats.stats)
                    self.assertLessEqual(cc, nc)
                    self.assertLessEqual(tt, ct + 1e-8)

        self.on_each_trace(check, *CHOICES)

    def test_the_total_time_of_the_profile_is_all_self_time(self):
        def check(trace, *options):
            stats = self.load(trace)
            if stats:
                self.assertAlmostEqual(stats.total_tt, sum(row[2] for row in stats.stats.values()))
                stats.sort_stats("cumulative").strip_dirs()  # what a user does first
                stats.calc_callees()

        self.on_each_trace(check)


@unittest.skipUnless(exports.RECORDED, "there is no recorder")
class CProfile(exports.TestCase):
    def test_counts_of_functions_and_callers_are_those_of_cprofile(self):
        program = str(pathlib.Path(__file__).with_name("program.py"))

        def own(stats):
            """{function of the program: its counts and those of its callers}"""
            inside = {name for name in stats if name[0] == program and name[2] != "<module>" or name[0] == "~" and "{" not in name[2]}
            return {
                name: (primitive, calls, {caller: counts[:2] for caller, counts in callers.items() if caller[0] == program})
                for name, (primitive, calls, _, _, callers) in stats.items()
                if name in inside and any(caller[0] == program for caller in callers)
            }

        subprocess.run([exports.PYTHON, "-m", "cProfile", "-o", self.here / "theirs", program, "alone"], check=True)
        subprocess.run([exports.PYTHON, "-m", "pytrace", "record", "-o", self.here / "trace.bin", program, "alone"], check=True)
        exports.run("export", "pstats", self.here / "trace.bin", "-o", self.here / "ours")
        theirs, ours = (own(pstats.Stats(str(self.here / name)).stats) for name in ("theirs", "ours"))
        self.assertGreater(len(ours), 10)
        self.assertEqual({name for name in theirs if name[0] == program}, {name for name in ours if name[0] == program})
        for name in ours:
            if name[0] == program:
                self.assertEqual(ours[name], theirs[name], name)


class Others(exports.TestCase):
    def test_gprof2dot_reads_it(self):
        self.use_packages()
        import gprof2dot

        def check(trace, *options):
            path = self.here / "stats"
            path.write_bytes(exports.export("pstats", trace))
            stats = exports.top(trace)
            if path.read_bytes() == b"{0" or not any(function["calls"] for function in stats):
                return
            profile = gprof2dot.PstatsParser(str(path)).parse()
            calls = sum(function.called for function in profile.functions.values() if exports.UNRECORDED not in function.name)
            self.assertEqual(calls, sum(function["calls"] for function in stats))

        self.on_each_trace(check)

    def test_snakeviz_reads_it(self):
        self.use_packages()
        import snakeviz.stats

        def check(trace, *options):
            path = self.here / "stats"
            path.write_bytes(exports.export("pstats", trace))
            if path.read_bytes() == b"{0":
                return
            rows = snakeviz.stats.table_rows(pstats.Stats(str(path)))
            self.assertEqual(len(rows), len(pstats.Stats(str(path)).stats))
            self.assertTrue(snakeviz.stats.json_stats(pstats.Stats(str(path))))

        self.on_each_trace(check)


if __name__ == "__main__":
    unittest.main()
