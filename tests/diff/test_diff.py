"""pytrace-analyze diff, on recordings of which all calls and times are known.

    test_diff.py ANALYZER [unittest arguments]

PYTRACE_PAIRS=1000 compares so many pairs of equal programs (100 without it).
"""
import json
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

from synthetic import TICK_NS, VECTORS, Call, Function, flatten, write

ANALYZER = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "pytrace-analyze"
LEVEL = 0.05

MAIN, LOAD, STEADY, SLOWER, TWICE = (Function("app", name) for name in ("main", "load", "steady", "slower", "twice"))
LOOP, STEP, REMOVED, ADDED = (Function("app", name) for name in ("loop", "step", "gone.before", "Fresh.now"))
SORT = Function("builtins", "list.sort", kind="c")
OLD_HOME, NEW_HOME = (Function(module, "Cache.get", code="cache") for module in ("app.old", "app.new"))
OLD_NAME, NEW_NAME = (Function("app", name, code="rename") for name in ("before", "afterwards"))
COSTS = {MAIN: 2000, LOAD: 900, STEADY: 400, SLOWER: 300, TWICE: 250, LOOP: 100, STEP: 60, REMOVED: 150, ADDED: 180, SORT: 120,
         OLD_HOME: 140, NEW_HOME: 140, OLD_NAME: 160, NEW_NAME: 160}
ROUNDS = 200
LONGER = 123  # the round in which the loop of the new program goes on for one step more


def program(new, changes=("slower", "twice", "moved", "renamed", "removed", "added", "longer")):
    """The calls of the base, or of the new program with these changes."""
    def has(change):
        return new and change in changes

    rounds = []
    for i in range(ROUNDS):
        steps = 3 + i % 2 + (has("longer") and i == LONGER)
        rounds += [Call(LOAD, Call(SORT)), Call(STEADY), Call(STEADY), Call(SLOWER, Call(STEADY)), Call(TWICE)]
        rounds += [Call(TWICE)] * has("twice") + [Call(LOOP, *[Call(STEP)] * steps)]
        rounds += [Call(NEW_HOME if has("moved") else OLD_HOME), Call(NEW_NAME if has("renamed") else OLD_NAME)]
        rounds += [Call(REMOVED)] * (not has("removed") and i % 10 == 0) + [Call(ADDED)] * (has("added") and i % 20 == 0)
    return [Call(MAIN, *rounds)]


def exact(roots, costs=COSTS):
    return [costs[path[-1]] for root in roots for path in flatten(root)]


def noisy(roots, costs, noise, run=0.003, function=0.005, call=0.05, hiccup=0.002):
    """Times of a run: a run, a function in a run and a call are each off by a log-normal factor; one call of five hundred
    takes three times as long."""
    of_run = noise.gauss(0, run)
    of_function = {}
    times = []
    for root in roots:
        for path in flatten(root):
            f = path[-1]
            if f not in of_function:
                of_function[f] = noise.gauss(0, function)
            factor = math.exp(of_run + of_function[f] + noise.gauss(0, call)) * (3 if noise.random() < hiccup else 1)
            times.append(round(costs[f] * factor))
    return times


def binomial_bound(count, chance, doubt=0.001):
    """The most successes that are not in doubt."""
    below, k = 0.0, -1
    while below < 1 - doubt:
        k += 1
        below += math.exp(math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1) +
                          k * math.log(chance) + (count - k) * math.log1p(-chance))
    return k


