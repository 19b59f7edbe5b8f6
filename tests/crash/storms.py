"""Programs that come and go fast: daemons, forks from many threads, short-lived threads, signals by the thousand. Nothing hangs, and
every process's and every thread's calls are in the trace, counted by the program itself.

    storms.py ANALYZER      with PYTHONPATH holding the pytrace package

PYTRACE_STORM is how hard it blows: 1 for every day, 100 for the figures that CONTRIBUTING.md names.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

ANALYZER = sys.argv.pop(1)
FORCE = float(os.environ.get("PYTRACE_STORM", "1"))
PATIENCE = 600  # seconds; more than any of this takes on a busy machine

# What a process or a thread did is told by the number of its steps.
STEPS = """
import os, sys
def step(): pass
def steps(n):
    for _ in range(n): step()
"""

# Each generation leaves its parent, which ends at once: whoever counts the living sees one of them at most.
DAEMONS = STEPS + """
generations = int(sys.argv[1])
for generation in range(generations):
    if os.fork(): os._exit(0)
    os.setsid()
    steps(generation)
os._exit(0)
"""

FORKS = STEPS + """
import threading
threads, forks = int(sys.argv[1]), int(sys.argv[2])
def storm(thread):
    for i in range(thread, forks, threads):
        pid = os.fork()
        if pid == 0:
            steps(i % 1000)
            os._exit(0)
        assert os.waitpid(pid, 0) == (pid, 0)
workers = [threading.Thread(target=storm, args=(i,)) for i in range(threads)]
for worker in workers: worker.start()
for worker in workers: worker.join()
"""

THREADS = STEPS + """
import threading
churn = int(sys.argv[1])
for first in range(0, churn, 8):
    workers = [threading.Thread(target=steps, args=(i % 1000,)) for i in range(first, first + 8)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
"""

# The timer is wound up again as the handler's last act: the handler is never interrupted by itself, so that its count is true. Whatever
# it interrupts, at whichever instruction, is left by its exception every third time.
SIGNALS = """
import signal, sys, time
class Raised(Exception): pass
hits = raised = 0
def handler(number, frame):
    global hits, raised
    hits += 1
    raise_now = hits % 3 == 0
    raised += raise_now
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    if raise_now: raise Raised
def leaf(n): return n
def generate(n):
    for i in range(n): yield leaf(i)
def work():
    return sum(generate(20)) + len(sorted(range(50), key=leaf))
def main(end):
    while time.monotonic() < end:
        try:
            while time.monotonic() < end: work()
        except Raised: pass
end = time.monotonic() + float(sys.argv[1])
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.001)
while True:
    try:
        main(end)
        signal.setitimer(signal.ITIMER_REAL, 0)
        break
    except Raised: pass
signal.signal(signal.SIGALRM, signal.SIG_IGN)
print(hits)
"""


def told(steps):
    """The calls on paths through step(): its own, and the one of steps() if that came so far."""
    return steps + (steps > 0)


def times(count):
    return max(1, round(count * FORCE))


class Storms(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.trace = pathlib.Path(place.name) / "trace.bin"
        # Both processors have something else to do, as on a machine in production.
        for _ in range(2):
            burner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            self.addCleanup(burner.wait)
            self.addCleanup(burner.kill)

    def record(self, program, *arguments):
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "pytrace", "record", "--force", "-o", str(self.trace), "-c", program]
        done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def ask(self, *arguments):
        """The analyzer's answer, once the recording has ended."""
        deadline = time.monotonic() + PATIENCE
        while True:
            done = subprocess.run([ANALYZER, *arguments, str(self.trace), "--format", "json"], capture_output=True, text=True, timeout=PATIENCE)
            self.assertIn(done.returncode, (0, 1), done.stderr)
            answer = json.loads(done.stdout)
            if answer["trace"]["complete"]:
                return answer
            self.assertEqual(answer["trace"]["lost"] or 0, 0, answer["trace"])
            self.assertLess(time.monotonic(), deadline, answer["trace"])
            time.sleep(0.05)

    def calls(self, name):
        functions = self.ask("top", "--top", "0")["functions"]
        return sum(function["calls"] for function in functions if function["name"] == name)

    def test_daemons(self):
        """The recording goes on although its only process ends, again and again: its child is on the way."""
        generations = 20
        for _ in range(times(1)):
            self.record(DAEMONS, generations)
            processes = self.ask("threads", "--by", "process", "--focus", ":step$")["processes"]
            self.assertEqual([process["calls"] for process in processes], [0, *map(told, range(generations))])
            self.assertEqual(self.calls("setsid"), generations)

    def test_fork_storm(self):
        threads, forks = 32, times(100)
        self.record(FORKS, threads, forks)
        processes = self.ask("threads", "--by", "process", "--focus", ":step$")["processes"]
        parent, children = processes[0], processes[1:]
        self.assertEqual(parent["threads"], threads + 1)
        self.assertEqual(sorted(child["calls"] for child in children), sorted(told(i % 1000) for i in range(forks)))
        self.assertEqual({child["threads"] for child in children}, {1})

    def test_thread_churn(self):
        churn = times(100) // 8 * 8
        self.record(THREADS, churn)
        answer = self.ask("threads", "--top", "0")
        self.assertEqual(answer["trace"]["threads"], churn + 1)
        self.assertEqual(self.calls("step"), sum(i % 1000 for i in range(churn)))

    def test_signals(self):
        hits = int(self.record(SIGNALS, times(1) * 0.6 if FORCE >= 10 else 2))
        self.assertGreater(hits, 0)
        self.assertEqual(self.calls("handler"), hits)


if __name__ == "__main__":
    unittest.main(verbosity=2)
