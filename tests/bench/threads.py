"""Whether threads hinder each other, where there is no global lock."""

import json
import os
import statistics
import subprocess
import sys
import tempfile

PARALLEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "parallel.py")


def measure(rounds, path):
    """What two threads do in the time, and in the processor time, of one: 2 if they do not hinder each other. The drain process has work
    too, so that a recording on two cores cannot come to 2 in time."""
    environment = {**os.environ, "PYTHONPATH": path}
    ratios = {tool: [] for tool in ("bare", "pytrace")}
    for _ in range(rounds):
        for tool, results in ratios.items():
            with tempfile.TemporaryDirectory() as directory:
                command = [sys.executable, PARALLEL, tool, os.path.join(directory, "of")]
                done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=True)
                results.append(json.loads(done.stdout))
    return {
        tool: {key: statistics.median(result[key] for result in results) for key in ("in_time", "in_processor_time")}
        for tool, results in ratios.items()
    }


def show(parallel):
    for tool, ratio in parallel.items():
        print(
            f"two threads, {tool:8}{ratio['in_time']:6.2f} × the calls of one in its time,"
            f" {ratio['in_processor_time']:.2f} × in its processor time"
        )