class Comparison(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def trace(self, name, roots, times, **more):
        write(self.directory / name, roots, times, **more)
        return str(self.directory / name)

    def run_diff(self, *arguments, expect=0):
        run = subprocess.run([ANALYZER, "diff", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                             check=False)
        self.assertEqual(run.returncode, expect, run.stderr.decode() + run.stdout.decode())
        return run.stdout.decode(), run.stderr.decode()

    def diff(self, *arguments, expect=0):
        report = json.loads(self.run_diff(*arguments, "--format", "json", "-n", "0", expect=expect)[0])
        rows = report["paths" if "paths" in report else "functions"]
        for row in [*rows, report["total"]]:
            self.assertEqual(row["delta_ns"], row["calls_ns"] + row["speed_ns"], row)
            self.assertEqual(row["delta_ns"], row["new_self_ns"] - row["base_self_ns"], row)
        for key in ("delta_ns", "calls_ns", "speed_ns", "base_self_ns", "new_self_ns"):
            self.assertEqual(sum(row[key] for row in rows), report["total"][key], key)
        return report, {(row["module"], row["name"]): row for row in rows}

    def several(self, base, new, noise, count=5, **more):
        """So many runs a side, taking turns; the arguments that compare them."""
        sides = {"base": ["--base"], "new": ["--new"]}
        for i in range(count):
            for turn, (side, (roots, costs)) in enumerate((("base", base), ("new", new))):
                sides[side].append(self.trace(f"{side}{i}.bin", roots, noisy(roots, costs, noise, **more),
                                              started_ns=10**18 + (2 * i + turn) * 10**9))
        return sides["base"] + sides["new"]


class Exact(Comparison):
    def setUp(self):
        super().setUp()
        self.base, self.new = program(False), program(True)
        self.costs = {**COSTS, SLOWER: 315}
        self.traces = (self.trace("base.bin", self.base, exact(self.base)),
                       self.trace("new.bin", self.new, exact(self.new, self.costs)))

    def sums(self, roots, costs):
        """By (module, name): calls and nanoseconds."""
        sums = {}
        for root in roots:
            for path in flatten(root):
                calls, time = sums.get((path[-1].module, path[-1].name), (0, 0))
                sums[path[-1].module, path[-1].name] = calls + 1, time + costs[path[-1]] * TICK_NS
        return sums

    def test_counts_and_times_are_those_of_the_program(self):
        _, rows = self.diff(*self.traces)
        base, new = self.sums(self.base, COSTS), self.sums(self.new, self.costs)
        was = {("app.new", "Cache.get"): ("app.old", "Cache.get"), ("app", "afterwards"): ("app", "before")}
        for key, row in rows.items():
            with self.subTest(key):
                calls, time = base.get(was.get(key, key), (0, 0))
                new_calls, new_time = new.get(key, (0, 0))
                self.assertEqual((row["base_calls"], row["base_self_ns"]), (calls, time))
                self.assertEqual((row["new_calls"], row["new_self_ns"]), (new_calls, new_time))
                if calls:
                    self.assertEqual(row["calls_ns"], round((new_calls - calls) * time / calls))
        self.assertEqual(len(rows), len(set(base) | set(new)) - 2)

    def test_what_became_of_the_calls(self):
        _, rows = self.diff(*self.traces)
        changes = {"twice": "more", "gone.before": "removed", "Fresh.now": "new", "step": "more"}
        for (_, name), row in rows.items():
            self.assertEqual(row["calls"], changes.get(name, "same"), name)
        self.assertEqual(rows["app", "twice"]["new_calls"], 2 * rows["app", "twice"]["base_calls"])
        self.assertEqual(rows["app", "step"]["new_calls"], rows["app", "step"]["base_calls"] + 1)

    def test_moved_and_renamed_functions_are_found_by_their_code(self):
        _, rows = self.diff(*self.traces)
        moved, renamed = rows["app.new", "Cache.get"], rows["app", "afterwards"]
        self.assertEqual((moved["match"], moved["base_module"], moved["guess"]), ("moved", "app.old", False))
        self.assertEqual((renamed["match"], renamed["base_name"], renamed["guess"]), ("renamed", "before", False))
        self.assertEqual({row["match"] for key, row in rows.items() if row not in (moved, renamed)}, {"same"})

    def test_a_hand_decides(self):
        _, rows = self.diff(*self.traces, "--map", "app:gone.before=app:Fresh.now")
        row = rows["app", "Fresh.now"]
        self.assertEqual((row["match"], row["base_name"], row["calls"]), ("mapped", "gone.before", "fewer"))
        self.assertNotIn(("app", "gone.before"), rows)
        _, message = self.run_diff(*self.traces, "--map", "app:gone.befor=app:Fresh.now", expect=2)
        self.assertIn("did you mean app:gone.before?", message)

    def test_first_divergence_is_the_very_call(self):
        for changes in (("longer",), ("slower", "moved", "renamed", "longer"), ("added",), ("removed",), ("twice", "longer")):
            with self.subTest(changes):
                new = program(True, changes)
                trace = self.trace("other.bin", new, exact(new))
                (thread,) = self.diff(self.traces[0], trace)[0]["threads"]
                same = {NEW_HOME: OLD_HOME, NEW_NAME: OLD_NAME}
                old_calls = [path for root in self.base for path in flatten(root)]
                new_calls = [path for root in new for path in flatten(root)]
                at = next(i for i, (a, b) in enumerate(zip(old_calls, new_calls)) if a != tuple(same.get(f, f) for f in b))
                self.assertEqual((thread["course"], thread["same_calls"], thread["base_calls"]), ("differs", at, len(old_calls)))
                self.assertEqual([frame["name"] for frame in thread["base_path"]], [f.name for f in old_calls[at]])
                self.assertEqual([frame["name"] for frame in thread["new_path"]], [f.name for f in new_calls[at]])

    def test_the_same_program(self):
        trace = self.trace("other.bin", self.base, exact(self.base, {**COSTS, STEADY: 900}))
        report, _ = self.diff(self.traces[0], trace)
        self.assertTrue(report["structure"]["identical"])
        self.assertEqual([thread["course"] for thread in report["threads"]], ["same"])
        self.assertEqual(report["differences"], [])

    def test_the_end_of_the_calls_is_a_divergence(self):
        shorter = [Call(MAIN, *self.base[0].inner[:-3])]
        (thread,) = self.diff(self.traces[0], self.trace("other.bin", shorter, exact(shorter)))[0]["threads"]
        self.assertEqual((thread["course"], thread["same_calls"]), ("differs", len(list(flatten(shorter[0])))))
        self.assertIsNone(thread["new_path"])

    def test_paths(self):
        report, _ = self.diff(*self.traces, "--by", "path")
        rows = {row["id"]: row for row in report["paths"]}

        def names(row):
            return (*(names(rows[row["parent"]]) if row["parent"] else ()), row["name"])

        for key, roots in (("base_calls", self.base), ("new_calls", self.new)):
            calls = {}
            for root in roots:
                for path in flatten(root):
                    path = tuple({OLD_HOME: NEW_HOME, OLD_NAME: NEW_NAME}.get(f, f).name for f in path)
                    calls[path] = calls.get(path, 0) + 1
            self.assertEqual({names(row): row[key] for row in rows.values() if row[key]}, calls)
        self.assertEqual(report["structure"]["paths_changed"], 4)

    def test_csv_tells_the_same(self):
        lines = self.run_diff(*self.traces, "--format", "csv", "-n", "0")[0].splitlines()
        report, rows = self.diff(*self.traces)
        self.assertEqual(len(lines), len(rows) + 1)
        columns = lines[0].split(",")
        for line in lines[1:]:
            values = dict(zip(columns, line.split(",")))
            row = rows[values["module"], values["name"]]
            for key in ("base_calls", "new_calls", "delta_ns", "calls_ns", "speed_ns", "calls", "verdict"):
                self.assertEqual(values[key], str(row[key]))


class Trust(Comparison):
    """What must not be compared, or cannot be known."""

    def setUp(self):
        super().setUp()
        self.roots = program(False)
        self.times = exact(self.roots)
        self.base = self.trace("base.bin", self.roots, self.times)

    def test_other_settings_are_refused(self):
        for setting, value, reason in (("clock", "cpu", "clock"), ("c_calls", False, "C calls"), ("lines", "app", "lines"),
                                       ("exceptions", True, "exceptions"), ("python", "3.12.4", "interpreter"),
                                       ("hook", "profile", "hook"), ("machine", "aarch64", "machine")):
            with self.subTest(setting):
                other = self.trace("other.bin", self.roots, self.times, **{setting: value})
                _, message = self.run_diff(self.base, other, expect=2)
                self.assertIn(f"not comparable: {reason}", message)
                report, _ = self.diff(self.base, other, "--force")
                self.assertEqual(len(report["differences"]), 1)

    def test_small_differences_are_noted(self):
        for setting, value in (("clock", "monotonic"), ("python", "3.13.7"), ("host", "elsewhere"), ("program", "other.py")):
            other = self.trace("other.bin", self.roots, self.times, **{setting: value})
            report, _ = self.diff(self.base, other)
            self.assertEqual(len(report["differences"]), 1, setting)

    def test_where_events_were_lost_nothing_is_removed(self):
        lossy = self.trace("lossy.bin", self.roots, self.times, lose=2000)
        for traces, side in (((self.base, lossy), "new"), ((lossy, self.base), "base")):
            report, rows = self.diff(*traces)
            self.assertEqual({row["calls"] for row in rows.values()}, {"unknown"}, side)
            self.assertFalse(report["structure"]["identical"])
            self.assertEqual(report["structure"]["paths_changed"], 0)
            self.assertEqual(report["threads"][0]["course"], "unknown")
            screen, _ = self.run_diff(*traces, "-q")
            self.assertLess(screen.index("2,000 lost"), screen.index("unknown"))
        self.assertGreater(report["threads"][0]["same_calls"], 1000)

    def test_more_calls_than_a_loss_can_hide(self):
        more = program(True, ("twice",))
        lossy = self.trace("lossy.bin", more, exact(more), lose=100)
        _, rows = self.diff(self.base, lossy)
        self.assertEqual(rows["app", "twice"]["calls"], "more")
        _, rows = self.diff(lossy, self.base)
        self.assertEqual(rows["app", "twice"]["calls"], "fewer")


class Damage(Comparison):
    """Every vector, good or bad, as base and as new, alone and among others."""

    def test_no_file_can_break_it(self):
        good = str(VECTORS / "good-fork.bin")
        for vector in sorted(map(str, VECTORS.glob("*.bin"))):
            for arguments in ([vector, good], [good, vector, "--by", "path"], ["--base", vector, good, "--new", good, vector, good, vector]):
                run = subprocess.run([ANALYZER, "diff", *arguments, "--force", "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                     timeout=120, check=False)
                with self.subTest(arguments):
                    self.assertIn(run.returncode, (0, 2), run.stderr.decode())
                    self.assertEqual(run.returncode == 2, not run.stdout)


class Verdicts(Comparison):
    def test_each_change_is_called_by_its_name(self):
        for seed in range(3):
            noise = random.Random(seed)
            traces = self.several((program(False), COSTS), (program(True), {**COSTS, SLOWER: 315}), noise)
            report, rows = self.diff(*traces)
            with self.subTest(seed):
                self.assertEqual(rows["app", "slower"]["verdict"], "slower")
                self.assertAlmostEqual(rows["app", "slower"]["speed"], 0.05, delta=0.03)
                self.assertEqual({key[1] for key, row in rows.items() if row["verdict"] in ("slower", "faster")}, {"slower"})
                self.assertEqual(rows["app", "steady"]["verdict"], "unchanged")
                changes = {"twice": "more", "gone.before": "removed", "Fresh.now": "new", "step": "more"}
                for (_, name), row in rows.items():
                    self.assertEqual(row["calls"], changes.get(name, "same"), name)
                self.assertEqual(rows["app", "Fresh.now"]["verdict"], "none")
                self.assertGreater(rows["app", "twice"]["calls_ns"], 0.8 * ROUNDS * COSTS[TWICE] * TICK_NS)
                self.assertLess(abs(rows["app", "twice"]["speed_ns"]), 0.2 * rows["app", "twice"]["calls_ns"])

    def test_a_build_may_fail(self):
        traces = self.several((program(False), COSTS), (program(True, ("twice",)), {**COSTS, SLOWER: 315}), random.Random(0))
        for condition, fails in (("slower", 1), ("slower>3%", 1), ("slower>20%", 0), ("slower>1us", 1), ("slower>1s", 0), ("total>4%", 1),
                                 ("total>50%", 0), ("calls", 1), ("slower>20%,calls", 1), ("slower>20%,total>1s", 0)):
            with self.subTest(condition):
                report, _ = self.diff(*traces, "--fail-on", condition, expect=fails)
                self.assertEqual(bool(report["failed"]), bool(fails))
        for nonsense in ("", "slow", "slower>", "slower>x", "calls>5%", "slower>5%,,calls"):
            with self.subTest(nonsense):
                self.assertIn("--fail-on", self.run_diff(*traces, "--fail-on", nonsense, expect=2)[1])

    def test_one_trace_a_side_tells_great_changes_only(self):
        """Single runs that are as a whole off by 20 % and more."""
        costs = {**COSTS, SLOWER: 6 * COSTS[SLOWER], STEP: COSTS[STEP] // 6, STEADY: round(1.3 * COSTS[STEADY])}
        for seed in range(5):
            traces = self.several((program(False), COSTS), (program(False), costs), random.Random(seed), count=1, run=0.2)
            _, rows = self.diff(*traces)
            verdicts = {name: row["verdict"] for (_, name), row in rows.items()}
            self.assertEqual({name: verdicts.pop(name) for name in ("slower", "step")}, {"slower": "slower", "step": "faster"})
            self.assertEqual(set(verdicts.values()), {"can't tell"})

    def test_one_call_that_waited_is_no_change(self):
        roots = program(False)
        for longest in (10, 50_000):
            times = exact(roots)
            for at in random.Random(1).sample(range(len(times)), 3):
                times[at] *= longest
            _, rows = self.diff(self.trace("a.bin", roots, exact(roots)), self.trace("b.bin", roots, times))
            self.assertEqual({row["verdict"] for row in rows.values()}, {"can't tell"})

    def test_faster_is_not_slower(self):
        traces = self.several((program(False), COSTS), (program(False), {**COSTS, STEADY: 380}), random.Random(7))
        _, rows = self.diff(*traces)
        self.assertEqual(rows["app", "steady"]["verdict"], "faster")
        self.assertLess(rows["app", "steady"]["speed_ns"], 0)

    def test_too_much_noise_is_said_with_what_would_have_been_seen(self):
        traces = self.several((program(False), COSTS), (program(False), {**COSTS, SLOWER: 315}), random.Random(5), function=0.15)
        _, rows = self.diff(*traces)
        self.assertEqual(rows["app", "slower"]["verdict"], "can't tell")
        self.assertGreater(rows["app", "slower"]["visible"], 0.05)
        self.assertGreater(rows["app", "slower"]["visible_ns"], 0.05 * rows["app", "slower"]["base_self_ns"])

    def test_what_is_visible_would_have_been_seen(self):
        """A function that is slower by half as much again as what is said to be visible is seen to be."""
        base = (program(False), COSTS)
        _, rows = self.diff(*self.several(base, base, random.Random(11)))
        visible = rows["app", "slower"]["visible"]
        slower = {**COSTS, SLOWER: COSTS[SLOWER] * (1 + 1.5 * visible)}
        _, rows = self.diff(*self.several(base, (program(False), slower), random.Random(11)))
        self.assertEqual(rows["app", "slower"]["verdict"], "slower")

    def test_counts_that_vary_are_not_changes(self):
        noise = random.Random(3)
        sides = {"--base": [], "--new": []}
        for i in range(4):
            for side, paths in sides.items():
                roots = program(False)
                roots[0].inner += tuple([Call(STEADY)] * (i % 2))
                paths.append(self.trace(f"{side}{i}.bin", roots, noisy(roots, COSTS, noise)))
        _, rows = self.diff("--base", *sides["--base"], "--new", *sides["--new"])
        self.assertEqual(rows["app", "steady"]["calls"], "varies")
        self.assertEqual(rows["app", "load"]["calls"], "same")

    def test_one_side_after_the_other_is_noted(self):
        roots = program(False)
        traces = [self.trace(f"{i}.bin", roots, exact(roots), started_ns=10**18 + i) for i in range(4)]
        report, _ = self.diff("--base", *traces[:2], "--new", *traces[2:])
        self.assertIn("drift", report["differences"][0])
        report, _ = self.diff("--base", traces[0], traces[2], "--new", traces[1], traces[3])
        self.assertEqual(report["differences"], [])

    def test_equal_programs_are_rarely_called_different(self):
        """Of many comparisons of a program with itself, at most the stated share has any slower or faster at all."""
        pairs = int(os.environ.get("PYTRACE_PAIRS", 100))
        functions = [Function("app", f"f{i}") for i in range(8)]
        costs = {f: 40 * 3 ** (i % 4) for i, f in enumerate(functions)} | {MAIN: 50}
        roots = [Call(MAIN, *[Call(f) for f in functions * 6])]
        noise = random.Random(20)
        wrong = 0
        for _ in range(pairs):
            traces = self.several((roots, costs), (roots, costs), noise, run=0.02, function=0.03, call=0.4, hiccup=0.05)
            report, rows = self.diff(*traces)
            wrong += any(row["verdict"] in ("slower", "faster") for row in [*rows.values(), report["total"]])
        print(f"{wrong} of {pairs} comparisons of equal programs call something slower or faster", file=sys.stderr)
        self.assertLessEqual(wrong, binomial_bound(pairs, LEVEL))


if __name__ == "__main__":
    unittest.main()
