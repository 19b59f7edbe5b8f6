"""Files that are no trace, or not one for this version: the analyzer says what is wrong, in one line, and ends with status 2.

    bad_input.py ANALYZER
"""

import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

ANALYZER = sys.argv.pop(1)
COMMANDS = [[], ["tree"], ["info"], ["threads"], ["check"], ["dump"], ["callers", "main"]]


def newer_trace():
    """A header block of SPEC.md 2.1 and 3, valid but for its major version."""
    payload = struct.pack("<HHIQQ", 2, 0, 0, 0, 0) + b"\xa0"
    head = b"\xb7PTRC\r\n\x1a" + struct.pack("<HHIQI", 1, 0, len(payload), 0, zlib.crc32(payload))
    return head + struct.pack("<I", zlib.crc32(head)) + payload


class NotATrace(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.path = pathlib.Path(place.name, "trace.bin")

    def refuse(self, *words):
        """Every command refuses self.path, naming the file and one of the words."""
        for command in COMMANDS:
            with self.subTest(command=command):
                done = subprocess.run([ANALYZER, *command, self.path], capture_output=True, text=True, timeout=60)
                self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                self.assertTrue(done.stderr.startswith("pytrace-analyze: "), done.stderr)
                self.assertIn(str(self.path), done.stderr)
                self.assertTrue(any(word in done.stderr.lower() for word in words), done.stderr)

    def test_empty_file(self):
        self.path.write_bytes(b"")
        self.refuse("empty")

    def test_text_file(self):
        self.path.write_text("Dear reader, this is no trace.\n" * 100)
        self.refuse("not a pytrace")

    def test_random_bytes(self):
        self.path.write_bytes(random.Random(1).randbytes(65536))
        self.refuse("not a pytrace")

    def test_directory(self):
        self.path.mkdir()
        self.refuse("directory")

    def test_missing_file(self):
        self.refuse("no such file")

    def test_newer_format(self):
        self.path.write_bytes(newer_trace())
        self.refuse("version", "newer")

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_unreadable_file(self):
        self.path.write_bytes(b"")
        self.path.chmod(0)
        self.refuse("permission")

    def test_device(self):
        self.path.symlink_to("/dev/null")
        self.refuse("not a regular file")


if __name__ == "__main__":
    unittest.main()
