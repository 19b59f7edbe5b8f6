"""`python -m pytrace`: what it says, and that a wrong command line runs nothing."""

import os
import unittest

from e2e import TestCase, top


class CommandLine(TestCase):
    def pytrace(self, *arguments, **how):
        return self.run_python("-m", "pytrace", *arguments, **how)

    def refused(self, outcome, *words):
        """Status 2 and one line that holds all the words; no program was run."""
        message = outcome.stderr.decode()
        self.assertEqual((outcome.status, outcome.stdout), (2, b""), message)
        self.assertEqual(message.count("\n"), 1, message)
        self.assertTrue(message.startswith("pytrace: "), message)
        for word in words:
            self.assertIn(word, message)

    def test_help(self):
        for arguments in ("--help",), ("-h",), ("record", "--help"), ("record", "-o", "x", "-h", "program.py"):
            with self.subTest(arguments):
                outcome = self.pytrace(*arguments)
                self.assert_succeeded(outcome)
                self.assertIn("usage: python -m pytrace record", outcome.stdout.decode())
                self.assertEqual(outcome.files, {})

    def test_help_tells_every_option(self):
        from pytrace import _record

        for option in [*_record.VALUES, *_record.FLAGS]:
            if option not in ("--argv", "--children"):  # the defaults, which need no telling
                self.assertIn(option, _record.HELP)

    def test_version(self):
        import pytrace

        self.assert_succeeded(self.pytrace("--version"), "pytrace %s\n" % pytrace.__version__)

    def test_unknown_words(self):
        self.refused(self.pytrace())
        self.refused(self.pytrace("recrod", "x.py"), "recrod", "did you mean record?")
        self.refused(self.pytrace("--versoin"), "--versoin", "did you mean --version?")
        self.refused(self.pytrace("record", "--rnig-size", "1M", "-c", "print(1)"), "--rnig-size", "did you mean --ring-size?")
        self.refused(self.pytrace("record", "--zzzzzzzzzz", "-c", "print(1)"), "--zzzzzzzzzz")

    def test_missing_words(self):
        self.refused(self.pytrace("record"), "no program")
        self.refused(self.pytrace("record", "-m"), "-m")
        self.refused(self.pytrace("record", "-c"), "-c")
        self.refused(self.pytrace("record", "--output"), "--output")

    def test_wrong_values(self):
        for option in (
            "--level=many",
            "--level=99",
            "--max-threads=0",
            "--ring-size=1",
            "--ring-size=huge",
            "--policy=maybe",
            "--clock=wall",
            "--flush-interval=soon",
            "--max-size=-1",
            "--force=yes",
        ):
            with self.subTest(option):
                self.refused(self.record("-c", "print(1)", options=[option]), "pytrace: " + option.partition("=")[0])
                self.assertFalse(os.path.exists(self.trace))

    def test_wrong_values_are_no_case_for_keep_going(self):
        self.refused(self.record("-c", "print(1)", options=["--keep-going", "--policy=maybe"]), "policy")

    def test_values(self):
        options = ["--ring-size", "64K", "--max-threads=8", "--policy=drop", "--flush-interval", "100ms", "--max-size=1M", "--level=3"]
        options += ["--no-c-calls", "--no-argv", "--no-children", "--ring-dir", self.here]
        self.assert_succeeded(self.record("-c", "print(len('x'))", options=options), "1\n")
        facts = top(self.trace)
        self.assertFalse(facts["trace"]["c_calls"])
        self.assertEqual([function["kind"] for function in facts["functions"] if function["kind"] != "py"], [])

    def test_last_option_wins(self):
        self.assert_succeeded(self.record("-c", "len('x')", options=["--no-c-calls", "--c-calls"]))
        self.assertTrue(top(self.trace)["trace"]["c_calls"])

    def test_options_end_at_the_program(self):
        self.write("program.py", "import sys; print(sys.argv)")
        self.assert_succeeded(self.record("program.py", "--force", "-o", "x"), "['program.py', '--force', '-o', 'x']\n")
        self.assert_succeeded(self.record("--", "program.py", options=["--force"]), "['program.py']\n")

    def test_output(self):
        for form in ["-o", "out.bin"], ["-oout.bin"], ["--output", "out.bin"], ["--output=out.bin"], []:
            with self.subTest(form):
                outcome = self.pytrace("record", "--force", *form, "-c", "print(1)")
                self.assert_succeeded(outcome, "1\n")
                self.assertEqual(list(outcome.files), ["out.bin" if form else "trace.bin"])
                for name in outcome.files:
                    os.remove(os.path.join(self.here, name))

    def test_output_pattern(self):
        outcome = self.pytrace("record", "-o", "trace-%p-%t.bin", "-c", "import os; print(os.getpid())")
        self.assert_succeeded(outcome)
        (name,) = outcome.files
        self.assertTrue(name.startswith("trace-%s-" % outcome.stdout.decode().strip()), name)
        self.assertNotIn("%", name)

    def test_existing_output(self):
        with open(self.trace, "w") as file:
            file.write("precious")
        self.refused(self.record("-c", "print(1)"), self.trace, "--force")
        with open(self.trace) as file:
            self.assertEqual(file.read(), "precious")
        self.assert_succeeded(self.record("-c", "print(1)", options=["--force"]), "1\n")
        self.assertEqual(top(self.trace)["trace"]["lost"], 0)

    def test_unwritable_output(self):
        self.trace = "/no/such/directory/trace.bin"
        self.refused(self.record("-c", "print(1)"), "/no/such/directory")

    def test_keep_going(self):
        self.trace = "/no/such/directory/trace.bin"
        outcome = self.record("-c", "print(1); raise SystemExit(3)", options=["--keep-going"])
        self.assertEqual((outcome.status, outcome.stdout), (3, b"1\n"))
        self.assertEqual(outcome.stderr.count(b"\n"), 1)
        self.assertIn(b"not recording", outcome.stderr)

    def test_the_program_may_use_the_api(self):
        self.write(
            "program.py",
            "import pytrace\n"
            "def inside(): pass\n"
            "def outside(): pass\n"
            "assert pytrace.is_recording()\n"
            "try: pytrace.start('other.bin')\n"
            "except RuntimeError as error: print(error)\n"
            "inside()\n"
            "pytrace.stop()\n"
            "outside()\n"
            "with pytrace.recording('other.bin'): outside()\n",
        )
        outcome = self.record("program.py")
        self.assert_succeeded(outcome)
        self.assertIn(b"already", outcome.stdout)
        names = [{function["name"] for function in top(trace)["functions"]} for trace in (self.trace, os.path.join(self.here, "other.bin"))]
        self.assertEqual([name & {"inside", "outside"} for name in names], [{"inside"}, {"outside"}])
        self.assertEqual(top(self.trace)["trace"]["ended"], "stopped")


if __name__ == "__main__":
    unittest.main()
