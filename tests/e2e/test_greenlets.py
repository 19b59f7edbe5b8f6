"""Greenlets: each has a stack of its own, and every event stands in that of the greenlet which ran.

The packages greenlet and gevent lie in PYTRACE_GREENLETS, put there by scripts/greenlet-packages; without them the tests are skipped (status 77).
"""

import collections
import importlib.util
import json
import os
import signal
import subprocess
import sys
import sysconfig
import unittest

from e2e import ANALYZE, PROGRAMS, SECONDS, TestCase, analyze, dump, top

PACKAGES = os.environ.get("PYTRACE_GREENLETS", "")
sys.path[:0] = [PACKAGES, PROGRAMS]
HAVE_GREENLET = importlib.util.find_spec("greenlet") is not None
HAVE_GEVENT = HAVE_GREENLET and importlib.util.find_spec("gevent") is not None

CALLS = {"start", "resume", "throw", "c_call"}
RETURNS = {"return", "yield", "unwind", "c_return", "c_raise"}


class GreenletCase(TestCase):
    def path(self):
        # On a free-threaded build greenlet switches the GIL on, with a warning: here that was asked for.
        gil = {"PYTHON_GIL": "1"} if sysconfig.get_config_var("Py_GIL_DISABLED") else {}
        return {"PYTHONPATH": os.pathsep.join([PACKAGES, PROGRAMS, os.environ["PYTHONPATH"]]), **gil}

    def complete(self, *arguments):
        facts = top(self.trace, *arguments)["trace"]
        self.assertTrue(facts["complete"], facts)
        self.assertEqual(facts["lost"], 0)
        return facts

    def seen(self, functions):
        """The recorded events of these functions, as judge_greenlets.py logs them, by thread; {thread: stack that was left over} too."""
        names = {thread["tid"]: thread["name"] for thread in analyze("threads", self.trace)["threads"]}
        running, numbers, events = collections.Counter(), collections.defaultdict(dict), collections.defaultdict(list)
        for line in dump(self.trace):
            thread = names[line["tid"]]
            if line["kind"] == "switch":
                running[thread] = line["greenlet"]
            name = line["name"].rpartition(".")[2]
            if line["kind"] in CALLS | RETURNS and functions(line["module"], name):
                known = numbers[thread]
                number = known.setdefault(running[thread], len(known))
                events[thread].append([number, "call" if line["kind"] in CALLS else "return", name])
        return events


@unittest.skipUnless(HAVE_GREENLET, "no greenlet")
class EventByEvent(GreenletCase):
    def judge(self, scenario):
        log = os.path.join(self.here, "log.json")
        outcome = self.run_python(os.path.join(PROGRAMS, "judge_greenlets.py"), scenario, log, self.trace, env=self.path())
        self.assert_succeeded(outcome)
        with open(log) as file:
            expected = json.load(file)
        c_functions = ("switch", "throw", "sorted", "sum") if sys.version_info >= (3, 12) else ()
        found = self.seen(lambda module, name: module == "greenlets" or (name in c_functions and module != "greenlets"))
        self.assertEqual(set(found), set(expected))
        for thread, events in expected.items():
            for i, pair in enumerate(zip(events, found[thread])):
                self.assertEqual(*pair, "event %d of %s" % (i, thread))
            self.assertEqual(len(events), len(found[thread]), thread)
        self.complete()
        check = subprocess.run([ANALYZE, "check", self.trace], stdout=subprocess.PIPE, timeout=SECONDS)
        self.assertEqual(check.returncode, 0, check.stdout.decode())


def add_scenarios():
    import greenlets

    for scenario in greenlets.SCENARIOS:
        name = scenario.__name__
        setattr(EventByEvent, "test_" + name, lambda self, name=name: self.judge(name))


if HAVE_GREENLET:
    add_scenarios()


