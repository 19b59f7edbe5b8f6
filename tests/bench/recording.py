"""What recording costs: programs by tools, in fresh processes, all tools in turn within each round, so that a machine that slows down
slows all of them."""

import json
import os
import sys

import contenders
import processes
import written

ONE_RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "one_run.py")
COUNTERS = {"C": "pytrace --ring-size 16M", "Python": "pytrace --ring-size 16M --no-c-calls"}


class Measurer:
    def __init__(self, build, place):
        self.build = build
        self.place = place
        self.result = os.path.join(place, "result.json")

    def spawn(self, build, *arguments):
        """What one_run.py says, and what its processes took together. Raises processes.Failed."""
        for name in os.listdir(self.place):
            os.unlink(os.path.join(self.place, name))
        path = [os.path.join(build, "python"), os.path.join(build, "tests", "bench")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONHASHSEED": "0"}
        command = [sys.executable, ONE_RUN, *arguments, self.result]
        cpu_s = processes.run(command, os.path.join(self.place, "log"), env=environment)
        with open(self.result) as file:
            return json.load(file), cpu_s

    def calibrate(self, program, target_s):
        """How often a program has to do its work to take so long."""
        return self.spawn(self.build, program, "%ss" % target_s)[0]["loops"]

    def run(self, program, loops, tool, before=None):
        """The figures of one run; BEFORE are those of an earlier one, if there is one. Raises processes.Failed."""
        build = os.path.abspath(contenders.build_of(tool) or self.build)
        run, cpu_s = self.spawn(build, program, str(loops), tool, self.place)
        run["cpu_s"] = run["host_cpu_s"] + cpu_s - run.pop("process_cpu_s")
        run.update(written.read(tool, self.place, os.path.join(build, "pytrace-analyze"), before))
        return run

    def count_events(self, program, loops, tools):
        """How many there are to be recorded, of each kind that a tool is asked for."""
        kinds = {contenders.kind_of(tool) for tool in tools} - {None}
        return {kind: self.run(program, loops, COUNTERS[kind])["events"] for kind in sorted(kinds)}

    def measure(self, program, tools, rounds, target_s):
        """A row: the runs of each tool. Raises processes.Failed if the program does not run by itself; a tool that fails is left out."""
        loops = self.calibrate(program, target_s)
        row = {"program": program, "loops": loops, "events": self.count_events(program, loops, tools), "runs": {}, "failed": {}}
        runs = {tool: [] for tool in tools}
        for _ in range(rounds):
            for tool in tools:
                if tool in row["failed"]:
                    continue
                try:
                    runs[tool].append(self.run(program, loops, tool, runs[tool][0] if runs[tool] else None))
                except processes.Failed as failure:
                    row["failed"][tool] = str(failure)
        if "bare" in row["failed"]:  # without which nothing can be said of the others
            raise processes.Failed(row["failed"]["bare"])
        row["runs"] = {tool: runs[tool] for tool in tools if tool not in row["failed"]}
        return row
