"""One run of one module of CPython's test suite, bare or recorded: what became of each of its test cases, and how exact the trace is."""

import collections
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

ENDING = "(ending)"  # how the process ended, as if it were a test case
TRACE = "(trace)"  # what is wrong with the trace
GOOD = ("passed", "skipped", "ok")

# outcomes: {case: "passed", "skipped", "failed" or "error"}; ending: "ok", "failed", "exit 3", "SIGSEGV", "timeout", …; trace: what
# is wrong with it, empty if nothing is
Run = collections.namedtuple("Run", "outcomes ending seconds trace events lost log")

TEST_STATUS = {0: "ok", 2: "failed", 3: "environment changed", 4: "no tests ran"}
HEADING = re.compile(r"^={70}\n(FAIL|ERROR): (\S+) \((\S+)\)", re.MULTILINE)
BEGUN = re.compile(r"^\S+ \((\S+)\) ?\.\.\. ", re.MULTILINE)
INEXACT = re.compile(r"[\d,]+ (?:lea(?:f|ve)s? without an enter|enters? without a leave)")


class Runner:
    def __init__(self, build, options, limit, log_directory):
        self.analyze = os.path.join(build, "pytrace-analyze")
        self.options = options
        self.limit = limit
        self.log_directory = log_directory
        # Both runs have the same environment; nothing else of the caller's gets in.
        self.environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LC_ALL": "C.UTF-8"}
        self.environment["PYTHONPATH"] = os.path.join(os.path.abspath(build), "python")

    def bare(self, module):
        return self.run(module, "bare", [], self.limit)

    def recorded(self, module, bare):
        """Slower by a factor that hangs on the program; what takes much longer than that hangs."""
        limit = max(self.limit, 15 * bare.seconds)
        return self.run(module, "recorded", ["-m", "pytrace", "record", "-o", "trace.bin", *self.options], limit)

    def run(self, module, how, recorder, limit):
        here = tempfile.mkdtemp(prefix="regrtest-")
        trace = os.path.join(here, "trace.bin")
        results = os.path.join(here, "results.xml")
        log = os.path.join(self.log_directory, "%s.%s.log" % (module, how))
        recorder = [trace if word == "trace.bin" else word for word in recorder]
        tests = ["-m", "test", "-v", "--fail-env-changed", "--randseed", "1", "--junit-xml", results, "--tempdir", here, module]
        started = time.monotonic()
        try:
            ending = self.process([sys.executable, *recorder, *tests], here, log, limit)
            seconds = time.monotonic() - started
            outcomes = read_outcomes(module, results, log)
            problems, events, lost = self.look_at(trace) if recorder else ("", 0, 0)
        finally:
            shutil.rmtree(here, ignore_errors=True)
        if ending.startswith("SIG") or ending == "timeout":
            ending += last_begun(log)
        return Run(outcomes, ending, seconds, problems, events, lost, log)

    def process(self, command, here, log, limit):
        """How it ended. What it leaves behind is killed, for the sake of the next one."""
        with open(log, "wb") as output:
            process = subprocess.Popen(
                command, cwd=here, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
            try:
                status = process.wait(limit)
                ending = signal.Signals(-status).name if status < 0 else TEST_STATUS.get(status, "exit %d" % status)
            except subprocess.TimeoutExpired:
                ending = "timeout"
                process.send_signal(signal.SIGABRT)  # faulthandler tells where
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    pass
            finally:
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                process.wait()
        return ending

    def look_at(self, trace):
        """(what is wrong with it, events, lost events)"""
        deadline = time.monotonic() + 20
        while True:
            if not os.path.exists(trace):
                return "no trace", 0, 0
            info = self.ask("info", trace, "--format", "json")
            facts = json.loads(info.stdout)["trace"] if info.returncode == 0 else None
            if (facts and facts["complete"]) or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        if not facts:
            return "unreadable: " + info.stderr.strip(), 0, 0
        problems = [] if facts["complete"] else ["not complete"]
        check = self.ask("check", trace)
        if check.returncode != 0:
            problems.append("check: " + " / ".join(check.stdout.strip().splitlines()[:3]))
        problems += INEXACT.findall(self.ask("threads", trace).stdout)
        return ", ".join(problems), facts["events"], facts["lost"]

    def ask(self, *arguments):
        return subprocess.run([self.analyze, *arguments], capture_output=True, text=True, errors="replace", timeout=600)


def read_outcomes(module, results, log):
    """{case: outcome}. The XML has those that ended well; failures are read from the log, which names those of subtests, too."""
    outcomes = {}
    if os.path.exists(results) and os.path.getsize(results) > 0:
        for case in xml.etree.ElementTree.parse(results).iter("testcase"):
            if "name" in case.attrib:
                outcomes[short(module, case.attrib["name"])] = "skipped" if case.find("skipped") is not None else "passed"
    with open(log, encoding="utf-8", errors="replace") as file:
        for kind, name, place in HEADING.findall(file.read()):
            if not place.endswith("." + name):  # doctests, setUpClass, setUpModule
                place += "." + name
            outcomes[short(module, place)] = "failed" if kind == "FAIL" else "error"
    return outcomes


def short(module, case):
    """Without the module's name before it, and without addresses, which subtests may name."""
    module = module.removeprefix("test.")
    return re.sub(r" at 0x[0-9a-f]+", "", case).removeprefix("test.").removeprefix(module).removeprefix(".")


def last_begun(log):
    with open(log, encoding="utf-8", errors="replace") as file:
        begun = BEGUN.findall(file.read())
    return " in " + begun[-1] if begun else ""


def differences(bare, recorded):
    """{case: (outcome of the bare run, of the recorded one)} of those that differ."""
    differing = {}
    whole = all(not run.ending.startswith(("SIG", "timeout")) for run in (bare, recorded))
    if whole:
        for case in sorted({*bare.outcomes, *recorded.outcomes}):
            pair = bare.outcomes.get(case, "absent"), recorded.outcomes.get(case, "absent")
            if pair[0] != pair[1]:
                differing[case] = pair
    if bare.ending != recorded.ending and not differing:
        differing[ENDING] = bare.ending, recorded.ending
    if recorded.trace:
        differing[TRACE] = "exact", recorded.trace
    return differing