@unittest.skipUnless(HAVE_GREENLET, "no greenlet")
class Stacks(GreenletCase):
    """What a program says that it does, against what is read."""

    def start_and_stop(self, text, **how):
        """Runs a program that records itself, into sys.argv[1]."""
        outcome = self.run_python(self.write("app.py", text), self.trace, env=self.path(), **how)
        self.assert_succeeded(outcome)
        return outcome.stdout.decode()

    def paths(self, name):
        """The paths that lead to a function, outermost first, each with its calls."""
        paths, found = {None: []}, []
        for node in self.nodes():
            paths[node["id"]] = paths[node["parent"]] + [node["name"].rpartition(".")[2]]
            if paths[node["id"]][-1] == name:
                found.append((paths[node["id"]], node["calls"]))
        return sorted(found)

    def nodes(self):
        return analyze("tree", self.trace, "--min-pct", "0")["nodes"]

    def leaves_match(self):
        """Each leave in the dump must be that of the frame which its own greenlet entered last."""
        stacks, running = collections.defaultdict(list), collections.Counter()
        for line in dump(self.trace):
            stack = stacks[line["tid"], running[line["tid"]]]
            if line["kind"] == "switch":
                running[line["tid"]] = line["greenlet"]
            elif line["kind"] in CALLS | {"open"}:
                stack.append(line["name"])
            elif line["kind"] in RETURNS:
                self.assertEqual(stack.pop(), line["name"])
        return stacks

    def test_suspended_before_the_recording(self):
        self.start_and_stop(
            """
import sys, pytrace
from greenlet import getcurrent, greenlet

def inner(n):
    if n:
        return inner(n - 1)
    home.switch()
    home.switch()

def values():
    yield inner(1)

def body():
    for _ in values():
        pass

home = getcurrent()
player = greenlet(body)
player.switch()
pytrace.start(sys.argv[1])
player.switch()
player.switch()
pytrace.stop()
"""
        )
        found = [(line["kind"], line["name"].rpartition(".")[2] or line.get("greenlet")) for line in dump(self.trace)]
        switch, back = ("c_call", "switch"), ("c_return", "switch")
        self.assertEqual(
            found,
            [("open", "<module>"), switch, ("switch", 1), ("open", "body"), ("open", "values"), ("open", "inner"), ("open", "inner")]
            + [switch, ("switch", 0), back, switch, ("switch", 1), back, ("return", "inner"), ("return", "inner"), ("yield", "values")]
            + [("resume", "values"), ("return", "values"), ("return", "body"), ("switch", 0), back, ("close", "<module>")],
        )

    def test_time_set_aside_is_nobodys(self):
        self.start_and_stop(
            """
import sys, time, pytrace
from greenlet import getcurrent, greenlet

def wait():
    home.switch()

def player():
    wait()
    wait()

home = getcurrent()
pytrace.start(sys.argv[1])
one = greenlet(player)
one.switch()
time.sleep(0.3)
one.switch()
time.sleep(0.3)
one.switch()
pytrace.stop()
"""
        )
        functions = {function["name"].rpartition(".")[2]: function for function in top(self.trace)["functions"]}
        threads = analyze("threads", self.trace)["threads"]
        self.assertGreaterEqual(functions["sleep"]["total_ns"], 600_000_000)
        self.assertLess(functions["player"]["total_ns"], functions["sleep"]["total_ns"])
        self.assertLess(functions["wait"]["max_ns"], 300_000_000)
        self_ns = sum(function["self_ns"] for function in functions.values())
        self.assertAlmostEqual(self_ns, threads[0]["busy_ns"], delta=10 * len(functions))
        self.assertEqual({node["name"] for node in self.nodes() if node["parent"] is None}, {"<module>", "player"})

    def test_without_c_calls(self):
        self.assert_succeeded(
            self.record(
                "-c", "import greenlets; greenlets.ping_pong(); greenlets.generators()", options=["--no-c-calls"], env=self.path()
            )
        )
        self.complete()
        self.leaves_match()
        self.assertEqual(self.paths("turns"), [(["<lambda>", "turns"], 3)])

    def test_events_lost_while_greenlets_took_turns(self):
        self.start_and_stop(
            """
import os, signal, sys, time, pytrace
from greenlet import getcurrent, greenlet

def drain():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid) as file:
                line = file.read()
        except OSError:
            continue
        if line.startswith("pytrace-drain") and sys.argv[1] in line:
            return int(pid)

def tail():
    pass

def below():
    home.switch()
    tail()

def player():
    below()

def busy():
    while True:
        home.switch()

def turns(other):
    for _ in range(5000):
        other.switch()

home = getcurrent()
pytrace.start(sys.argv[1], policy="drop", ring_size="16K")
one, other = greenlet(player), greenlet(busy)
one.switch()
pid = drain()
os.kill(pid, signal.SIGSTOP)
turns(other)
os.kill(pid, signal.SIGCONT)
for _ in range(50):
    time.sleep(0.02)
other.switch()
one.switch()
tail()
pytrace.stop()
"""
        )
        self.assertGreater(top(self.trace)["trace"]["lost"], 0)
        self.assertIn("forget", {line["kind"] for line in dump(self.trace)})
        self.assertEqual(self.paths("tail"), [(["<module>", "tail"], 1), (["player", "below", "tail"], 1)])

    def drain(self):
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % name) as file:
                    if file.read().startswith("pytrace-drain\0" + self.trace):
                        return int(name)
            except OSError:
                continue
        self.fail("there is no drain")

    def test_killed_while_greenlets_take_turns(self):
        text = """
import sys, greenlets, pytrace
from greenlet import getcurrent, greenlet

def player(depth):
    while True:
        greenlets.deep(depth, home.switch)

home = getcurrent()
pytrace.start(sys.argv[1], ring_size="64K", flush_interval="20ms")
players = [greenlet(player) for _ in range(20)]
for depth, one in enumerate(players):
    one.switch(depth)
print("ready", flush=True)
sys.stdin.readline()
while True:
    for one in players:
        one.switch()
"""
        program = subprocess.Popen(
            [sys.executable, self.write("app.py", text), self.trace],
            env={**os.environ, **self.path()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            program.stdout.readline()
            drain = self.drain()
            program.stdin.write(b"\n")
            program.stdin.flush()
            while os.path.getsize(self.trace) < 100_000:
                self.assertIsNone(program.poll())
            os.kill(drain, signal.SIGKILL)
            self.assertIn(b"the drain process does not answer", program.stderr.readline())  # its ring is full
        finally:
            program.kill()
            program.communicate()
        facts = top(self.trace)["trace"]
        self.assertGreater(facts["recovered"], 0, facts)
        stacks = self.leaves_match()
        self.assertEqual(len(stacks), 21)

    def test_fork_in_a_greenlet(self):
        text = """
import os
from greenlet import getcurrent, greenlet

def leaf():
    pass

def fork():
    pid = os.fork()
    leaf()
    return pid

def player():
    pid = fork()
    home.switch(pid)

home = getcurrent()
pid = greenlet(player).switch()
leaf()
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
"""
        self.assert_succeeded(self.record(self.write("app.py", text), env=self.path()))
        self.complete()
        self.assertEqual(self.paths("leaf"), [(["<module>", "leaf"], 2), (["player", "fork", "leaf"], 2)])


@unittest.skipUnless(HAVE_GREENLET, "no greenlet")
class OtherTracers(GreenletCase):
    """greenlet has one trace function a thread: the program's own is called as before."""

    PROGRAM = """
import sys
from greenlet import getcurrent, gettrace, greenlet, settrace

import pytrace

seen = []

def tracer(event, arguments):
    seen.append((event, [names[id(one)] for one in arguments]))

def faulty(event, arguments):
    raise OSError("tracer")

def leaf():
    pass

def player(n):
    for _ in range(n):
        leaf()
        home.switch()

home = getcurrent()
one = greenlet(player)
names = {id(home): "home", id(one): "one"}
%s
print(seen)
"""
    TURN = [("switch", ["home", "one"]), ("switch", ["one", "home"])]

    def run_program(self, steps):
        outcome = self.run_python(self.write("app.py", self.PROGRAM % steps), self.trace, env=self.path())
        self.assert_succeeded(outcome)
        return outcome.stdout.decode().splitlines()

    def greenlets_of(self, name):
        """The greenlet in which each call of a function stands."""
        running, found = 0, []
        for line in dump(self.trace):
            running = line.get("greenlet", running)
            if line["kind"] == "start" and line["name"] == name:
                found.append(running)
        return found

    def assert_turns(self, expected):
        self.assertEqual(self.greenlets_of("leaf"), expected)

    def test_one_that_was_there_before(self):
        out = self.run_program(
            """
settrace(tracer)
pytrace.start(sys.argv[1])
one.switch(3)
leaf()
one.switch()
pytrace.stop()
print(gettrace() is tracer)
"""
        )
        self.assertEqual(out, ["True", str(self.TURN * 2)])
        self.assert_turns([1, 0, 1])

    def test_one_that_comes_later(self):
        out = self.run_program(
            """
pytrace.start(sys.argv[1])
one.switch(4)
before = settrace(tracer)
one.switch()
leaf()
settrace(before)
one.switch()
pytrace.stop()
print(gettrace())
"""
        )
        self.assertEqual(out, ["None", str(self.TURN)])
        self.assert_turns([1, 1, 0, 1])

    def test_one_that_calls_ours(self):
        out = self.run_program(
            """
pytrace.start(sys.argv[1])
one.switch(4)
before = settrace(lambda event, arguments: (tracer(event, arguments), before(event, arguments)))
one.switch()
leaf()
one.switch()
pytrace.stop()
"""
        )
        self.assertEqual(out, [str(self.TURN * 2)])
        self.assert_turns([1, 1, 0, 1])

    def test_one_that_raises_is_taken_away_alone(self):
        out = self.run_program(
            """
pytrace.start(sys.argv[1])
settrace(faulty)
try:
    one.switch(4)
except OSError as error:
    print(error)
other = greenlet(player)
names[id(other)] = "other"
other.switch(2)
leaf()
other.switch()
pytrace.stop()
"""
        )
        self.assertEqual(out, ["tracer", "[]"])
        self.assertEqual(len(set(self.greenlets_of("leaf"))), 2)

    def test_one_that_replaces_ours_unseen_is_noted(self):
        self.run_program(
            """
pytrace.start(sys.argv[1], c_calls=False, ring_size="16K")
one.switch(10)
settrace(None)
for _ in range(3000):
    leaf()
one.switch()
leaf()
pytrace.stop()
"""
        )
        process = analyze("info", self.trace)["recordings"][0]["processes"][0]
        self.assertIn("greenlet's trace function was replaced", " ".join(process["notes"]))
        one, home, *_, last_but_one, last = self.greenlets_of("leaf")
        self.assertEqual((last_but_one, last), (one, home))


@unittest.skipUnless(HAVE_GEVENT, "no gevent")
class Gevent(GreenletCase):
    def test_counts_are_those_of_the_program(self):
        counts = os.path.join(self.here, "counts.json")
        program = os.path.join(PROGRAMS, "gevents.py")
        self.assert_succeeded(self.record(program, counts, env=self.path()))
        with open(counts) as file:
            expected = json.load(file)
        found = {function["name"]: function["calls"] for function in top(self.trace)["functions"] if function["file"] == program}
        self.assertEqual({name: found.get(name) for name in expected}, expected)
        self.complete()
        check = subprocess.run([ANALYZE, "check", self.trace], stdout=subprocess.PIPE, timeout=SECONDS)
        self.assertEqual(check.returncode, 0, check.stdout.decode())


if __name__ == "__main__":
    if not HAVE_GREENLET:
        print("skipped: there is no greenlet for this interpreter in PYTRACE_GREENLETS=%r" % PACKAGES)
        sys.exit(77)
    unittest.main()
