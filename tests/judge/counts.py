"""cProfile's getstats() must equal the trace's counts, function by function, on the programs of pyperformance.

    counts.py --analyzer PATH [--programs NAME…] [--keep DIRECTORY]

runs under an interpreter with pyperformance (see tests/bench/suite.py), with PYTHONPATH holding pytrace and judge_log. From 3.12 on
both watch the same run. Before, each has a run of its own: the programs must then do the same every time. Those that cProfile cannot
count (corpus.py says why) are compared event by event.
"""

import argparse
import collections
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bench"))

import compare
import corpus
import suite

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 600
ATTEMPTS = 3  # a busy machine can keep the drain process from its work; what was lost then cannot be counted
SAME_RUN = sys.version_info >= (3, 12)

# What the counters do to themselves and to each other.
APPARATUS = {
    "<method 'enable' of '_lsprof.Profiler' objects>",
    "<method 'disable' of '_lsprof.Profiler' objects>",
    "<built-in method pytrace._core.start>",
    "<built-in method pytrace._core.stop>",
}


class Trouble(Exception):
    pass


def run(program, counts, trace, logs="-"):
    done = subprocess.run(
        [sys.executable, os.path.join(HERE, "run_counted.py"), program, counts, trace, logs],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=SECONDS,
    )
    if done.returncode != 0:
        raise Trouble(done.stderr.decode(errors="replace").strip().splitlines()[-1])


def by_cprofile(analyzer, program, place):
    """Returns the number of events, those lost, and what differs."""
    counts, trace = os.path.join(place, "counts.json"), os.path.join(place, "trace.bin")
    if SAME_RUN:
        run(program, counts, trace)
    else:
        run(program, counts, "-")
        run(program, "-", trace)
    done = subprocess.run([analyzer, "top", trace, "--top", "0", "--format", "json"], stdout=subprocess.PIPE, check=True)
    report = json.loads(done.stdout)
    if not report["trace"]["complete"] and not report["trace"]["lost"]:
        raise Trouble("the trace is not complete")
    with open(counts) as file:
        expected = collections.Counter(json.load(file))
    found = collections.Counter()
    for function in report["functions"]:
        found[function["label"]] += function["calls"]
    labels = sorted({*expected, *found} - APPARATUS)
    wrong = ["%s: %d by cProfile, %d in the trace" % (label, expected[label], found[label]) for label in labels if expected[label] != found[label]]
    return report["trace"]["events"], report["trace"]["lost"], wrong


def by_events(analyzer, program, place):
    """The same."""
    trace, logs = os.path.join(place, "trace.bin"), os.path.join(place, "logs")
    os.mkdir(logs)
    run(program, "-", trace, logs)
    result = compare.compare(trace, logs, ("run_counted.py", "run"))
    return result.events, result.lost, result.differences


def judge(analyzer, program, keep):
    """Prints a line, and the differences. True if there are none."""
    by = by_events if program in corpus.COUNTED_BY_EVENTS else by_cprofile
    for attempt in range(ATTEMPTS):
        place = os.path.join(keep, program) if keep else tempfile.mkdtemp(prefix="judge-")
        shutil.rmtree(place, ignore_errors=True)
        os.makedirs(place)
        try:
            events, lost, wrong = by(analyzer, program, place)
        except (Trouble, subprocess.TimeoutExpired) as trouble:
            print("%-26s %s" % (program, trouble), flush=True)
            return False
        finally:
            if not keep:
                shutil.rmtree(place, ignore_errors=True)
        if not lost:
            break
    verdict = "%d lost" % lost if lost else "%d differences" % len(wrong) if wrong else "equal"
    print("%-26s %14s  %s" % (program, format(events, ","), verdict), flush=True)
    for difference in wrong[:10]:
        print("    " + difference.replace("\n", "\n    "), flush=True)
    return not lost and not wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--analyzer", required=True)
    parser.add_argument("--programs", nargs="+", default=list(suite.PROGRAMS))
    parser.add_argument("--keep", help="directory for traces and counts")
    options = parser.parse_args()
    how = "in the same run" if SAME_RUN else "in two runs"
    print("CPython %s, counted %s: events" % (platform.python_version(), how))
    good = [program for program in options.programs if judge(options.analyzer, program, options.keep)]
    print("%d of %d programs equal" % (len(good), len(options.programs)))
    return 0 if len(good) == len(options.programs) else 1


if __name__ == "__main__":
    sys.exit(main())
