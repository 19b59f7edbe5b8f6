"""`pip install .`: what a wheel holds, that it works in a virtual environment, and that nothing is left of it afterwards.

pip fetches the build backend from a package index. Where there is none, the test is skipped, but not where CI is set.
"""

import collections
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
import unittest
import zipfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIPPED = 77  # as CMakeLists.txt has it
SECONDS = 300

PROGRAM = """\
def leaf(n):
    return abs(n)

def main():
    for n in range(1000):
        leaf(n)

main()
"""

STARTS_OTHERS = """\
import subprocess, sys

def leaf():
    pass

leaf()
with open("child.py", "w") as file:
    file.write("import sys\\ndef leaf(): pass\\nfor _ in range(int(sys.argv[1])): leaf()\\nprint(sys.argv[2])")
subprocess.run([sys.executable, "child.py", "20", "one"], check=True)
subprocess.run([sys.executable, "-I", "child.py", "300", "two"], check=True)
subprocess.run([sys.executable, "-S", "child.py", "4000", "three"], check=True)
"""

# All that tells a program how it was started.
LOOKS_AROUND = """\
import json, os, sys
environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTRACE_")}
print(json.dumps([sys.argv, getattr(sys, "orig_argv", None), sys.path, list(sys.modules), list(sys.path_importer_cache),
                  list(sys.flags), sys.executable, sys.prefix, environment, os.getcwd()]))
"""


