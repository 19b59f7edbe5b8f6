"""Sets a run of the benchmark beside an older one, and says what moved beyond the noise.

    compare.py OLD.json NEW.json        or a directory: the two that were saved last

What is compared are ratios to the bare program of the same round, as logarithms: what the machine did to all tools alike falls out. The
rounds' own spread, in both runs together, is the noise: a change counts if it is larger than 99 of 100 changes that come from such
noise alone (Student's t). The rounds of one run do not know what differs from one day to the next; to judge a change closely, let both
builds take turns in one run (pytrace@DIRECTORY, see scripts/bench).
"""

import glob
import json
import math
import os
import statistics
import sys

import summary

# Two-sided 99 % of Student's t, by degrees of freedom.
STUDENT = {1: 63.66, 2: 9.92, 3: 5.84, 4: 4.60, 5: 4.03, 6: 3.71, 7: 3.50, 8: 3.36, 10: 3.17, 12: 3.05, 16: 2.92, 20: 2.85, 30: 2.75}

# Figure: how it is had from a row, a tool and the key of the time, one value a round.
FIGURES = {
    "slowdown": summary.of_rounds,
    "CPU": lambda row, tool, key: summary.of_rounds(row, tool, "cpu_s"),
    "bytes/event": lambda row, tool, key: [run["bytes"] / run["events"] for run in row["runs"][tool] if run.get("events")],
    "stop": lambda row, tool, key: [run["stop_s"] for run in row["runs"][tool] if run["stop_s"] > 1e-4],
}


def quantile(freedom):
    return STUDENT[max(known for known in STUDENT if known <= freedom)]


class Change:
    """Of the mean logarithm, with its standard error and degrees of freedom; that of one round is not known."""

    def __init__(self, value, error, freedom):
        self.value, self.error, self.freedom = value, error, freedom

    @classmethod
    def of(cls, old, new):
        old, new = [list(map(math.log, values)) for values in (old, new)]
        freedom = len(old) + len(new) - 2
        value = statistics.fmean(new) - statistics.fmean(old)
        if freedom < 1:
            return cls(value, math.inf, 1)
        squares = sum((x - statistics.fmean(values)) ** 2 for values in (old, new) for x in values)
        return cls(value, math.sqrt(squares / freedom * (1 / len(old) + 1 / len(new))), freedom)

    @classmethod
    def mean(cls, changes):
        error = math.sqrt(sum(change.error**2 for change in changes)) / len(changes)
        return cls(statistics.fmean(change.value for change in changes), error, sum(change.freedom for change in changes))

    @property
    def noise(self):
        return quantile(self.freedom) * self.error

    @property
    def counts(self):
        return abs(self.value) > self.noise

    def __str__(self):
        noise = "%5.1f %%" % (100 * math.expm1(self.noise)) if self.noise < 1 else "    ?  "
        return "%+7.1f %% ± %s" % (100 * math.expm1(self.value), noise)


def load(path):
    """The run, and its rows by program."""
    with open(path) as file:
        run = json.load(file)
    if "recording" not in run:
        sys.exit("%s measured no recording" % path)
    return run, {row["program"]: row for row in run["recording"]["rows"]}


def compare(old, new, key):
    """{(tool, figure): {program: Change}} of what both have."""
    changes = {}
    for program in [program for program in new if program in old]:
        rows = old[program], new[program]
        for tool in rows[1]["runs"]:
            for figure, values in FIGURES.items():
                if tool in rows[0]["runs"] and tool != "bare":
                    both = [values(row, tool, key) for row in rows]
                    if all(both):
                        changes.setdefault((tool, figure), {})[program] = Change.of(*both)
    return changes


def show(changes):
    compared = moved = 0
    print("%-26s%-12s%-22s%s" % ("tool", "figure", "change", "programs that moved"))
    last = None
    for (tool, figure), programs in changes.items():
        mean = Change.mean(list(programs.values()))
        which = sorted((p for p in programs if programs[p].counts), key=lambda p: -abs(programs[p].value))
        compared, moved = compared + len(programs), moved + len(which)
        names = ["%s %+.0f %%" % (program, 100 * math.expm1(programs[program].value)) for program in which[:2]]
        more = ", and %d more" % (len(which) - 2) if len(which) > 2 else ""
        label = "" if tool == last else tool
        print("%-26s%-12s%s %s  %s" % (label, figure, mean, "!" if mean.counts else " ", ", ".join(names) + more))
        last = tool
    print("\n! beyond the noise. Of %d single comparisons %d are; about %d would be by chance." % (compared, moved, round(compared / 100)))


def main():
    paths = sys.argv[1:]
    if len(paths) == 1 and os.path.isdir(paths[0]):
        paths = sorted(glob.glob(os.path.join(glob.escape(paths[0]), "*.json")), key=os.path.getmtime)[-2:]
        print("%s, then %s\n" % tuple(paths) if len(paths) == 2 else "")
    if len(paths) != 2:
        sys.exit(__doc__.strip())
    (old, old_rows), (new, new_rows) = map(load, paths)
    for fact in ("processor", "cores", "python"):
        if old["machine"][fact] != new["machine"][fact]:
            print("! another %s: %s, then %s" % (fact, old["machine"][fact], new["machine"][fact]))
    if old["recording"]["time"] != new["recording"]["time"]:
        sys.exit("one of them counted the time on the wall, the other that of the processor")
    changes = compare(old_rows, new_rows, summary.TIMES[new["recording"]["time"]])
    if not changes:
        sys.exit("they have no program and tool in common")
    show(changes)


if __name__ == "__main__":
    main()
