"""Programs that a recorded one executes: all in the one file, each of their calls; and what they must not notice."""

import json
import os
import shlex
import signal
import subprocess
import sys
import sysconfig
import tempfile
import unittest

from e2e import SECONDS, analyze, dump, environment
from family import Family

CHILD = "from counted import work; work(%d)"


class Executed(Family):
    def family(self, source, *options):
        told = self.record_family("import os, subprocess, sys\nfrom counted import work\n" + source, *options)
        self.assert_exact(told)
        return told

    def origins(self):
        """[(origin, index of the parent or None)]"""
        processes = self.processes()
        index = {process["pid"]: i for i, process in enumerate(processes)}
        return [(process["origin"], index.get(process["parent"])) for process in processes]

    def test_subprocess(self):
        told = self.family(
            "def child(n, *options, **how):\n"
            "    subprocess.run([sys.executable, *options, '-c', 'from counted import work; work(%d)' % n], check=True, **how)\n"
            "work(10)\n"
            "child(20)\n"
            "child(30, env=dict(os.environ))\n"
            "child(40, env=os.environ.copy(), close_fds=False)\n"
            "child(50, env={name: value for name, value in os.environb.items()})\n"
            "child(60, start_new_session=True, preexec_fn=lambda: None)\n"
        )
        self.assertEqual(sorted(told.values()), [10, 20, 30, 40, 50, 60])

    def test_isolated(self):
        self.write("child.py", "def leaf(): pass\nfor _ in range(7): leaf()\nimport os; print(os.getpid(), 7)\n")
        self.family("for option in '-I', '-E', '-s': subprocess.run([sys.executable, option, 'child.py'], check=True)\n")

    def test_modules_directories_and_standard_input(self):
        self.write("package/__init__.py", "from counted import work; work(1)")
        self.write("package/__main__.py", "from counted import work; work(2)")
        self.write("directory/__main__.py", "import sys; sys.path.append('.'); from counted import work; work(3)")
        told = self.family(
            "subprocess.run([sys.executable, '-m', 'package'], check=True)\n"
            "subprocess.run([sys.executable, 'directory'], check=True)\n"
            "subprocess.run([sys.executable], input=b'from counted import work; work(4)', check=True)\n"
            "subprocess.run([sys.executable, '-'], input=b'from counted import work; work(5)', check=True)\n"
        )
        self.assertEqual(sorted(told.values()), [3, 3, 4, 5])
        self.assertEqual(self.origins(), [("start", None)] + 4 * [("exec", 0)])

    def test_the_first_frame_is_the_programs(self):
        self.family("subprocess.run([sys.executable, '-c', 'pass'], check=True)")
        (_, child) = self.processes()
        (function,) = analyze("top", self.trace, "--pid", str(child["pid"]), "--py")["functions"]
        self.assertEqual((function["name"], function["calls"]), ("<module>", 1))

    def test_posix_spawn(self):
        self.family(
            "command = [sys.executable, '-c', 'from counted import work; work(5)']\n"
            "os.waitpid(os.posix_spawn(command[0], command, os.environ), 0)\n"
            "os.spawnv(os.P_WAIT, command[0], command)\n"
        )

    def test_what_is_chosen_is_chosen_there_too(self):
        self.write("child.py", "def leaf():\n    x = 1\n    raise KeyError\ntry:\n    leaf()\nexcept KeyError:\n    pass\n")
        self.record_family("import subprocess, sys\nsubprocess.run([sys.executable, 'child.py'], check=True)", "--lines", "^leaf$", "--exceptions")
        entries = [entry for entry in dump(self.trace) if entry["name"] == "leaf" and entry["kind"] in ("line", "exception")]
        self.assertEqual([(entry["kind"], entry["line"]) for entry in entries], [("line", 2), ("line", 3), ("exception", 3)])

    def test_through_a_shell(self):
        self.family("subprocess.run(sys.executable + ' -c \"from counted import work; work(5)\"; true', shell=True, check=True)")
        self.assertEqual(self.origins(), [("start", None), ("exec", 0)])

    def test_in_place(self):
        self.write("third.py", CHILD % 30)
        self.write("second.py", "import os, sys\nfrom counted import work\nwork(20)\nos.execv(sys.executable, [sys.executable, 'third.py'])")
        told = self.family("work(10)\nos.execv(sys.executable, [sys.executable, 'second.py'])")
        self.assertEqual(list(told.values()), [60])
        self.assertEqual(self.origins(), [("start", None), ("exec", 0), ("exec", 1)])

    def test_fork_and_exec(self):
        self.family(
            "if os.fork() == 0:\n"
            "    work(5)\n"
            "    os.execv(sys.executable, [sys.executable, '-c', 'from counted import work; work(6)'])\n"
            "os.wait()\n"
        )
        self.assertEqual(self.origins(), [("start", None), ("fork", 0), ("exec", 1)])

    def test_three_generations(self):
        self.write("third.py", "import os\nfrom counted import work\nwork(30)\nif os.fork() == 0: work(40)\nelse: os.wait()")
        self.write("second.py", "import subprocess, sys\nfrom counted import work\nwork(20)\nsubprocess.run([sys.executable, 'third.py'])")
        self.family("work(10)\nsubprocess.run([sys.executable, 'second.py'], check=True)")
        self.assertEqual(self.origins(), [("start", None), ("exec", 0), ("exec", 1), ("fork", 2)])

    def test_many_at_once(self):
        told = self.family(
            "children = [subprocess.Popen([sys.executable, '-c', 'from counted import work; work(%d)' % n]) for n in range(1, 21)]\n"
            "for child in children: child.wait()\n"
        )
        self.assertEqual(sorted(told.values()), list(range(1, 21)))

    def test_parent_that_ends_at_once(self):
        self.write("child.py", CHILD % 5)
        for leave in "", "os._exit(0)", "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os._exit(0)":
            with self.subTest(leave):
                told = self.family("subprocess.Popen([sys.executable, 'child.py']).returncode = 0\n" + leave, "--force")
                self.assertEqual(list(told.values()), [5])

    def test_daemon(self):
        """Two forks, each parent ends at once; the daemon executes a program, which goes on for a while."""
        self.write("daemon.py", "import time\nfrom counted import work\nwork(3)\ntime.sleep(0.2)\nwork(4)")
        told = self.family(
            "if os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\nos.execv(sys.executable, [sys.executable, 'daemon.py'])\n"
        )
        self.assertEqual(list(told.values()), [7])

    def test_killed_parent(self):
        self.write("child.py", "import os, time\nos.write(2, b'')\nfrom counted import work\nwork(3)\ntime.sleep(0.2)\nwork(4)")
        self.write("victim.py", "import os, subprocess, sys\nsubprocess.Popen([sys.executable, 'child.py'])\nos.kill(os.getpid(), 9)")
        told = self.family("subprocess.run([sys.executable, 'victim.py'])")
        self.assertEqual(list(told.values()), [7])


