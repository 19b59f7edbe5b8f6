"""Trees, callers and callees are three views of the same calls: their figures agree with those of `top`, for real programs."""

import collections
import csv
import io
import os
import pty
import re
import signal
import subprocess
import time
import unittest

from e2e import ANALYZE, PROGRAMS, SECONDS, TestCase, analyze, environment, is_asleep, top

IDENTITY = ("kind", "module", "name", "file", "line", "label")
COUNTS = ("calls", "primitive", "raised")


def identity(function):
    return tuple(function[key] for key in IDENTITY)


def run(*arguments, env=()):
    return subprocess.run(
        [ANALYZE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS, env=environment(**dict(env))
    )


class PathsCase(TestCase):
    def record_program(self, name):
        program = os.path.join(PROGRAMS, name + ".py")
        self.assertEqual(self.record("-c", "import sys; sys.path.insert(0, %r); import %s; %s.main()" % (PROGRAMS, name, name)).status, 0, program)


class FiguresTest(PathsCase):
    """Nanoseconds are rounded once a node or an edge: sums may be off by one for each."""

    PROGRAMS = ("recursion", "generators", "exceptions", "callbacks", "threads")

    def check_tree(self, functions, nodes, primitive):
        sums = collections.defaultdict(collections.Counter)
        for node in nodes:
            for key in (*COUNTS, "self_ns"):
                sums[identity(node)][key] += node[key]
        self.assertEqual(set(sums), set(functions))
        for key, function in functions.items():
            for count in COUNTS:
                if count != "primitive" or primitive:
                    self.assertEqual(sums[key][count], function[count], (key, count))
            self.assertAlmostEqual(sums[key]["self_ns"], function["self_ns"], delta=len(nodes))

    def check_additive(self, nodes):
        """The total of a node is its own time and that of what is below it; nothing here stalls."""
        below = collections.Counter()
        for node in nodes:
            below[node["parent"]] += node["total_ns"]
        for node in nodes:
            self.assertEqual(node["total_ns"], node["self_ns"] + below[node["id"]])

    def check_edges(self, functions, blocks):
        self.assertEqual({identity(block) for block in blocks}, set(functions))
        for block in blocks:
            function = functions[identity(block)]
            for key in (*COUNTS, "recursion"):
                self.assertEqual(block[key], function[key])
            self.assertAlmostEqual(block["self_ns"], function["self_ns"], delta=1)
            self.assertAlmostEqual(block["total_ns"], function["total_ns"], delta=1 + len(block["callers"]))
            self.assertEqual(sum(edge["calls"] for edge in block["callers"]), block["calls"])
            self.assertEqual(sum(edge["total_ns"] for edge in block["callers"]), block["total_ns"])
            self.assertAlmostEqual(
                sum(edge["total_ns"] for edge in block["callees"]) + block["self_ns"],
                block["total_ns"],
                delta=2 + len(block["callees"]) + len(block["callers"]),
            )

    def check_both_ends(self, blocks):
        """Each call is seen from both of its ends."""
        from_callees = {(identity(edge), identity(block)): edge["calls"] for block in blocks for edge in block["callers"] if edge["kind"]}
        from_callers = {(identity(block), identity(edge)): edge["calls"] for block in blocks for edge in block["callees"]}
        self.assertEqual(from_callees, from_callers)

    def test_three_views_of_the_same_calls(self):
        for program in self.PROGRAMS:
            with self.subTest(program):
                if os.path.exists(self.trace):
                    os.remove(self.trace)
                self.record_program(program)
                functions = {identity(function): function for function in top(self.trace)["functions"]}
                tree = analyze("tree", self.trace)["nodes"]
                raw = analyze("tree", self.trace, "--no-collapse")["nodes"]
                blocks = analyze("callers", ".", self.trace)["functions"]
                self.assertGreater(len(functions), 5)
                self.check_tree(functions, tree, primitive=True)
                self.check_tree(functions, raw, primitive=False)
                self.check_additive(tree)
                self.check_additive(raw)
                self.check_edges(functions, blocks)
                self.check_both_ends(blocks)

    def test_a_tree_for_each_thread(self):
        self.record_program("threads")
        nodes = analyze("tree", self.trace, "--by", "thread")["nodes"]
        roots = [node for node in nodes if node["parent"] is None]
        self.assertEqual({node["kind"] for node in roots}, {"thread"})
        threads = top(self.trace, "--by", "thread")["threads"]
        self.assertEqual({node["tid"] for node in roots}, {thread["tid"] for thread in threads})
        self.check_additive(nodes)

    def test_csv_has_what_json_has(self):
        self.record_program("recursion")
        nodes = analyze("tree", self.trace)["nodes"]
        rows = list(csv.DictReader(io.StringIO(run("tree", self.trace, "--format", "csv").stdout.decode())))
        self.assertEqual([row["id"] for row in rows], [str(node["id"]) for node in nodes])
        for row, node in zip(rows, nodes):
            for key in ("module", "name", "label", *COUNTS, "self_ns", "total_ns", "recursion"):
                self.assertEqual(row[key], str(node[key]))
        blocks = analyze("callees", "is_even", self.trace)["functions"]
        rows = list(csv.DictReader(io.StringIO(run("callees", "is_even", self.trace, "--format", "csv").stdout.decode())))
        self.assertEqual(len(rows), sum(1 + len(block["callers"]) + len(block["callees"]) for block in blocks))

    def test_recursion_in_the_table(self):
        self.record_program("recursion")
        table = run("tree", self.trace, "--min-pct", "0").stdout.decode()
        self.assertRegex(table, r"recursion:fibonacci ↻ [0-9,]+ calls, depth ≤ \d+")
        table = run("callers", "fibonacci$", self.trace).stdout.decode()
        self.assertRegex(table, r"–\s+–\s+[0-9,]+\s+├ recursion:fibonacci\n")
        self.assertRegex(table, r"► recursion:fibonacci ↻\d+ +self ")


class MannersTest(PathsCase):
    def setUp(self):
        super().setUp()
        self.record_program("recursion")

    def on_a_terminal(self, *arguments, **env):
        """What the program writes to a terminal of 60 columns."""
        try:
            main, terminal = pty.openpty()
        except OSError as error:  # a bare chroot has no /dev/pts
            self.skipTest(f"no terminal here: {error}")
        process = subprocess.Popen(
            [ANALYZE, *arguments],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env=environment(TERM="xterm", COLUMNS="60", **env),
        )
        os.close(terminal)
        written = b""
        while True:
            try:
                part = os.read(main, 65536)
            except OSError:  # the other side is gone
                break
            if not part:
                break
            written += part
        os.close(main)
        self.assertEqual(process.wait(SECONDS), 0)
        return written.decode()

    def test_colour_and_cut_lines_only_on_a_terminal(self):
        plain = run("tree", self.trace).stdout.decode()
        self.assertNotIn("\x1b", plain)
        self.assertGreater(max(map(len, plain.splitlines())), 60)
        shown = self.on_a_terminal("tree", self.trace, "--no-pager")
        self.assertIn("\x1b[", shown)
        lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
        self.assertEqual(max(map(len, lines)), 60)
        self.assertNotIn("\x1b", self.on_a_terminal("tree", self.trace, "--no-pager", NO_COLOR="1"))

    def test_the_pager(self):
        shown = self.on_a_terminal("tree", self.trace, PAGER="sed 's/^/paged: /'")
        self.assertTrue(shown.startswith("paged: "), shown)
        self.assertNotIn("paged: ", self.on_a_terminal("tree", self.trace, "--no-pager", PAGER="sed 's/^/paged: /'"))
        self.assertIn("fibonacci", self.on_a_terminal("tree", self.trace, PAGER="/no/such/pager"))
        self.assertNotIn("paged: ", run("tree", self.trace, env={"PAGER": "sed 's/^/paged: /'"}).stdout.decode())

    def test_output_files(self):
        output = os.path.join(self.here, "tree.txt")
        self.assertEqual(run("tree", self.trace, "-o", output).returncode, 0)
        with open(output, "rb") as file:
            self.assertEqual(file.read(), run("tree", self.trace).stdout)
        refused = run("tree", self.trace, "-o", output)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--force", refused.stderr.decode())
        self.assertEqual(run("tree", self.trace, "-o", output, "--force").returncode, 0)
        self.assertEqual(os.listdir(self.here), ["tree.txt"])

    def test_errors_are_one_line_that_says_what_to_do(self):
        top(self.trace)  # waits for the end of the file, and would say so
        for arguments, expected in [
            (("callers", "a(", self.trace), r"RE 'a\(': "),
            (("tree", self.trace, "--focus", "["), r"--focus '\['"),
            (("callers", "nobody_has_this_name", self.trace), r"no function matches 'nobody_has_this_name'"),
            (("tree", self.trace, "--sort", "totl"), r"did you mean total"),
            (("tree", self.trace, "--by", "module"), r"--by"),
            (("callers", self.trace), r"no trace given"),
        ]:
            with self.subTest(arguments):
                done = run(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, b""))
                self.assertRegex(done.stderr.decode(), r"^pytrace-analyze: .*%s.*\n$" % expected)

    def test_help_of_every_command(self):
        general = run("--help").stdout.decode()
        commands = re.findall(r"^  (\w+)(?: RE)?  +", general[general.index("Commands") : general.index("Options")], re.MULTILINE)
        self.assertIn("tree", commands)
        for command in commands:
            with self.subTest(command):
                done = run(command, "--help", "--width", "70")
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                self.assertRegex(done.stdout.decode(), r"Example\n  pytrace-analyze %s .*trace" % command)
                self.assertNotIn("…", done.stdout.decode().partition("Options")[2])

    def test_a_reader_that_leaves_ends_it_quietly(self):
        process = subprocess.Popen(
            [ANALYZE, "dump", self.trace], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        )
        process.stdout.read(1000)
        process.stdout.close()
        self.assertEqual((process.wait(SECONDS), process.stderr.read()), (0, b""))
        process.stderr.close()

    def test_ctrl_c_while_nobody_reads(self):
        """The pipe is full, the program waits in a write: Ctrl-C ends it with 130 and nothing is left behind."""
        process = subprocess.Popen([ANALYZE, "dump", self.trace, "--format", "json"], stdout=subprocess.PIPE, bufsize=0, env=environment())
        process.stdout.read(1)
        while not is_asleep(process.pid):
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        try:
            self.assertEqual(process.wait(SECONDS), 130)
        finally:
            process.kill()
            process.stdout.close()


if __name__ == "__main__":
    unittest.main()
