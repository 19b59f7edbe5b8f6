"""Measures what recording costs beside cProfile, and how fast the analyzer reads.

    bench.py --analyzer PATH --make-trace PATH [--rounds N] [--events N] [--output FILE]     with PYTHONPATH holding pytrace

Programs run in fresh processes, all tools in turn within each round, so that a machine that slows down slows all of them; the
median of the rounds counts. The same as a table on stdout and as JSON, with a description of the machine, in FILE.
"""

import argparse
import datetime
import json
import math
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time

import programs
from one_run import TOOLS

ONE_RUN = pathlib.Path(__file__).with_name("one_run.py")
PARALLEL = pathlib.Path(__file__).with_name("parallel.py")
GIL = getattr(sys, "_is_gil_enabled", lambda: True)()


def describe_machine():
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.platform(),
        "python": sys.version,
        "python_flags": sysconfig.get_config_var("PY_CFLAGS"),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def run_once(program, tool, trace):
    trace.unlink(missing_ok=True)
    done = subprocess.run([sys.executable, ONE_RUN, program, tool, trace], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def measure_recording(analyzer, rounds, place):
    """One row a program: median seconds of each tool, and what the traces hold."""
    rows = []
    trace = place / "trace.bin"
    for work in programs.REAL + programs.MICRO:
        name = work.__name__
        runs = {tool: [] for tool in TOOLS}
        facts = {}
        for _ in range(rounds):
            for tool in TOOLS:
                runs[tool].append(run_once(name, tool, trace))
                if tool.startswith("pytrace"):
                    done = subprocess.run([analyzer, trace, "--format", "json", "--top", "1"], stdout=subprocess.PIPE, check=True)
                    facts[tool] = json.loads(done.stdout)["trace"]
                    facts[tool]["bytes"] = trace.stat().st_size
        row = {"program": name, "real": work in programs.REAL, "tools": {}}
        for tool, results in runs.items():
            row["tools"][tool] = {key: statistics.median(result[key] for result in results) for key in ("work_s", "stop_s")}
            if tool in facts:
                row["tools"][tool].update({key: facts[tool][key] for key in ("events", "bytes", "lost", "stalled_ns")})
        rows.append(row)
        print_row(row)
    return rows


def added(row, tool):
    return row["tools"][tool]["work_s"] - row["tools"]["bare"]["work_s"]


def print_heading():
    print(f"{'':20}{'bare':>9}{'pytrace':>9}{'no C':>9}{'cProfile':>9}{'added ÷':>10}{'ns/event':>10}{'bytes/':>8}{'':>10}{'':>8}")
    print(f"{'':20}{'s':>9}{'×':>9}{'×':>9}{'×':>9}{'cProfile':>10}{'added':>10}{'event':>8}{'events':>10}{'lost':>8}")


def print_row(row):
    tools = row["tools"]
    base = tools["bare"]["work_s"]
    full = tools["pytrace"]
    print(
        f"{row['program']:20}{base:9.3f}{full['work_s'] / base:9.2f}{tools['pytrace --no-c-calls']['work_s'] / base:9.2f}"
        f"{tools['cProfile']['work_s'] / base:9.2f}{added(row, 'pytrace') / added(row, 'cProfile'):10.2f}"
        f"{added(row, 'pytrace') / full['events'] * 1e9:10.1f}{full['bytes'] / full['events']:8.2f}{full['events']:10,}{full['lost']:8,}",
        flush=True,
    )


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def summarize(rows):
    real = [row for row in rows if row["real"]]
    slowdown = {
        tool: geometric_mean(row["tools"][tool]["work_s"] / row["tools"]["bare"]["work_s"] for row in real) for tool in TOOLS
    }
    return {
        "slowdown": slowdown,
        "added_by_cprofile": sum(added(row, "pytrace") for row in real) / sum(added(row, "cProfile") for row in real),
        "bytes_per_event": geometric_mean(row["tools"]["pytrace"]["bytes"] / row["tools"]["pytrace"]["events"] for row in real),
        "lost": sum(row["tools"]["pytrace"]["lost"] for row in rows),
    }


def measure_parallel(rounds):
    """What two threads do in the time, and in the processor time, of one: 2 if they do not hinder each other. The drain process has work
    too, so that a recording on two cores cannot come to 2 in time."""
    ratios = {tool: [] for tool in ("bare", "pytrace")}
    for _ in range(rounds):
        for tool, results in ratios.items():
            with tempfile.TemporaryDirectory() as directory:
                command = [sys.executable, PARALLEL, tool, os.path.join(directory, "trace")]
                results.append(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout))
    return {
        tool: {key: statistics.median(result[key] for result in results) for key in ("in_time", "in_processor_time")}
        for tool, results in ratios.items()
    }


def measure_analyzer(analyzer, make_trace, events, rounds, place):
    """Seconds and peak memory of the analyzer on a trace of so many events."""
    trace = place / "large.bin"
    subprocess.run([make_trace, trace, str(events)], check=True, stdout=subprocess.DEVNULL)
    results = {"events": events, "bytes": trace.stat().st_size, "commands": {}}
    for command in (["top"], ["tree"], ["info"]):
        seconds, memory = [], 0
        for _ in range(rounds):
            start = time.perf_counter()
            process = subprocess.Popen([analyzer, *command, trace], stdout=subprocess.DEVNULL)
            status, usage = os.wait4(process.pid, 0)[1:]
            seconds.append(time.perf_counter() - start)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                raise subprocess.CalledProcessError(process.returncode, process.args)
            memory = max(memory, usage.ru_maxrss * 1024)
        results["commands"][command[0]] = {"seconds": statistics.median(seconds), "peak_bytes": memory}
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--analyzer", required=True)
    parser.add_argument("--make-trace", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--output", type=pathlib.Path)
    options = parser.parse_args()

    machine = describe_machine()
    print(f"{machine['processor']}, {machine['cores']} cores, Python {platform.python_version()}; median of {options.rounds}\n")
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory)
        print_heading()
        rows = measure_recording(options.analyzer, options.rounds, place)
        summary = summarize(rows)
        slowdown = summary["slowdown"]
        print(
            f"\nReal programs (the first {len(programs.REAL)}), geometric mean: pytrace {slowdown['pytrace']:.2f} ×,"
            f" without C calls {slowdown['pytrace --no-c-calls']:.2f} ×, cProfile {slowdown['cProfile']:.2f} ×;"
            f" added time {summary['added_by_cprofile']:.2f} of cProfile's; {summary['bytes_per_event']:.2f} bytes/event\n"
        )
        parallel = None if GIL else measure_parallel(options.rounds)
        if parallel:
            for tool, ratio in parallel.items():
                print(
                    f"two threads, {tool:8}{ratio['in_time']:6.2f} × the calls of one in its time,"
                    f" {ratio['in_processor_time']:.2f} × in its processor time"
                )
            print()
        reading = measure_analyzer(options.analyzer, options.make_trace, options.events, options.rounds, place)
    for command, result in reading["commands"].items():
        speed = reading["events"] / result["seconds"] / 1e6
        print(f"{command:6}{reading['events']:>12,} events in {result['seconds']:6.3f} s: {speed:8.1f} M/s, {result['peak_bytes'] >> 20} MiB")
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        results = {"machine": machine, "recording": rows, "summary": summary, "parallel": parallel, "analyzer": reading}
        options.output.write_text(json.dumps(results, indent=1) + "\n")
        print(f"\nsaved in {options.output}")


if __name__ == "__main__":
    main()