class Multiprocessing(Family):
    METHODS = ("fork", "forkserver", "spawn")

    def test_processes(self):
        for method in self.METHODS:
            with self.subTest(method):
                told = self.record_family(
                    "import multiprocessing\nfrom counted import work\n"
                    "if __name__ == '__main__':\n"
                    "    context = multiprocessing.get_context(%r)\n"
                    "    processes = [context.Process(target=work, args=(n,)) for n in (3, 4, 5)]\n"
                    "    for process in processes: process.start()\n"
                    "    for process in processes: process.join()\n" % method,
                    "--force",
                )
                self.assertEqual(sorted(told.values()), [3, 4, 5])
                self.assert_exact(told)

    def test_pool(self):
        for method in self.METHODS:
            with self.subTest(method):
                told = self.record_family(
                    "import multiprocessing\nfrom counted import work\n"
                    "if __name__ == '__main__':\n"
                    "    with multiprocessing.get_context(%r).Pool(2) as pool: pool.map(work, range(1, 21), chunksize=1)\n" % method,
                    "--force",
                )
                self.assertEqual(sum(told.values()), 210)
                self.assert_exact(told)

    def test_executor(self):
        for method in self.METHODS:
            with self.subTest(method):
                told = self.record_family(
                    "import multiprocessing\nfrom concurrent.futures import ProcessPoolExecutor\nfrom counted import work\n"
                    "if __name__ == '__main__':\n"
                    "    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(%r)) as pool:\n"
                    "        list(pool.map(work, range(1, 21)))\n" % method,
                    "--force",
                )
                self.assertEqual(sum(told.values()), 210)
                self.assert_exact(told)


