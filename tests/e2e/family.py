"""What the tests of several processes share: an interpreter whose site-packages have pytrace, as an installed one has, and programs that
count their own calls."""

import collections
import glob
import os
import shutil
import subprocess
import sys
import tempfile

from e2e import ANALYZE, SECONDS, TestCase, analyze, environment

HERE = os.path.dirname(os.path.abspath(__file__))
PTH = os.path.join(os.path.dirname(os.path.dirname(HERE)), "recorder", "pytrace.pth")

# Each call of work() is one line: the process, and how often it has called leaf().
COUNTED = """\
import os

def leaf():
    pass

def work(n):
    for _ in range(n):
        leaf()
    os.write(1, b"%d %d\\n" % (os.getpid(), n))
"""


def make_environment(place):
    """A virtual environment without pip: the package, where it was built, and its .pth file. Returns its interpreter."""
    import pytrace

    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True, timeout=SECONDS)
    (lib,) = glob.glob(os.path.join(place, "lib", "python*", "site-packages"))
    with open(os.path.join(lib, "a-place-to-build-in.pth"), "w") as file:
        file.write(os.path.dirname(os.path.dirname(os.path.abspath(pytrace.__file__))) + "\n")
    shutil.copy(PTH, lib)
    return os.path.join(place, "bin", "python")


class Family(TestCase):
    """Its programs find `counted`, with leaf() and work(n), and `sys.executable` is the interpreter that was made for them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        place = tempfile.mkdtemp(prefix="pytrace-venv-")
        cls.addClassCleanup(shutil.rmtree, place, ignore_errors=True)
        cls.python = make_environment(place)

    def setUp(self):
        super().setUp()
        self.write("counted.py", COUNTED)

    def run_family(self, *command, env=None):
        """Runs it, and returns {process: calls of leaf()} as its processes tell. All of them have ended then, or have closed their
        standard output."""
        variables = environment() if env is None else env
        variables.pop("PYTHONPATH", None)
        process = subprocess.Popen(
            command, cwd=self.here, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            stdout, stderr = process.communicate(timeout=SECONDS)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        self.assertEqual((process.returncode, stderr.decode()), (0, ""))
        told = collections.Counter()
        for line in stdout.decode().splitlines():
            pid, count = line.split()
            told[int(pid)] += int(count)
        return dict(told)

    def record_family(self, source, *options):
        self.write("program.py", source)
        return self.run_family(self.python, "-m", "pytrace", "record", "-o", self.trace, *options, "program.py")

    def processes(self):
        """Those in the trace, in order of their serial numbers, but for forks that did nothing before they executed a program: subprocess
        makes them on 3.9, and everywhere where it cannot do without."""
        (recording,) = analyze("info", self.trace)["recordings"]
        parents = {process["pid"]: process["parent"] for process in recording["processes"]}
        parents[0] = 0
        empty = {p["pid"] for p in recording["processes"] if p["origin"] == "fork" and p["ended"] == "killed" and p["events"] == 0}
        kept = [process for process in recording["processes"] if process["pid"] not in empty]
        for process in kept:
            while process["parent"] in empty:
                process["parent"] = parents[process["parent"]]
        return kept

    def recorded(self):
        """{process: calls of leaf()} as the trace has it; one that executed another program in its place counts with it."""
        counts = collections.Counter()
        for process in self.processes():
            for function in analyze("top", self.trace, "--top", "0", "--pid", str(process["pid"]))["functions"]:
                if function["name"] == "leaf":
                    counts[process["system_pid"]] += function["calls"]
        return dict(counts)

    def assert_exact(self, told):
        """The trace has what the processes have told, all of it."""
        facts = analyze("top", self.trace)["trace"]
        self.assertTrue(facts["complete"], facts)
        self.assertEqual(self.recorded(), told)
        check = subprocess.run([ANALYZE, "check", self.trace], stdout=subprocess.PIPE, timeout=SECONDS)
        self.assertEqual(check.returncode, 0, check.stdout.decode())

    def assert_alone(self):
        """Nobody but the program itself was recorded."""
        self.assertEqual([process["origin"] for process in self.processes()], ["start"])
