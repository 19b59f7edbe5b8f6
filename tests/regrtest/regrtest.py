"""CPython's own test suite under the recorder: every test case has to end as it ends without.

    python3.13 tests/regrtest/regrtest.py --build build            the modules of subset.txt
    python3.13 tests/regrtest/regrtest.py --build build --all      every module
    python3.13 tests/regrtest/regrtest.py --build build test_re    these

Each module runs twice, bare and recorded, one right after the other; where they differ, three times more each. Differences that
must be stand in differences.txt, with the reason. Exit status: 0 if there are no others, 1 if there are, 2 for a usage error.
"""

import argparse
import collections
import fnmatch
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import one_run

# A shell that starts this in the background has these two ignored, and the tests would inherit that.
for number in signal.SIGINT, signal.SIGQUIT:
    signal.signal(number, signal.SIG_DFL)

HERE = os.path.dirname(os.path.abspath(__file__))
REPETITIONS = 3

Known = collections.namedtuple("Known", "module case versions reason")


def lines_of(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip() and not line.startswith("#")]


def known_differences():
    """Those of differences.txt that are about this version."""
    known = [Known(*(column.strip() for column in line.split("|"))) for line in lines_of("differences.txt")]
    return [difference for difference in known if is_among(sys.version_info[:2], difference.versions)]


def is_among(version, versions):
    """`3.11`, `3.11-3.13`, `3.12-` (and later), `-3.11` (and earlier), `all`."""
    if versions == "all":
        return True
    first, dash, last = versions.partition("-")
    first, last = (tuple(map(int, text.split("."))) if text else None for text in (first, last if dash else first))
    return (first is None or first <= version) and (last is None or version <= last)


def reason_for(module, case, known):
    """Why the case differs; None if nobody knows."""
    module = module.removeprefix("test.")
    for difference in known:
        if fnmatch.fnmatchcase(module, difference.module) and fnmatch.fnmatchcase(case, difference.case):
            return difference.reason
    return None


def modules_to_run(arguments):
    command = [sys.executable, "-m", "test", "--list-tests"]
    there = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    if arguments.all:
        patterns = ["*"]
    else:
        patterns = arguments.modules or lines_of("subset.txt")
    first = lines_of("subset.txt") if arguments.all else []
    names = {name: name.removeprefix("test.") for name in there}
    chosen = {}
    for pattern in [*first, *patterns]:
        chosen.update((name, None) for name, short in names.items() if fnmatch.fnmatchcase(short, pattern.removeprefix("test.")))
    return [name for name in chosen if not any(fnmatch.fnmatchcase(names[name], pattern) for pattern in arguments.skip)]


def verdict(case, runs):
    """What the repeated pairs of runs say of a case: "differs", "unsteady" (it does not keep to one outcome in either way) or "equal"."""
    pairs = [pair(case, bare, recorded) for bare, recorded in runs]
    if all(bare == recorded for bare, recorded in pairs):
        return "equal"
    bare_outcomes = {bare for bare, _ in pairs}
    strange = [recorded for _, recorded in pairs if recorded not in bare_outcomes]
    return "differs" if 2 * len(strange) > len(pairs) else "unsteady"


def pair(case, bare, recorded):
    if case == one_run.ENDING:
        return bare.ending, recorded.ending
    if case == one_run.TRACE:
        return "", recorded.trace and "inexact"
    return bare.outcomes.get(case, "absent"), recorded.outcomes.get(case, "absent")