EMBEDDING = r"""
#include <Python.h>

/* Runs embedded.run(), and nothing in __main__. */
int main(int argc, char **argv)
{
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    PyConfig_SetBytesString(&config, &config.program_name, argv[argc - 1]);
    Py_InitializeFromConfig(&config);
    PyObject *here = PyUnicode_FromString(".");
    PyList_Append(PySys_GetObject("path"), here);
    PyObject *module = PyImport_ImportModule("embedded");
    PyObject *result = module ? PyObject_CallMethod(module, "run", NULL) : NULL;
    if (!result)
        PyErr_Print();
    return Py_FinalizeEx();
}
"""


class Embedded(Family):
    def build(self):
        """A program that embeds this interpreter, or None where it cannot be linked."""
        values = sysconfig.get_config_vars()
        source, program = self.write("embedding.c", EMBEDDING), os.path.join(self.here, "embedding")
        place = values["LIBDIR"] if values.get("Py_ENABLE_SHARED") else values["LIBPL"]
        command = [*shlex.split(values["CC"]), "-I" + sysconfig.get_path("include"), source, "-o", program, "-rdynamic", "-L" + place]
        command += ["-Wl,-rpath," + place, "-lpython" + values["LDVERSION"], *shlex.split(values["LIBS"] + " " + values["SYSLIBS"]), "-lm"]
        try:
            return program if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT).returncode == 0 else None
        except FileNotFoundError:
            return None

    def test_program_that_runs_nothing_in_main(self):
        program = self.build()
        if program is None:
            self.skipTest("no program can be linked with this interpreter")
        self.write("embedded.py", "from counted import work\nwork(3)\ndef run(): work(4)\n")
        told = self.record_family("import subprocess, sys\nsubprocess.run([%r, sys.executable], check=True)" % program)
        self.assertEqual(list(told.values()), [7])
        self.assert_exact(told)


try:
    import gunicorn
except ImportError:
    gunicorn = None


@unittest.skipUnless(gunicorn, "gunicorn is not installed for this interpreter")
class PreforkServer(Family):
    REQUESTS = 20

    def test_gunicorn(self):
        """Each request is a call of work() in one of the workers, which are forks of a program that was executed."""
        self.write(
            "service.py",
            "from counted import work\n"
            "def app(environ, start):\n"
            "    work(3)\n"
            "    start('200 OK', [])\n"
            "    return [b'done']\n",
        )
        self.write(
            "program.py",
            "import os, socket, subprocess, sys, time\n"
            "environment = dict(os.environ, PYTHONPATH=%r)\n"
            "command = [sys.executable, '-m', 'gunicorn', '--workers', '3', '--bind', 'unix:socket', 'service:app']\n"
            "server = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment)\n"
            "for _ in range(%d):\n"
            "    connection = socket.socket(socket.AF_UNIX)\n"
            "    while connection.connect_ex('socket') != 0: time.sleep(0.01)\n"
            "    connection.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')\n"
            "    while connection.recv(1000): pass\n"
            "server.terminate()\n"
            "sys.exit(server.wait())\n" % (os.path.dirname(os.path.dirname(gunicorn.__file__)), self.REQUESTS),
        )
        told = self.run_family(self.python, "-m", "pytrace", "record", "-o", self.trace, "program.py")
        self.assertEqual(sum(told.values()), 3 * self.REQUESTS)
        self.assert_exact(told)
        origins = [process["origin"] for process in self.processes()]
        self.assertEqual(origins, ["start", "exec", "fork", "fork", "fork"])


