"""What the end-to-end tests share: running programs, bare and recorded, and reading their traces.

The tests run under the interpreter whose recorder they test. CMake sets PYTHONPATH to the built package and PYTRACE_ANALYZE to the
analyzer.
"""

import collections
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ANALYZE = os.environ["PYTRACE_ANALYZE"]
PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs")
SECONDS = 60  # no program here takes more than a few
GIL = getattr(sys, "_is_gil_enabled", lambda: True)()  # else threads run in parallel

# A shell that starts the tests in the background has these two ignored, and programs would inherit that.
for number in signal.SIGINT, signal.SIGQUIT:
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)

Outcome = collections.namedtuple("Outcome", "status stdout stderr files")


def environment(**more):
    """What programs run in: nothing that a developer's shell could change the outcome by."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", **more}


def analyze(*arguments):
    """The JSON that pytrace-analyze prints."""
    done = subprocess.run([ANALYZE, *arguments, "--format", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS)
    if done.returncode not in (0, 1):
        raise AssertionError("pytrace-analyze %s: %s" % (" ".join(arguments), done.stderr.decode()))
    return json.loads(done.stdout)


def top(trace, *arguments):
    return analyze("top", trace, "--top", "0", *arguments)


def calls(trace, *arguments):
    """{cProfile's label: calls}, without functions that were open at the start and never called."""
    counts = collections.Counter()
    for function in top(trace, *arguments)["functions"]:
        counts[function["label"]] += function["calls"]
    return +counts


def dump(trace, *arguments):
    done = subprocess.run([ANALYZE, "dump", trace, "--format", "json", *arguments], stdout=subprocess.PIPE, timeout=SECONDS, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def is_asleep(pid):
    with open("/proc/%d/stat" % pid) as file:
        return file.read().rpartition(") ")[2].startswith("S")


class TestCase(unittest.TestCase):
    """Every test has an empty directory `here` that the program runs in, and a place `trace` outside of it."""

    maxDiff = None

    def setUp(self):
        top_directory = tempfile.mkdtemp(prefix="pytrace-e2e-")
        self.addCleanup(shutil.rmtree, top_directory, ignore_errors=True)
        os.chmod(top_directory, 0o755)
        self.here = os.path.join(top_directory, "here")
        self.trace = os.path.join(top_directory, "trace.bin")
        os.mkdir(self.here)

    def write(self, name, text):
        path = os.path.join(self.here, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    def run_python(self, *arguments, stdin=b"", send=None, prefix=(), env=()):
        """Runs the interpreter in `here`. `send` is a signal that is sent once the program has printed its first line and sleeps."""
        process = subprocess.Popen(
            [*prefix, sys.executable, *arguments],
            cwd=self.here,
            env=environment(**dict(env)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        first_line = b""
        try:
            if send is not None:
                first_line = process.stdout.readline()
                while process.poll() is None and not is_asleep(process.pid):
                    time.sleep(0.001)
                process.send_signal(send)
            stdout, stderr = process.communicate(stdin, timeout=SECONDS)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # with whatever it has started
            process.communicate()
            raise
        return Outcome(process.returncode, first_line + stdout, stderr, self.files())

    def record(self, *arguments, python=(), options=(), **how):
        return self.run_python(*python, "-m", "pytrace", "record", "-o", self.trace, *options, *arguments, **how)

    def files(self):
        """{name: content} of what lies in `here`."""
        found = {}
        for directory, _, names in os.walk(self.here):
            for name in names:
                path = os.path.join(directory, name)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, self.here)] = file.read()
        return found

    def assert_succeeded(self, outcome, stdout=None):
        self.assertEqual((outcome.status, outcome.stderr.decode()), (0, ""))
        if stdout is not None:
            self.assertEqual(outcome.stdout.decode(), stdout)


def signal_name(status):
    return signal.Signals(-status).name if status < 0 else str(status)
