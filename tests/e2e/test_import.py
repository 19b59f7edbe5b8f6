"""Where pytrace cannot work, importing it says so in one sentence."""

import glob
import os
import shutil
import subprocess
import sys
import unittest

import pytrace
from e2e import TestCase

PACKAGE = os.path.dirname(pytrace.__file__)


class Import(TestCase):
    def refused(self, *lines):
        """The message of the ImportError after these lines."""
        program = [*lines, "try:", "    import pytrace", "except ImportError as error:", "    print(error)"]
        outcome = self.run_python("-c", "\n".join(program))
        self.assert_succeeded(outcome)
        return outcome.stdout.decode().rstrip("\n")

    def test_versions_that_are_too_old_or_too_new(self):
        message = "pytrace is for CPython 3.9 to 3.15, this is "
        self.assertEqual(self.refused("import sys", "sys.version_info = (3, 8, 20)"), message + "3.8")
        self.assertEqual(self.refused("import sys", "sys.version_info = (3, 16, 0)"), message + "3.16")
        self.assertEqual(self.refused("import sys", "sys.version_info = (4, 0, 0)"), message + "4.0")

    def test_free_threaded_builds(self):
        message = "of free-threaded builds pytrace is for CPython 3.13 only, this is 3.14"
        self.assertEqual(self.refused("import sys", "sys.version_info = (3, 14, 1)", "sys.abiflags = 't'"), message)

    def test_another_implementation(self):
        self.assertEqual(self.refused("import sys", "sys.implementation.name = 'pypy'"), "pytrace records CPython only, this is pypy")

    def test_extension_of_another_interpreter(self):
        os.mkdir(os.path.join(self.here, "pytrace"))
        for path in glob.glob(os.path.join(PACKAGE, "*.py")):
            shutil.copy(path, os.path.join(self.here, "pytrace"))
        found = self.refused("import sys", "sys.path.insert(0, %r)" % self.here)
        self.assertEqual(
            found,
            "pytrace is not built for this interpreter (%s); build it with make PYTHON=%s" % (sys.implementation.cache_tag, sys.executable),
        )

    def test_real_python_3_8(self):
        pyenv = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
        interpreters = [*glob.glob(pyenv + "/versions/3.8.*/bin/python3"), *filter(None, [shutil.which("python3.8")])]
        if not interpreters:
            self.skipTest("there is none here")
        done = subprocess.run(
            [interpreters[0], "-c", "import pytrace"], cwd=self.here, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.assertEqual(done.stderr.decode().splitlines()[-1:], ["ImportError: pytrace is for CPython 3.9 to 3.15, this is 3.8"])


if __name__ == "__main__":
    unittest.main()
