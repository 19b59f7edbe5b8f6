"""One program under one tool, in a process of its own. Writes what it took as JSON to RESULT.

    one_run.py PROGRAM LOOPS TOOL PLACE RESULT
    one_run.py PROGRAM SECONDSs RESULT               only how many LOOPS take so long

PROGRAM is one of suite.PROGRAMS or a function of programs.py. LOOPS is how often its work is done while the clock runs. TOOL is one of
contenders.TOOLS with its options, PLACE a directory for what it records.
"""

import json
import os
import resource
import shlex
import sys
import time

import contenders
import suite


def load(name):
    """A function that does the program's work so many times."""
    if name in suite.PROGRAMS:
        parts = suite.load(name)

        def run(loops):
            for part in parts:
                part.run(loops)

    else:
        import programs

        work = getattr(programs, name)

        def run(loops):
            for _ in range(loops):
                work()

    return run


def peak_bytes(pid="self"):
    """The system's own figure, but the one in /proc: what wait4 tells is never less than what the parent had when it forked."""
    with open("/proc/%s/status" % pid) as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def helpers():
    """The processes that a tool has beside this one: children, and those that have left us and so came to the benchmark."""
    found = []
    for pid in (os.getppid(), os.getpid()):
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            found += [int(child) for child in file.read().split()]
    return [pid for pid in found if pid != os.getpid()]


def measure(work, loops, tool, place):
    begin, end = contenders.TOOLS[contenders.name_of(tool)](shlex.split(tool)[1:], place)
    cpu_begin, begun = time.process_time(), time.perf_counter()
    begin()
    cpu_start, start = time.process_time(), time.perf_counter()
    work(loops)
    stop, cpu_stop = time.perf_counter(), time.process_time()
    helpers_peak_bytes = sum(peak_bytes(pid) for pid in helpers())
    cpu_looked, looked = time.process_time(), time.perf_counter()
    end()
    ended, cpu_end = time.perf_counter(), time.process_time()
    return {
        "start_s": start - begun,
        "work_s": stop - start,
        "stop_s": ended - looked,
        "work_cpu_s": cpu_stop - cpu_start,
        "host_cpu_s": cpu_stop - cpu_begin + cpu_end - cpu_looked,
        "host_peak_bytes": peak_bytes(),
        "helpers_peak_bytes": helpers_peak_bytes,
    }


def calibrate(work, seconds):
    loops = 1
    while True:
        start = time.process_time()
        work(loops)
        taken = time.process_time() - start
        if taken > seconds / 2:
            return max(1, round(loops * seconds / taken))
        loops *= 2


def main():
    name, loops, *tool, result = sys.argv[1:]
    work = load(name)
    work(1)  # imports, caches and the specialising interpreter have their first round untimed
    if loops.endswith("s"):
        results = {"loops": calibrate(work, float(loops[:-1]))}
    else:
        results = measure(work, int(loops), *tool)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    results["process_cpu_s"] = usage.ru_utime + usage.ru_stime
    with open(result, "w") as file:
        json.dump(results, file)
    os._exit(0)  # what comes now is no part of any tool's work


if __name__ == "__main__":
    main()
