"""How fast the analyzer reads: time and peak memory of its commands on large traces of real programs, and what `uftrace report` takes
for as many events of a C program, where uftrace is installed.

A program is recorded once and its trace repeated (repeat_trace) until there are enough events; one is made up, of 2,000 functions that
call each other on many paths (make_trace). Seconds are of the processor, user and
system together, the least of the rounds: others who use the machine disturb them least. Those on the wall stand beside them.
"""

import json
import os
import shutil
import subprocess
import sys
import time

MADE_UP = "made up"
PROGRAMS = ("copy_and_print", "parse_and_unparse", "recursion", MADE_UP)
COMMANDS = (
    ("top -j1", ["top", "-n", "50", "-j", "1"]),
    ("top -j2", ["top", "-n", "50", "-j", "2"]),
    ("tree -j1", ["tree", "-j", "1"]),
    ("callers -j1", ["callers", "deepcopy|unparse|fib|method", "-j", "1"]),
    ("top 1 %", ["top", "-r", "50%~51%"]),
    ("info", ["info"]),
)

# Calls of functions that do little, like those of the recursion that pytrace records.
C_PROGRAM = """
#include <stdlib.h>
__attribute__((noinline)) long fib(long n) { __asm__ volatile(""); return n < 2 ? n : fib(n - 1) + fib(n - 2); }
int main(int argc, char **argv) { long sum = 0; for (long i = atol(argv[argc - 1]); i > 0; i--) sum += fib(20); return (int)(sum & 1); }
"""
C_EVENTS_A_ROUND = 2 * 21891


def run(command, **options):
    """Processor seconds, seconds on the wall, and bytes of memory at the most."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    status, usage = os.wait4(process.pid, 0)[1:]
    wall_s = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return {"cpu_s": usage.ru_utime + usage.ru_stime, "wall_s": wall_s, "peak_bytes": usage.ru_maxrss * 1024}


def least(runs):
    best = min(runs, key=lambda one: one["cpu_s"])
    return {**best, "wall_s": min(one["wall_s"] for one in runs), "peak_bytes": max(one["peak_bytes"] for one in runs)}


def record(build, program, path):
    code = "import sys, pytrace, programs; pytrace.start(sys.argv[1]); getattr(programs, sys.argv[2])(); pytrace.stop()"
    search = os.pathsep.join([os.path.join(build, "python"), os.path.dirname(os.path.abspath(__file__))])
    subprocess.run([sys.executable, "-c", code, path, program], env={**os.environ, "PYTHONPATH": search}, check=True)


def make_large(build, program, events, place):
    """The trace, its events and its bytes."""
    small, large = place / (program + ".bin"), place / "large.bin"
    tools = os.path.join(build, "tests", "bench")
    if program == MADE_UP:
        make = [os.path.join(tools, "make_trace"), large, str(events)]
    else:
        record(build, program, small)
        make = [os.path.join(tools, "repeat_trace"), small, large, str(events)]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run([os.path.join(build, "pytrace-analyze"), "info", large, "--format", "json"], stdout=subprocess.PIPE, check=True)
    return large, json.loads(done.stdout)["trace"]["events"], large.stat().st_size


def measure_uftrace(events, rounds, place):
    """None where there is no uftrace, or no compiler."""
    if not shutil.which("uftrace") or not shutil.which("cc"):
        return None
    source, program, data = place / "fib.c", place / "fib", place / "uftrace.data"
    source.write_text(C_PROGRAM)
    calls = max(1, events // C_EVENTS_A_ROUND)
    subprocess.run(["cc", "-O1", "-pg", source, "-o", program], check=True)
    run(["uftrace", "record", "--no-event", "-d", data, program, str(calls)], cwd=place)
    size = sum(entry.stat().st_size for entry in os.scandir(data))
    report = least([run(["uftrace", "report", "--no-pager", "-d", data], cwd=place) for _ in range(rounds)])
    return {"events": calls * C_EVENTS_A_ROUND, "bytes": size, "report": report}


def measure(build, events, rounds, place):
    results = {"programs": {}}
    analyzer = os.path.join(build, "pytrace-analyze")
    for program in PROGRAMS:
        trace, count, size = make_large(build, program, events, place)
        runs = {name: [] for name, _ in COMMANDS}
        for _ in range(rounds):
            for name, arguments in COMMANDS:
                runs[name].append(run([analyzer, *arguments, trace]))
        commands = {name: least(those) for name, those in runs.items()}
        results["programs"][program] = {"events": count, "bytes": size, "commands": commands}
    results["uftrace"] = measure_uftrace(min(events, 10_000_000), rounds, place)
    return results


def show_line(name, events, result):
    rate = events / result["cpu_s"] / 1e6
    print(
        "  %-16s%9.3f s%9.3f s on the wall%9.1f M events/s%6d MiB"
        % (name, result["cpu_s"], result["wall_s"], rate, result["peak_bytes"] >> 20)
    )


def show(results):
    for program, row in results["programs"].items():
        print("%s: %s events, %.2f bytes each" % (program, format(row["events"], ","), row["bytes"] / row["events"]))
        for name, result in row["commands"].items():
            show_line(name, row["events"], result)
    uftrace = results["uftrace"]
    if uftrace:
        print("a C program: %s events, %.2f bytes each" % (format(uftrace["events"], ","), uftrace["bytes"] / uftrace["events"]))
        show_line("uftrace report", uftrace["events"], uftrace["report"])
