"""The promise that the tests named test_invisible_* hold the recorder to: a program cannot tell that it is recorded."""

import os
import re
import shutil
import textwrap
import time

from e2e import TestCase, signal_name, top


def text(output):
    """Output without what differs from run to run: the addresses of objects."""
    return re.sub("0x[0-9a-f]+", "0x…", output.decode())


class InvisibleCase(TestCase):
    def same(self, *command, files=(), root=False, trace=True, lost=False, **how):
        """Runs a program bare and recorded and compares output, status and files. `trace` is False where no frame of
        the program runs."""
        if root and os.geteuid() != 0:
            self.skipTest("needs root")
        options, python = how.pop("options", ()), how.pop("python", ())
        self.prepare(files)
        bare = self.run_python(*python, *command, **how)
        self.prepare(files)
        recorded = self.record(*command, options=options, python=python, **how)

        self.assertEqual(text(bare.stderr), text(recorded.stderr))
        self.assertEqual(text(bare.stdout), text(recorded.stdout))
        self.assertEqual(signal_name(bare.status), signal_name(recorded.status))
        self.assertEqual(bare.files, recorded.files)
        self.assertEqual(os.path.exists(self.trace), trace)
        if trace:
            facts = self.facts()
            self.assertGreater(facts["calls"], 0)
            # Beside other work the drain may come too late; test_exact is about counts, here it must be told.
            self.assertTrue(facts["complete"] or facts["lost"] or lost, facts)
        return recorded

    def facts(self):
        """What the trace says of itself in the end: a child that was killed before it could join is waited for, for ten seconds."""
        deadline = time.monotonic() + 30
        while True:
            facts = top(self.trace)["trace"]
            if facts["complete"] or facts["lost"] or time.monotonic() > deadline:
                return facts
            time.sleep(0.1)

    def same_script(self, source, *arguments, **how):
        return self.same("program.py", *arguments, files={"program.py": source, **how.pop("files", {})}, **how)

    def prepare(self, files):
        """`here`, empty but for the given files."""
        shutil.rmtree(self.here)
        os.mkdir(self.here)
        for name, text in dict(files).items():
            self.write(name, textwrap.dedent(text))
