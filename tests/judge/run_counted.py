"""Runs a program of pyperformance once to warm up, then once more while cProfile counts its calls, the recorder records it and the
witness (judge_log.c) watches.

    run_counted.py PROGRAM COUNTS TRACE LOGS       each of them may be "-"

COUNTS gets {label: calls} of cProfile as JSON.
"""

import cProfile
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bench"))

import judge_log
import pytrace
import suite


def label(code):
    if isinstance(code, str):
        return re.sub(" at 0x[0-9a-f]+", "", code)  # so that two runs compare
    return "%s:%d(%s)" % (code.co_filename, code.co_firstlineno, code.co_name)


def run(programs):
    """The window of compare.py."""
    for program in programs:
        program.run(1)


def main():
    name, counts, trace, logs = sys.argv[1:]
    programs = suite.load(name)
    run(programs)
    profile = cProfile.Profile() if counts != "-" else None
    if trace != "-":
        pytrace.start(trace, ring_size="16M")
    if logs != "-":
        judge_log.start(logs)
    if profile:
        profile.enable()
    run(programs)
    if profile:
        profile.disable()
    if logs != "-":
        judge_log.stop()
    if trace != "-":
        pytrace.stop()
    if profile:
        calls = {}
        for entry in profile.getstats():
            calls[label(entry.code)] = calls.get(label(entry.code), 0) + entry.callcount
        with open(counts, "w") as file:
            json.dump(calls, file)


if __name__ == "__main__":
    main()
