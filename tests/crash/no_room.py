"""The recorder where there is no room, or no permission: the program never suffers, and the user is told.

    no_room.py ANALYZER      with PYTHONPATH holding the pytrace package
"""

import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import unittest

ANALYZER = sys.argv.pop(1)
MIB = 1 << 20

# Enough events for several MiB of trace: the arguments of the calls never repeat in time, so the time column does not compress away.
BUSY = """
def leaf(n): return n
total = 0
for n in range(1_000_000): total += leaf(n) + len("xx")
print(total)
"""
BUSY_OUTPUT = str(sum(range(1_000_000)) + 2_000_000) + "\n"


def in_mount_namespace(setup, command):
    """A command that runs `setup` (shell) in a mount namespace of its own before `command`; None if that is not permitted here."""
    for unshare in (["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"]):
        if subprocess.run([*unshare, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode == 0:
            return [*unshare, "sh", "-ec", setup + '\nexec "$@"', "sh", *command]
    return None


class NoRoom(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)
        self.trace = self.place / "trace.bin"

    def record_command(self, *arguments, trace=None):
        return [sys.executable, "-m", "pytrace", "record", "-o", str(trace or self.trace), *arguments]

    def run_command(self, command, **options):
        return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)

    def in_namespace(self, setup, *commands):
        """Runs shell commands one after the other in one mount namespace."""
        wrapped = in_mount_namespace(setup, ["sh", "-c", "\n".join(commands)])
        if wrapped is None:
            self.skipTest("mounting is not permitted here")
        return self.run_command(wrapped)

    def facts(self, trace=None):
        done = self.run_command([ANALYZER, trace or self.trace, "--format", "json"])
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["trace"]

    def refused(self, done, *words):
        """Nothing was run, and one line says why."""
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_existing_output_is_kept(self):
        self.trace.write_text("precious")
        self.refused(self.run_command(self.record_command("-c", "print('ran')")), str(self.trace), "exists")
        self.assertEqual(self.trace.read_text(), "precious")

    def test_force_replaces_it(self):
        self.trace.write_text("not precious")
        done = self.run_command(self.record_command("--force", "-c", "print('ran')"))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "ran\n", ""))
        self.assertTrue(self.facts()["complete"])

    def test_force_replaces_files_only(self):
        self.refused(self.run_command(self.record_command("--force", "-c", "pass", trace=self.place)), "Is a directory")
        os.mkfifo(self.trace)
        self.refused(self.run_command(self.record_command("--force", "-c", "pass")), str(self.trace), "not supported")
        self.assertTrue(self.trace.is_fifo())

    def test_missing_directory(self):
        trace = self.place / "nowhere" / "trace.bin"
        self.refused(self.run_command(self.record_command("-c", "print('ran')", trace=trace)), str(trace), "No such file")

    def test_unwritable_directory(self):
        trace = "/proc/trace.bin"
        self.refused(self.run_command(self.record_command("-c", "print('ran')", trace=trace)), trace)

    def test_keep_going_runs_the_program_anyway(self):
        trace = self.place / "nowhere" / "trace.bin"
        done = self.run_command(self.record_command("--keep-going", "-c", "print('ran')", trace=trace))
        self.assertEqual((done.returncode, done.stdout), (0, "ran\n"))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(str(trace), done.stderr)

    def test_full_disk(self):
        """The trace's file system fills up: the program is not stopped, what fits is valid, the rest is told as lost."""
        disk = self.place / "disk"
        disk.mkdir()
        program = self.place / "busy.py"
        program.write_text(BUSY)
        done = self.in_namespace(
            f"mount -t tmpfs -o size=256k tmpfs {disk}",
            " ".join(self.record_command(str(program), trace=disk / "trace.bin")),
            f"echo $? > {self.place}/status",
            f"cp {disk}/trace.bin {self.trace}",
        )
        self.assertEqual((self.place / "status").read_text(), "0\n", done.stderr)
        self.assertEqual(done.stdout, BUSY_OUTPUT)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        facts = self.facts()
        self.assertFalse(facts["complete"])
        self.assertGreater(facts["events"], 0)

    def test_full_disk_at_the_end(self):
        """Nothing is lost, for the ring holds it all; but the file is not what it should be, and one line says so."""
        disk = self.place / "disk"
        disk.mkdir()
        done = self.in_namespace(
            f"mount -t tmpfs -o size=40k tmpfs {disk}",
            " ".join(self.record_command("-c", "'import this, json; [json.dumps(i) for i in range(3000)]'", trace=disk / "trace.bin")),
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "pytrace: cannot write the trace: No space left on device; the trace is incomplete\n")

    def test_full_disk_at_stop(self):
        """pytrace.stop() has a caller to tell."""
        disk = self.place / "disk"
        disk.mkdir()
        program = self.place / "stop.py"
        program.write_text(
            "import json, pytrace, this\n"
            f"pytrace.start({str(disk / 'trace.bin')!r})\n"
            "[json.dumps(i) for i in range(30000)]\n"
            "pytrace.stop()\n"
        )
        done = self.in_namespace(f"mount -t tmpfs -o size=40k tmpfs {disk}", f"{sys.executable} {program}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("RuntimeWarning: cannot write the trace: No space left on device", done.stderr)

    def test_full_shared_memory(self):
        """No room in /dev/shm: the arena stands beside the trace, which is noted, and nothing is missing."""
        program = self.place / "busy.py"
        program.write_text(BUSY)
        done = self.in_namespace(
            "mount -t tmpfs -o size=64k tmpfs /dev/shm",
            " ".join(self.record_command(str(program))),
            f"echo $? > {self.place}/status",
        )
        self.assertEqual((self.place / "status").read_text(), "0\n", done.stderr)
        self.assertEqual((done.stdout, done.stderr), (BUSY_OUTPUT, ""))
        facts = self.facts()
        self.assertEqual((facts["complete"], facts["lost"]), (True, 0))
        self.assertGreaterEqual(facts["calls"], 2_000_000)
        info = self.run_command([ANALYZER, "info", self.trace]).stdout
        self.assertIn(f"arena in {self.place}", info)

    def test_no_shared_memory_and_full_disk(self):
        """Room nowhere: one line, status 2, the program not run."""
        disk = self.place / "disk"
        disk.mkdir()
        done = self.in_namespace(
            f"mount -t tmpfs -o size=64k tmpfs /dev/shm; mount -t tmpfs -o size=64k tmpfs {disk}",
            " ".join(self.record_command("-c", "pass", trace=disk / "trace.bin")),
            f"echo $? > {self.place}/status",
        )
        self.assertEqual((self.place / "status").read_text(), "2\n", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_file_size_limit(self):
        """RLIMIT_FSIZE: either recording is refused, or the program runs as ever; no SIGXFSZ reaches it."""
        limit = MIB

        def set_limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        done = self.run_command(self.record_command("-c", BUSY), preexec_fn=set_limit)
        if done.returncode == 2:
            self.refused(done, "too large")
        else:
            self.assertEqual((done.returncode, done.stdout), (0, BUSY_OUTPUT), done.stderr)
            self.assertGreater(self.facts()["events"], 0)

    def test_size_limit_ends_the_recording_cleanly(self):
        done = self.run_command(self.record_command("--max-size", "256K", "-c", BUSY))
        self.assertEqual((done.returncode, done.stdout), (0, BUSY_OUTPUT), done.stderr)
        self.assertLessEqual(self.trace.stat().st_size, 256 * 1024)
        self.assertEqual(self.facts()["ended"], "limit")


if __name__ == "__main__":
    unittest.main()
