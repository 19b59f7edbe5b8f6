#!/usr/bin/env python3
"""Holds the C reader against the test vectors and against the oracle: run_vectors.py PYTRACE_ANALYZE.

For every vector: `check` ends with the status that the name promises, `dump` prints what the oracle prints, no command crashes, and each
says the same whatever the number of processors.
The threads of good ones begin and end within the time of the recording.
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ORACLE = os.path.join(os.path.dirname(HERE), "oracle", "oracle.py")
STATUS = {"good": {0}, "bad": {1, 2}, "unsupported": {2}}
COMMANDS = [["top"], ["top", "--format", "json"], ["tree"], ["callers", "."], ["callees", "."], ["threads"], ["info"]]
# These end with 2 where nothing of the kind was recorded.
ASKING_FOR_MORE = [["lines", "."], ["lines", ".", "--format", "json"], ["exceptions"], ["exceptions", "--format", "json"]]


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=60)
    return done.returncode, done.stdout.decode("utf-8", "surrogateescape"), done.stderr.decode("utf-8", "surrogateescape")


def entries(text):
    """The lines of a dump that stand for entries of the trace. What the C reader tells beyond them is its own: where chunks are
    missing, how long a stall was in nanoseconds, the number of a subtype that it does not know."""
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        line.pop("ns", None)
        line.pop("subtype", None)
    return [line for line in lines if line["kind"] != "gap"]


def complaints(analyze, path):
    kind = os.path.basename(path).split("-")[0]
    status, out, err = run(analyze, "check", path)
    if status not in STATUS[kind]:
        yield f"check ended with {status}: {out}{err}"
    if kind == "unsupported" and "check" not in err and "support" not in err:
        yield f"the message does not say that the file is unsupported: {err}"

    oracle_status, expected, oracle_err = run(sys.executable, ORACLE, "dump", path)
    if oracle_status:
        yield f"the oracle failed: {oracle_err}"
    status, out, err = run(analyze, "dump", "--format", "json", path)
    if expected.strip() in ("bad", "unsupported"):
        if status != 2 or out:
            yield f"dump of an unreadable file ended with {status}"
        return
    theirs, ours = (entries(text) for text in (expected, out))
    if status != 0:
        yield f"dump ended with {status}: {err}"
    for number, pair in enumerate(zip(theirs, ours)):
        if pair[0] != pair[1]:
            yield f"dump line {number + 1}: oracle {pair[0]}, C reader {pair[1]}"
            break
    if len(theirs) != len(ours):
        yield f"dump has {len(ours)} lines, the oracle's {len(theirs)}"
    yield from complaints_about_times(analyze, path)
    if kind == "good":
        _, out, _ = run(analyze, "threads", path, "--format", "json")
        report = json.loads(out)
        for thread in report["threads"]:
            if not thread["start_ns"] <= thread["end_ns"] <= report["trace"]["wall_ns"]:
                yield f"thread {thread['tid']} is not within the time of the recording: {thread}"
    for command in ASKING_FOR_MORE:
        status, _, err = run(analyze, *command, path)
        if status not in (0, 2):
            yield f"{' '.join(command)} ended with {status}: {err}"
    for command in COMMANDS:
        operand = command[1:2] if command[0] in ("callers", "callees") else []
        options = command[1:] if not operand else []
        status, out, err = run(analyze, command[0], *operand, path, *options, "-j", "1")
        if status != 0:
            yield f"{' '.join(command)} ended with {status}: {err}"
        for jobs in ("2", "5"):
            if run(analyze, command[0], *operand, path, *options, "-j", jobs) != (status, out, err):
                yield f"{' '.join(command)} says something else with -j {jobs}"


def complaints_about_times(analyze, path):
    """Where a trace tells what recording cost, times without that are the oracle's; elsewhere they are refused."""
    for filters in ([], ["--ignore", "nobody"]):  # two ways to the same figures
        status, out, err = run(analyze, "top", path, "--compensate", "--top", "0", "--format", "json", *filters)
        if "costs" not in os.path.basename(path):
            if status != 2 or "--compensate" not in err:
                yield f"times without costs, which are not known, ended with {status}: {err}"
            continue
        ours = {(row["module"], row["name"]): row for row in json.loads(out)["functions"]}
        _, expected, _ = run(sys.executable, ORACLE, "times", path)
        theirs = [json.loads(line) for line in expected.splitlines()]
        if len(theirs) < 5 or len(ours) != len(theirs):
            yield f"top knows {len(ours)} functions, the oracle {len(theirs)}"
        for row in theirs:
            mine = ours[row["module"], row["name"]]
            if any(abs(mine[key] - row[key]) > 1 for key in ("calls", "self_ns", "total_ns")) or mine["calls"] != row["calls"]:
                yield f"top --compensate {filters}: oracle {row}, C reader {mine}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    failed = 0
    vectors = sorted(name for name in os.listdir(HERE) if name.endswith(".bin"))
    for name in vectors:
        for complaint in complaints(sys.argv[1], os.path.join(HERE, name)):
            failed += 1
            print(f"{name}: {complaint}")
    print(f"{len(vectors)} vectors, {failed} complaints")
    return 1 if failed or not vectors else 0


if __name__ == "__main__":
    sys.exit(main())
