"""What recording costs: programs by tools, in fresh processes, all tools in turn within each round, so that a machine that slows down
slows all of them."""

import json
import os
import shlex
import subprocess
import sys

import contenders
import processes

ONE_RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "one_run.py")


class Measurer:
    def __init__(self, build, place):
        self.build = build
        self.place = place
        self.trace = os.path.join(place, contenders.TRACE)
        self.result = os.path.join(place, "result.json")

    def build_of(self, tool):
        """Of pytrace@DIRECTORY it is another one."""
        name = shlex.split(tool)[0]
        return os.path.abspath(name.partition("@")[2]) if "@" in name else self.build

    def spawn(self, build, *arguments):
        """What one_run.py says, and what its processes took together. Raises processes.Failed."""
        for name in os.listdir(self.place):
            os.unlink(os.path.join(self.place, name))
        environment = {**os.environ, "PYTHONPATH": os.path.join(build, "python"), "PYTHONHASHSEED": "0"}
        command = [sys.executable, ONE_RUN, *arguments, self.result]
        cpu_s = processes.run(command, os.path.join(self.place, "log"), env=environment)
        with open(self.result) as file:
            return json.load(file), cpu_s

    def calibrate(self, program, target_s):
        """How often a program has to do its work to take so long."""
        return self.spawn(self.build, program, "%ss" % target_s)[0]["loops"]

    def run(self, program, loops, tool):
        """The figures of one run. Raises processes.Failed."""
        build = self.build_of(tool)
        run, cpu_s = self.spawn(build, program, str(loops), tool, self.place)
        run["cpu_s"] = run["host_cpu_s"] + cpu_s - run.pop("process_cpu_s")
        if os.path.exists(self.trace):
            run.update(self.facts(build))
        return run

    def facts(self, build):
        """What a trace of ours says about itself."""
        command = [os.path.join(build, "pytrace-analyze"), self.trace, "--format", "json", "--top", "1"]
        trace = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)["trace"]
        return {"bytes": os.stat(self.trace).st_size, **{key: trace[key] for key in ("events", "lost", "stalled_ns")}}

    def measure(self, program, tools, rounds, target_s):
        """A row: the runs of each tool. Raises processes.Failed if the program does not run by itself; a tool that fails is left out."""
        loops = self.calibrate(program, target_s)
        runs = {tool: [] for tool in tools}
        failed = {}
        for _ in range(rounds):
            for tool in [tool for tool in tools if tool not in failed]:
                try:
                    runs[tool].append(self.run(program, loops, tool))
                except processes.Failed as failure:
                    failed[tool] = str(failure)
        return {"program": program, "loops": loops, "runs": {tool: runs[tool] for tool in tools if tool not in failed}, "failed": failed}
