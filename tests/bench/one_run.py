"""One program under one tool, in a process of its own. Prints a line of JSON: the seconds that it took, and what stopping took.

    one_run.py PROGRAM TOOL TRACE       with PYTHONPATH holding the pytrace package
"""

import json
import sys
import time

import programs


def bare(work, trace):
    start = time.perf_counter()
    work()
    end = time.perf_counter()
    return start, end, end


def cprofile(work, trace):
    import cProfile

    profile = cProfile.Profile()
    profile.enable()
    start = time.perf_counter()
    work()
    end = time.perf_counter()
    profile.disable()
    return start, end, time.perf_counter()


def pytrace(work, trace, **options):
    import pytrace

    pytrace.start(trace, **options)
    start = time.perf_counter()
    work()
    end = time.perf_counter()
    pytrace.stop()
    return start, end, time.perf_counter()


def pytrace_python_only(work, trace):
    return pytrace(work, trace, c_calls=False)


TOOLS = {"bare": bare, "cProfile": cprofile, "pytrace": pytrace, "pytrace --no-c-calls": pytrace_python_only}

if __name__ == "__main__":
    name, tool, trace = sys.argv[1:]
    work = getattr(programs, name)
    work()  # imports, caches and the specialising interpreter have their first round untimed
    start, end, stopped = TOOLS[tool](work, trace)
    print(json.dumps({"work_s": end - start, "stop_s": stopped - end}))
