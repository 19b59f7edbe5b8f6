"""How fast the analyzer reads: seconds and peak memory on a large trace."""

import os
import statistics
import subprocess
import time


def measure(analyzer, make_trace, events, rounds, place):
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


def show(reading):
    for command, result in reading["commands"].items():
        speed = reading["events"] / result["seconds"] / 1e6
        print(f"{command:6}{reading['events']:>12,} events in {result['seconds']:6.3f} s: {speed:8.1f} M/s, {result['peak_bytes'] >> 20} MiB")
