"""export as a command: where it writes, what it refuses, what an interrupted one leaves behind."""
import os
import pty
import re
import signal
import subprocess
import time
import unittest

import exports

FORMATS = re.findall(r"^  ([a-z]+)  ", exports.run("export", "folded", "--help").stdout.decode().partition("Formats")[2].partition("Options")[0],
                     re.MULTILINE)
TRACE = exports.VECTORS / "good-complete.bin"


class Command(exports.TestCase):
    def refused(self, *arguments):
        done = exports.run("export", *arguments, check=False)
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        return done.stderr.decode()

    def test_it_writes_to_a_file_what_it_writes_to_standard_output(self):
        exports.run("export", "folded", TRACE, "-o", self.here / "out")
        self.assertEqual((self.here / "out").read_bytes(), exports.export("folded", TRACE))
        self.assertEqual(exports.export("folded", TRACE, "-o", "-"), exports.export("folded", TRACE))

    def test_a_file_that_exists_is_kept_unless_forced(self):
        (self.here / "out").write_text("mine")
        self.assertIn("--force", self.refused("folded", TRACE, "-o", self.here / "out"))
        self.assertEqual((self.here / "out").read_text(), "mine")
        exports.run("export", "folded", TRACE, "-o", self.here / "out", "--force")
        self.assertEqual((self.here / "out").read_bytes(), exports.export("folded", TRACE))

    def test_a_format_that_is_mistyped_is_proposed(self):
        self.assertIn("did you mean folded?", self.refused("fodled", TRACE))
        self.assertIn("export --help", self.refused("xyz", TRACE))
        self.assertIn("FORMAT", self.refused())

    def test_a_trace_that_cannot_be_read_leaves_no_file(self):
        self.refused("folded", self.here / "nothing.bin", "-o", self.here / "out")
        self.assertEqual(os.listdir(self.here), [])

    def test_damaged_traces_are_exported_or_refused(self):
        """With every format; a sanitizer that finds something, and a crash, give other statuses."""
        for trace in sorted(exports.VECTORS.glob("*.bin")):
            read = exports.run("top", trace, check=False).returncode
            for name in FORMATS:
                with self.subTest(trace=trace.name, format=name):
                    self.assertEqual(exports.run("export", name, trace, check=False).returncode, read)

    def test_what_is_binary_is_not_written_to_a_terminal(self):
        for name in FORMATS:
            master, terminal = pty.openpty()
            done = subprocess.run([exports.ANALYZE, "export", name, TRACE, "-q"], stdout=terminal, stderr=subprocess.PIPE,
                                  env={"PATH": os.environ["PATH"], "TERM": "dumb", "PAGER": ""}, timeout=60)
            os.close(terminal)
            os.close(master)
            binary = name in ("pstats", "pprof", "perfetto")
            self.assertEqual((done.returncode, b"binary" in done.stderr), (2, True) if binary else (0, False), name)

    def test_format_does_not_go_with_it(self):
        self.assertIn("--format", self.refused("folded", TRACE, "--format", "json"))

    @unittest.skipUnless(exports.RECORDED, "there is no recorder")
    def test_an_interrupted_one_leaves_no_file(self):
        many = [str(exports.RECORDED)] * 300  # some seconds of work
        process = subprocess.Popen([exports.ANALYZE, "export", "folded", *many, "-q", "-o", str(self.here / "out")])
        while process.poll() is None and not os.listdir(self.here):
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        self.assertEqual((process.wait(60), os.listdir(self.here)), (130, []))


if __name__ == "__main__":
    unittest.main()
