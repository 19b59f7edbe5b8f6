"""How true times are: shares of self time that the recorder shows, with and without --compensate, and cProfile's, beside those of
the program when nobody watches.

    truth.py --analyzer PATH [--passes N]       with PYTHONPATH holding pytrace

Everything is measured in one process, in turn: passes over the sections of truth_program.py, each of some milliseconds, of which
the fastest counts, function by function. So a machine that is busy with other things does not matter much.
"""

import argparse
import cProfile
import json
import os
import pstats
import subprocess
import tempfile
import time

import pytrace
import truth_program
from truth_program import BELONGS, SECTIONS

REST_S = 0.01  # between passes: the drain catches up
MARGIN_US = 1000  # less than that
LEAST = 2  # percent; below that nobody cares


def keep_least(best, times):
    for name, value in times.items():
        best[name] = min(best.get(name, value), value)


def time_untraced():
    """Own times by name, in nanoseconds."""
    times = {}
    for driver, part, empty in SECTIONS.values():
        took = []
        for variant in (part, empty) if part else (None,):
            start = time.perf_counter_ns()
            driver(variant)
            took.append(time.perf_counter_ns() - start)
        times[driver.__name__] = took[-1]
        if part:
            times["whole", driver.__name__] = took[0]
    return times


def truth_of(best):
    """A part's time is the difference that its body makes."""
    times = {}
    for driver, part, _ in SECTIONS.values():
        name = driver.__name__
        times[BELONGS.get(name, name)] = best[name]
        if part:
            times[part.__qualname__] = best["whole", name] - best[name]
    return times


def gather(times):
    """What belongs to another function goes there; what is no part of the program goes."""
    names = {part.__qualname__ for _, part, _ in SECTIONS.values() if part}
    names |= {BELONGS.get(driver.__name__, driver.__name__) for driver, _, _ in SECTIONS.values()}
    sums = {}
    for name, value in times.items():
        name = BELONGS.get(name, name)
        if name in names:
            sums[name] = sums.get(name, 0) + value
    return sums


def started_ns(analyzer, trace):
    info = subprocess.run([analyzer, "info", trace, "--format", "json"], stdout=subprocess.PIPE, check=True).stdout
    return json.loads(info)["recordings"][0]["header"]["started_ns"]


def ask(analyzer, trace, span, *options):
    command = [analyzer, "top", trace, "--range", span, "--top", "0", "--format", "json", *options]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def measure_pytrace(analyzer, passes, raw, compensated):
    with tempfile.TemporaryDirectory() as place:
        trace = os.path.join(place, "trace.bin")
        spans = []
        pytrace.start(trace)
        for _ in range(passes):
            time.sleep(REST_S)
            start = time.time_ns()
            truth_program.run_all()
            spans.append((start, time.time_ns()))
        pytrace.stop()
        begin = started_ns(analyzer, trace)
        for first, last in spans[len(spans) // 2 :]:  # the ring has been used before, as in any longer recording
            span = f"{(first - begin) / 1000 - MARGIN_US:.0f}us~{(last - begin) / 1000 + MARGIN_US:.0f}us"
            for best, options in ((raw, ()), (compensated, ("--compensate",))):
                report = ask(analyzer, trace, span, *options)
                keep_least(best, gather({f["name"]: f["self_ns"] for f in report["functions"]}))
        return report["trace"]["costs"]


def measure_profile(profiled):
    profile = cProfile.Profile()
    profile.enable()
    truth_program.run_all()
    profile.disable()
    times = {}
    methods = {"step": "Point.step", "__init__": "Point.__init__"}
    for (_, _, name), (_, _, own, _, _) in pstats.Stats(profile).stats.items():
        if name.startswith("<built-in method builtins."):
            name = name.split(".")[1].rstrip(">")
        elif name.startswith("<method "):
            name = "{3}.{1}".format(*name.split("'"))
        times[methods.get(name, name)] = own * 1e9
    keep_least(profiled, gather(times))


def show(truth, others, costs):
    shares = [{name: 100 * value / sum(times.values()) for name, value in times.items()} for times in (truth, *others)]
    for kind, cost in costs.items():
        print(f"{kind}: {cost['own_ps'] / 1000:.1f} + {cost['caller_ps'] / 1000:.1f} ns")
    print("| function | truth, % of self | pytrace | `--compensate` | cProfile |")
    print("|---|---|---|---|---|")
    for name in sorted(truth, key=lambda name: -truth[name]):
        if shares[0][name] < LEAST:
            continue
        known, *shown = (share.get(name, 0) for share in shares)
        cells = (f"{share:.1f} ({100 * share / known - 100:+.0f} %)" for share in shown)
        print(f"| `{name}` | {known:.1f} |", " | ".join(cells), "|")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--analyzer", required=True)
    parser.add_argument("--passes", type=int, default=60)
    options = parser.parse_args()
    best, raw, compensated, profiled = {}, {}, {}, {}
    for _ in range(3):
        for _ in range(options.passes):
            keep_least(best, time_untraced())
        costs = measure_pytrace(options.analyzer, options.passes, raw, compensated)
        for _ in range(options.passes):
            measure_profile(profiled)
    show(truth_of(best), (raw, compensated, profiled), costs)


if __name__ == "__main__":
    main()