def judge(module, runner, known):
    """Runs a module. Returns its row of the table."""
    bare = runner.bare(module)
    recorded = runner.recorded(module, bare)
    differing = one_run.differences(bare, recorded)
    reasons = {case: reason_for(module, case, known) for case in differing}
    row = {
        "module": module, "cases": len(bare.outcomes), "bare": bare.ending, "recorded": recorded.ending,
        "bare_s": round(bare.seconds, 1), "recorded_s": round(recorded.seconds, 1), "events": recorded.events, "lost": recorded.lost,
        "known": [], "unsteady": [], "unexplained": [],
    }  # fmt: skip
    repeated = []
    if None in reasons.values():
        for _ in range(REPETITIONS):
            again = runner.bare(module)
            repeated.append((again, runner.recorded(module, again)))
    for case, (before, after) in differing.items():
        told = "%s: %s, recorded %s" % (case, before, after)
        if reasons[case] is not None:
            row["known"].append(told + " · " + reasons[case])
            continue
        said = verdict(case, repeated)
        row["unexplained" if said == "differs" else "unsteady"].append(told)
    return row


def show(row):
    words = ["%d cases" % row["cases"], "%.1f s" % row["bare_s"], "recorded %.1f s" % row["recorded_s"], "%s events" % format(row["events"], ",")]
    if row["lost"]:
        words.append("%s lost" % format(row["lost"], ","))
    result = "DIFFERS" if row["unexplained"] else "unsteady" if row["unsteady"] else "known" if row["known"] else "equal"
    print("%-8s %s: %s" % (result, row["module"], ", ".join(words)))
    for kind in "unexplained", "unsteady", "known":
        for told in row[kind]:
            print("         %s: %s" % (kind, told))
    sys.stdout.flush()


def summary(rows, seconds):
    def total(key):
        return sum(row[key] if isinstance(row[key], int) else len(row[key]) for row in rows)

    print("\nCPython %s, %d modules, %d test cases, %.0f s" % (sys.version.split()[0], len(rows), total("cases"), seconds))
    print("  recorded events   %s, %s lost" % (format(total("events"), ","), format(total("lost"), ",")))
    print("  known to differ   %d" % total("known"))
    print("  unsteady          %d" % total("unsteady"))
    print("  unexplained       %d" % total("unexplained"))
    for row in rows:
        for told in row["unexplained"]:
            print("    %s %s" % (row["module"], told))


def main():
    parser = argparse.ArgumentParser(description="CPython's own test suite, bare and under the recorder.")
    parser.add_argument("modules", nargs="*", help="patterns of names; those of subset.txt if there are none")
    parser.add_argument("--build", required=True, help="build directory of pytrace")
    parser.add_argument("--all", action="store_true", help="every module, those of subset.txt first")
    parser.add_argument("--skip", action="append", default=[], metavar="PATTERN", help="modules to leave out")
    parser.add_argument("--no-children", action="store_true", help="record no children")
    parser.add_argument("--max-size", default="300M", help="of a trace (300M)")
    parser.add_argument("--timeout", type=float, default=900, metavar="SECONDS", help="of a run of a module (900)")
    parser.add_argument("--results", metavar="FILE", help="JSON lines, one a module; the modules that it has already are left out")
    parser.add_argument("--logs", metavar="DIR", help="where the output of the tests is kept")
    arguments = parser.parse_args()

    # Rings are large, so that nothing is lost where the machine is busy.
    options = ["--ring-size", "8M", "--max-size", arguments.max_size, *(["--no-children"] if arguments.no_children else [])]
    logs = arguments.logs or tempfile.mkdtemp(prefix="pytrace-regrtest-logs-")
    os.makedirs(logs, exist_ok=True)
    runner = one_run.Runner(arguments.build, options, arguments.timeout, os.path.abspath(logs))
    known = known_differences()

    rows = []
    if arguments.results and os.path.exists(arguments.results):
        with open(arguments.results, encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
    done = {row["module"] for row in rows}
    started = time.monotonic()
    for module in modules_to_run(arguments):
        if module in done:
            continue
        row = judge(module, runner, known)
        rows.append(row)
        show(row)
        if arguments.results:
            with open(arguments.results, "a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
    if not rows:
        parser.error("no such module")
    summary(rows, time.monotonic() - started)
    print("  logs              %s" % logs)
    return 1 if any(row["unexplained"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