def environment():
    """Nothing of a build directory: the wheel must stand alone."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTRACE"))}


def run(*command, **how):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, env=environment(), **how)


def output(*command, **how):
    done = run(*command, **how)
    if done.returncode != 0:
        raise AssertionError("%s: status %d\n%s" % (" ".join(command), done.returncode, done.stdout.decode()))
    return done.stdout.decode()


class VirtualEnvironment:
    def __init__(self, parent):
        self.root = tempfile.mkdtemp(dir=parent)
        output(sys.executable, "-m", "venv", self.root)
        self.python = self.program("python")

    def program(self, name):
        return os.path.join(self.root, "bin", name)

    def pip(self, *arguments, **how):
        return output(self.python, "-m", "pip", "--disable-pip-version-check", *arguments, **how)

    def files(self):
        """All paths, but for what pip compiled of itself while it ran."""
        return {
            os.path.relpath(os.path.join(directory, name), self.root)
            for directory, directories, names in os.walk(self.root)
            for name in (*directories, *names)
            if os.sep + "pip" + os.sep not in os.path.join(directory, name) and not name == "__pycache__"
        }


def why_not():
    """Why wheels cannot be built here, or None."""
    try:
        import ensurepip  # noqa: F401  venv needs it, and distributions leave it out
        import venv  # noqa: F401
    except ImportError as error:
        return "no virtual environments: %s" % error
    place = VirtualEnvironment(scratch)
    done = run(place.python, "-m", "pip", "download", "--no-deps", "--dest", scratch, "--retries", "1", "scikit-build-core")
    return None if done.returncode == 0 else "pip reaches no package index:\n" + done.stdout.decode()


def version():
    with open(os.path.join(SOURCE, "CMakeLists.txt")) as file:
        return re.search(r"project\(pytrace VERSION ([0-9.]+)", file.read()).group(1)


def build_wheel():
    place = VirtualEnvironment(scratch)
    wheels = os.path.join(scratch, "wheels")
    place.pip("wheel", "--no-deps", "--wheel-dir", wheels, SOURCE)
    (name,) = os.listdir(wheels)
    return os.path.join(wheels, name)


def setUpModule():
    global wheel
    wheel = build_wheel()


class Wheel(unittest.TestCase):
    def test_its_tags_are_those_of_the_interpreter(self):
        python = "cp%d%d" % sys.version_info[:2]
        abi = python + ("t" if sysconfig.get_config_var("Py_GIL_DISABLED") else "")
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        self.assertEqual(os.path.basename(wheel), "pytrace-%s-%s-%s-%s.whl" % (version(), python, abi, platform))

    def test_it_holds_what_it_should(self):
        with zipfile.ZipFile(wheel) as archive:
            members = {info.filename: stat.S_IMODE(info.external_attr >> 16) for info in archive.infolist()}
        with open(os.path.join(SOURCE, "recorder", "CMakeLists.txt")) as file:
            files = re.search(r"PYTHON_FILES ([^)]+)\)", file.read()).group(1).split()
        data, facts = "pytrace-%s.data/scripts/" % version(), "pytrace-%s.dist-info/" % version()
        programs = {"pytrace/pytrace-drain", data + "pytrace", data + "pytrace-analyze"}
        self.assertEqual(
            set(members),
            {"pytrace/" + name for name in files}
            | {"pytrace/_core" + sysconfig.get_config_var("EXT_SUFFIX"), "pytrace.pth"}
            | {facts + name for name in ("METADATA", "WHEEL", "RECORD", "licenses/LICENSE")}
            | programs,
        )
        for name in programs:
            self.assertEqual(members[name] & 0o111, 0o111, name)

    def test_every_python_file_of_the_package_is_in_it(self):
        with zipfile.ZipFile(wheel) as archive:
            members = archive.namelist()
        for name in os.listdir(os.path.join(SOURCE, "recorder", "pytrace")):
            if name != "__pycache__":
                self.assertIn("pytrace/" + name, members)


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = VirtualEnvironment(scratch)
        # 3.13 and later load a decoder (encodings.utf_8_sig) to read whatever .pth file there is.
        any_pth = os.path.join(output(cls.place.python, "-c", "import site; print(site.getsitepackages()[0])").strip(), "any.pth")
        with open(any_pth, "w") as file:
            file.write("# nothing\n")
        cls.modules_before = cls.modules_at_start()
        os.remove(any_pth)
        cls.place.pip("install", "--no-index", wheel)

    @classmethod
    def modules_at_start(cls):
        return set(output(cls.place.python, "-c", "import sys; print(*sys.modules)").split())

    def setUp(self):
        self.here = tempfile.mkdtemp(dir=scratch)
        self.trace = os.path.join(self.here, "trace.bin")
        self.program = os.path.join(self.here, "program.py")

    def write(self, text):
        with open(self.program, "w") as file:
            file.write(text)

    def run_here(self, *command):
        return output(*command, cwd=self.here)

    def report(self, *arguments):
        """Quiet: where the drain process is late, the analyzer would tell that it waits for the end of the file."""
        return json.loads(self.run_here(self.place.program("pytrace-analyze"), *arguments, "--quiet", "--format", "json"))

    def calls(self):
        report = self.report(self.trace, "--top", "0")
        self.assertTrue(report["trace"]["complete"], report["trace"])
        counts = collections.Counter()
        for function in report["functions"]:
            counts[function["name"]] += function["calls"]
        return counts

    def test_versions(self):
        self.assertEqual(self.run_here(self.place.python, "-c", "import pytrace; print(pytrace.__version__)"), version() + "\n")
        self.assertEqual(self.run_here(self.place.program("pytrace"), "--version"), "pytrace %s\n" % version())
        self.assertIn(version(), self.run_here(self.place.program("pytrace-analyze"), "--version"))

    def test_recorded_as_a_module_and_as_a_command(self):
        self.write(PROGRAM)
        for command in [self.place.python, "-m", "pytrace"], [self.place.program("pytrace")]:
            with self.subTest(command):
                self.run_here(*command, "record", "--force", "-o", self.trace, self.program)
                calls = self.calls()
                self.assertEqual((calls["leaf"], calls["main"], calls["abs"]), (1000, 1, 1000))

    def test_pythons_that_it_starts_are_recorded(self):
        self.write(STARTS_OTHERS)
        written = self.run_here(self.place.program("pytrace"), "record", "-o", self.trace, self.program)
        self.assertEqual(written, "one\ntwo\nthree\n")
        self.assertEqual(self.calls()["leaf"], 1 + 20 + 300)  # without site (-S), no .pth file is read
        (recording,) = self.report("info", self.trace)["recordings"]
        self.assertEqual(
            [  # before 3.10 subprocess forks, and these are processes, too
                (process["origin"], process["program"], process["ended"])
                for process in recording["processes"]
                if process["origin"] != "fork"
            ],
            [("start", self.program, "exited"), ("exec", "child.py", "exited"), ("exec", "child.py", "exited")],
        )

    def test_children_are_left_alone_if_told_so(self):
        self.write(STARTS_OTHERS)
        self.run_here(self.place.program("pytrace"), "record", "--no-children", "-o", self.trace, self.program)
        self.assertEqual(self.calls()["leaf"], 1)

    def test_a_recorded_program_sees_nothing_of_the_command(self):
        self.write(LOOKS_AROUND)
        for arguments in [self.program, "--top", "3"], ["-m", "program"], ["-c", LOOKS_AROUND, "x"]:
            with self.subTest(arguments):
                bare = self.run_here(self.place.python, *arguments)
                recorded = self.run_here(self.place.program("pytrace"), "record", "--force", "-o", self.trace, *arguments)
                self.assertEqual(json.loads(bare), json.loads(recorded))

    def test_the_command_hands_on_the_status(self):
        self.write("import sys; sys.exit(7)")
        self.assertEqual(run(self.place.program("pytrace"), "record", "-o", self.trace, self.program).returncode, 7)
        self.assertEqual(run(self.place.program("pytrace"), "recrod").returncode, 2)

    def test_a_start_that_is_not_recorded_loads_nothing_more(self):
        self.assertEqual(self.modules_at_start(), self.modules_before)


class Removed(unittest.TestCase):
    def test_nothing_is_left(self):
        place = VirtualEnvironment(scratch)
        here = tempfile.mkdtemp(dir=scratch)
        before = place.files()
        place.pip("install", "--no-index", wheel)
        self.assertGreater(place.files(), before)
        output(place.program("pytrace"), "record", "-o", "trace.bin", "-c", "import subprocess", cwd=here)
        place.pip("uninstall", "--yes", "pytrace")
        self.assertEqual(place.files(), before)


if __name__ == "__main__":
    scratch = tempfile.mkdtemp(prefix="pytrace-package-")
    try:
        reason = why_not()
        if reason and not os.environ.get("CI"):
            print("skipped: " + reason)
            sys.exit(SKIPPED)
        unittest.main(exit=True)
    finally:
        shutil.rmtree(scratch)
