"""Kills the recorded program, the drain process, or both, at random moments, and reads what is left.

Whatever happens, the trace must open and every worker's stream must be a beginning of the true sequence (sequence.py): nothing invented,
nothing twice, nothing missing that was published before the kill. PYTRACE_KILLS sets the number of kills (default 100), PYTRACE_SEED
repeats a run.

    kill_campaign.py ANALYZER      with PYTHONPATH holding the pytrace package
"""

import collections
import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

import sequence

VICTIM = pathlib.Path(__file__).with_name("victim.py")
WORDS = 4096  # of shared progress: one flag, and a word for each worker
STOP, FIRST = 0, 1

Plan = collections.namedtuple("Plan", "threads children storm ring target startup")


class Failure(Exception):
    pass


def make_plan(chance, index):
    """The cases go round, so that a short campaign meets each of them; the moments are random."""
    threads, children, storm = [(1, 0, 0), (4, 0, 0), (16, 0, 0), (1, 3, 0), (2, 2, 0), (0, 3, 40)][index % 6]
    target = ("program", "drain", "both")[index // 6 % 3]
    return Plan(threads, children, storm, chance.choice(["64K", "1M"]), target, target != "drain" and chance.random() < 0.15)


def states(pid):
    """Of all its threads: the first one may be dead while others are not."""
    for task in os.listdir(f"/proc/{pid}/task"):
        yield pathlib.Path("/proc", str(pid), "task", task, "stat").read_text().rpartition(")")[2].split()[:3]


def processes():
    """(pid, process group) of everything that runs; who is dead but not yet buried does not."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                group = next((group for state, _, group in states(entry) if state not in "ZX"), None)
            except OSError:
                continue
            if group:
                yield int(entry), int(group)


def is_drain_of(pid, trace):
    """The command line of a drain process names its trace."""
    try:
        words = pathlib.Path("/proc", str(pid), "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return words[0].endswith(b"pytrace-drain") and os.fsencode(trace) in words[1:]


def wait_until(condition, what):
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"{what} takes too long")
        time.sleep(0.002)


class Run:
    """One recorded victim, in a directory of its own which holds trace and arena."""

    def __init__(self, analyzer, directory, plan):
        self.analyzer, self.directory, self.plan = analyzer, pathlib.Path(directory), plan
        self.trace = self.directory / "trace.bin"
        self.progress = self.directory / "progress"
        self.progress.write_bytes(bytes(8 * WORDS))
        self.errors = self.directory / "stderr"
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pytrace", "record", "-o", self.trace, "--ring-size", plan.ring]
                + ["--ring-dir", self.directory, "--flush-interval", "50ms"]
                + [VICTIM, self.progress, str(plan.threads), str(plan.children), str(plan.storm)],
                start_new_session=True,
                stderr=errors,
            )

    def words(self):
        return struct.unpack(f"={WORDS}Q", self.progress.read_bytes())

    def request_stop(self):
        with open(self.progress, "r+b") as file:
            file.write(struct.pack("=Q", 1))

    def wait_until_begun(self):
        last = FIRST + self.plan.threads + self.plan.children
        wait_until(lambda: all(self.words()[FIRST:last]) or self.process.poll() is not None, "starting the program")
        if self.process.returncode is not None:
            raise Failure(f"the program did not start: {self.errors.read_text()}")

    def kill_program(self):
        """With its children."""
        os.killpg(self.process.pid, signal.SIGKILL)

    def program_is_dead(self):
        self.process.poll()
        return all(group != self.process.pid for _, group in processes())

    def find_drain(self):
        return next((pid for pid, _ in processes() if is_drain_of(pid, self.trace)), None)

    def kill_drain(self):
        drain = self.find_drain()
        if drain is not None:
            os.kill(drain, signal.SIGKILL)
        return drain is not None

    def kill(self, chance):
        """Kills what the plan says, and waits until it is dead. Returns the progress that must be in the trace, at least."""
        target = self.plan.target
        published = None
        if target == "program" or (target == "both" and chance.random() < 0.5):
            self.kill_program()
        else:
            # Without its drain the program runs on for a moment, and drops what its rings cannot hold.
            published = self.words()
            if not self.kill_drain() and not self.plan.startup:
                raise Failure("there is no drain process")
        if target == "both":
            self.kill_program()
            self.kill_drain()
        if target == "drain":
            time.sleep(chance.uniform(0, 0.02))
            self.request_stop()
            if self.process.wait(timeout=60) != 0:
                raise Failure(f"the program ended with {self.process.returncode} without its drain: {self.errors.read_text()}")
        wait_until(self.program_is_dead, "the death of the program")
        if target != "program" or self.plan.storm:
            # A child that was being born may or may not exist: the drain waits for it, up to ten seconds.
            wait_until(lambda: self.find_drain() is None, "the end of the drain process")
        return published or self.words()

    def analyze(self, *arguments):
        done = subprocess.run([self.analyzer, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        return done.returncode, done.stdout, done.stderr.decode(errors="replace")

    def verify(self, published, second_look):
        """Raises Failure or sequence.Mismatch. Returns the number of events that were compared, and how many were lost."""
        status, dump, errors = self.analyze("dump", self.trace, "--format", "json")
        if status != 0:
            if self.plan.startup and not any(published):
                return 0, 0  # killed before anything was recorded: there may be no trace, or an empty one
            raise Failure(f"dump ended with {status}: {errors}")
        if second_look and self.analyze("dump", self.trace, "--format", "json")[1] != dump:
            raise Failure("a second look at the same remains gave another answer")

        seen_events = lost_events = 0
        missing = {worker: units for worker, units in enumerate(published[FIRST:]) if units}
        for tid, stream in sequence.read_dump(dump).items():
            begin = stream.begins_at()
            worker = None if begin is None else stream.worker(begin)
            if worker is None:
                continue
            try:
                seen, lost = sequence.compare(stream.events[begin:], sequence.work(worker))
            except sequence.Mismatch as mismatch:
                raise Failure(f"thread {tid}, worker {worker}: {mismatch}") from None
            due = sequence.events_through(worker, missing.pop(worker, 0))
            if seen + lost < due:
                raise Failure(f"thread {tid}, worker {worker}: {seen} events, {lost} lost, but {due} were published")
            seen_events += seen
            lost_events += lost
        if missing:
            # On a busy machine the drain may be too late with rings for new threads: no stream, but every event counted as lost.
            due = sum(sequence.events_through(worker, units) for worker, units in missing.items())
            told = json.loads(self.analyze("top", self.trace, "--format", "json", "--top", "1")[1])["trace"]["lost"] or 0
            if told - lost_events < due:
                raise Failure(f"no stream of these workers (number: units done): {missing}; {told} events told as lost, {due} due")
            lost_events = told

        if self.plan.target == "program" and not self.plan.startup and not lost_events:
            status, findings, errors = self.analyze("check", self.trace)
            if status != 0:
                raise Failure(f"the drain lived, but check ended with {status}: {findings.decode()}{errors}")
        return seen_events, lost_events


def one_kill(analyzer, directory, plan, chance):
    run = Run(analyzer, directory, plan)
    try:
        if plan.startup:
            time.sleep(chance.uniform(0, 0.25))
        else:
            run.wait_until_begun()
            time.sleep(chance.uniform(0, 0.06))
        published = run.kill(chance)
        return run.verify(published, second_look=plan.target != "program" and chance.random() < 0.2)
    finally:
        if run.process.poll() is None:
            run.kill_program()
        run.process.wait()
        run.kill_drain()


def place():
    """Where traces and arenas go: memory, if there is any."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def main():
    analyzer = sys.argv[1]
    kills = int(os.environ.get("PYTRACE_KILLS", "100"))
    seed = os.environ.get("PYTRACE_SEED") or str(random.SystemRandom().randrange(10**9))
    print(f"{kills} kills, PYTRACE_SEED={seed}", flush=True)
    totals = collections.Counter()
    for index in range(kills):
        chance = random.Random(f"{seed}:{index}")
        plan = make_plan(chance, index)
        directory = tempfile.mkdtemp(prefix="pytrace-kill-", dir=place())
        try:
            events, lost = one_kill(analyzer, directory, plan, chance)
        except (Failure, sequence.Mismatch, subprocess.TimeoutExpired) as failure:
            print(f"kill {index}, {plan}: {failure}\nwhat is left of it: {directory}", flush=True)
            return 1
        shutil.rmtree(directory)
        totals[plan.target] += 1
        totals["events"] += events
        totals["lost"] += lost
    targets = ", ".join(f"{totals[target]} {target}" for target in ("program", "drain", "both"))
    if not totals["events"]:
        print("nothing was recorded at all")
        return 1
    print(f"killed: {targets}; {totals['events']:,} events compared, none missing, none twice, none invented; {totals['lost']:,} told as lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