class LeftAlone(Family):
    """Who is not recorded, and what is left to see of the recorder."""

    def test_no_children(self):
        told = self.record_family(
            "import os, subprocess, sys\n"
            "from counted import work\n"
            "assert not [name for name in os.environ if 'PYTRACE' in name]\n"
            "subprocess.run([sys.executable, '-c', %r], check=True)\n"
            "if os.fork() == 0: work(6); os._exit(0)\n"
            "os.wait(); work(7)\n" % (CHILD % 5),
            "--no-children",
        )
        self.assertEqual(sorted(told.values()), [5, 6, 7])
        self.assertEqual(list(self.recorded().values()), [7])
        self.assert_alone()

    def test_environment_made_from_scratch(self):
        told = self.record_family(
            "import os, subprocess, sys\n"
            "command = [sys.executable, '-c', %r]\n"
            "subprocess.run(command, env={}, check=True)\n"
            "os.waitpid(os.posix_spawn(command[0], command, {}), 0)\n"
            "os.environ.clear()\n"
            "subprocess.run(command, check=True)\n"
            "subprocess.run(command, env=os.environ, check=True)\n" % (CHILD % 5)
        )
        self.assertEqual(list(told.values()), [5, 5, 5, 5])
        self.assert_alone()

    def environments(self, source):
        """What a recorded program prints as JSON on its standard output."""
        self.write("program.py", "import json, os, subprocess, sys\n" + source)
        done = subprocess.run(
            [self.python, "-m", "pytrace", "record", "-o", self.trace, "--force", "program.py"],
            cwd=self.here,
            env={**environment(), "LC_ALL": "C.UTF-8"},
            stdout=subprocess.PIPE,
            timeout=SECONDS,
            check=True,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_one_variable_is_all_that_others_see(self):
        print_environment = "json.dumps(dict(line.split('=', 1) for line in subprocess.check_output(%s).decode().split(chr(0))[:-1]))"
        own, bytes_too, inherited, handed, _ = self.environments(
            "print(json.dumps(dict(os.environ)))\n"
            "print(json.dumps({os.fsdecode(name): os.fsdecode(value) for name, value in os.environb.items()}))\n"
            "print(%s)\n"
            "print(%s)\n"
            "print(json.dumps(os.listdir('/proc/self/fd')))\n"
            % (print_environment % "['env', '-0']", print_environment % "['env', '-0'], env=os.environ")
        )
        for environ in bytes_too, inherited, handed:
            self.assertEqual({**environ, "_": ""}, {**own, "_": ""})
        arena = own.pop("PYTRACE_ARENA")
        self.assertTrue(os.path.isabs(arena))
        self.assertLessEqual(set(own) - {"LC_CTYPE"}, set(environment()))

    def test_it_is_gone_after_the_end(self):
        (environ,), (child,) = self.environments(
            "import pytrace\n"
            "pytrace.stop()\n"
            "print(json.dumps([name for name in (*os.environ, *map(os.fsdecode, os.environb)) if 'ARENA' in name] or [None]))\n"
            "print(json.dumps([line for line in subprocess.check_output(['env']).decode().splitlines() if 'ARENA' in line] or [None]))\n"
        )
        self.assertEqual((environ, child), (None, None))

    def looks_around(self, **variables):
        """What a child of ours sees of itself."""
        source = (
            "import gc, json, os, sys, threading\n"
            "print(json.dumps([list(sys.modules), sys.path, sorted(sys.path_importer_cache), sys.path_hooks.__len__(), sys.argv,\n"
            "    list(sys.meta_path).__len__(), sorted(globals()), sorted(vars(sys)), gc.get_threshold(), threading.active_count(),\n"
            "    sorted(os.listdir('/proc/self/fd')), sys.getrecursionlimit(), repr(sys.getprofile()), repr(sys.gettrace())]))\n"
        )
        done = subprocess.run(
            [self.python, "-c", source],
            env={**environment(), **variables},
            cwd=self.here,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=SECONDS,
        )
        self.assertEqual((done.returncode, done.stderr.decode()), (0, ""))
        return json.loads(done.stdout)

    def test_stale_variable(self):
        bare = self.looks_around()
        empty = tempfile.mkdtemp(dir=self.here)
        broken = tempfile.mkdtemp(dir=self.here)
        with open(os.path.join(broken, "arena"), "wb") as file:
            file.write(bytes(100_000))
        os.chmod(os.path.join(broken, "arena"), 0o600)
        for arena in "", "/nowhere", "relative", "x" * 5000, "/proc/self", "/dev/null", empty, broken, "\udcff":
            with self.subTest(arena):
                self.assertEqual(self.looks_around(PYTRACE_ARENA=arena), bare)

    def while_recording(self, act):
        """Calls `act(arena)` while a program is recorded that does nothing."""
        self.write("program.py", "import os, sys\nprint(os.environ['PYTRACE_ARENA'], flush=True)\nsys.stdin.read()\n")
        command = [self.python, "-m", "pytrace", "record", "-o", self.trace, "--force", "program.py"]
        with subprocess.Popen(
            command, cwd=self.here, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, encoding="ascii"
        ) as program:
            try:
                act(program.stdout.readline().rstrip("\n"))
            finally:
                program.stdin.close()
                program.wait(SECONDS)

    def test_nothing_is_left_of_the_way_in(self):
        bare = self.looks_around()
        self.while_recording(lambda arena: self.assertEqual(self.looks_around(PYTRACE_ARENA=arena), bare))
        self.assertEqual([process["origin"] for process in self.processes()], ["start", "exec"])

    def test_arena_that_others_may_open(self):
        def open_directory(arena):
            os.chmod(arena, 0o755)
            self.looks_around(PYTRACE_ARENA=arena)

        def open_file(arena):
            os.chmod(os.path.join(arena, "arena"), 0o644)
            self.looks_around(PYTRACE_ARENA=arena)

        def lead_there(arena):
            link = os.path.join(self.here, "link")
            os.symlink(arena, link)
            self.looks_around(PYTRACE_ARENA=link)

        for act in open_directory, open_file, lead_there:
            with self.subTest(act.__name__):
                self.while_recording(act)
                self.assert_alone()

    @unittest.skipUnless(os.geteuid() == 0, "only root gives files away")
    def test_arena_of_another_user(self):
        def give_away(arena):
            os.chown(os.path.join(arena, "arena"), 65534, 65534)
            self.looks_around(PYTRACE_ARENA=arena)

        self.while_recording(give_away)
        self.assert_alone()

    def test_arena_of_a_dead_drain(self):
        def kill_drain(arena):
            with open("/proc/locks") as locks:
                inode = os.stat(os.path.join(arena, "arena")).st_ino
                self.assertTrue([line for line in locks if ":%d " % inode in line])
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open("/proc/%s/cmdline" % pid, "rb") as file:
                        if file.read().split(b"\0")[:2] == [b"pytrace-drain", os.fsencode(self.trace)]:
                            os.kill(int(pid), signal.SIGKILL)
                except (FileNotFoundError, ProcessLookupError):
                    pass
            self.looks_around(PYTRACE_ARENA=arena)

        self.while_recording(kill_drain)
        self.assert_alone()

    def test_a_program_that_is_no_python_does_not_keep_the_recording(self):
        told = self.record_family(
            "import subprocess\nfrom counted import work\nwork(5)\n"
            "print(subprocess.Popen(['sleep', '50'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid, 0)\n"
        )
        (sleeper,) = [pid for pid, count in told.items() if count == 0]
        del told[sleeper]
        try:
            self.assert_exact(told)  # waits for the end of the file, and has it long before that of the sleep
            os.kill(sleeper, 0)
        finally:
            os.kill(sleeper, signal.SIGKILL)
        self.assert_alone()


class OwnRecording(Family):
    """A child that starts a recording of its own leaves its parent's."""

    def test_by_the_api(self):
        self.write(
            "child.py",
            "import os, pytrace, subprocess, sys\nfrom counted import leaf, work\n"
            "for _ in range(3): leaf()\n"
            "outer = os.environ['PYTRACE_ARENA']\n"
            "with pytrace.recording('own.bin'):\n"
            "    assert os.environ['PYTRACE_ARENA'] != outer\n"
            "    for _ in range(4): leaf()\n"
            "    subprocess.run([sys.executable, '-c', 'from counted import leaf; leaf()'], check=True)\n"
            "for _ in range(5): leaf()\n",
        )
        self.record_family("import subprocess, sys\nsubprocess.run([sys.executable, 'child.py'], check=True)")
        self.assertEqual(list(self.recorded().values()), [3])
        self.assertEqual([process["ended"] for process in self.processes()], ["exited", "detached"])
        self.trace = os.path.join(self.here, "own.bin")
        self.assertEqual(list(self.recorded().values()), [4, 1])
        self.assertEqual([process["origin"] for process in self.processes()], ["start", "exec"])

    def test_by_the_command(self):
        told = self.record_family(
            "import subprocess, sys\nfrom counted import work\nwork(3)\n"
            "subprocess.run([sys.executable, '-m', 'pytrace', 'record', '-o', 'own.bin', '-c', %r], check=True)" % (CHILD % 4)
        )
        self.assertEqual(sorted(told.values()), [3, 4])
        self.assertEqual(list(self.recorded().values()), [3])
        self.trace = os.path.join(self.here, "own.bin")
        self.assertEqual(list(self.recorded().values()), [4])

    def test_without_children(self):
        told = self.record_family(
            "import subprocess, sys\n"
            "subprocess.run([sys.executable, '-m', 'pytrace', 'record', '--no-children', '-o', 'own.bin', '-c',\n"
            "    'import os, subprocess, sys; assert \"PYTRACE_ARENA\" not in os.environ;'\n"
            "    'subprocess.run([sys.executable, \"-c\", \"from counted import work; work(5)\"], check=True)'], check=True)\n"
        )
        self.assertEqual(list(told.values()), [5])
        self.assertEqual(self.recorded(), {})


if __name__ == "__main__":
    unittest.main()
