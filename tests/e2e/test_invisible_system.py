"""What a program does to, and learns from, the system: descriptors, children, privileges, limits, environment."""

import sys
import unittest

from invisible import InvisibleCase

BE_SUBREAPER = "import ctypes, os, sys; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"

# Waits for every child there is, and says how they ended.
REAP = """
import os
def reap():
    ended = []
    while True:
        try:
            ended.append(os.waitstatus_to_exitcode(os.wait()[1]))
        except ChildProcessError:
            return sorted(ended)
"""


class Process(InvisibleCase):
    def test_environment(self):
        outcome = self.record("-c", "import os\nfor item in sorted(os.environ.items()): print(item)")
        bare = self.run_python("-c", "import os\nfor item in sorted(os.environ.items()): print(item)")
        ours = [line for line in outcome.stdout.splitlines() if line.startswith(b"('PYTRACE_")]
        self.assertLessEqual(len(ours), 1)
        self.assertEqual([line for line in outcome.stdout.splitlines() if line not in ours], bare.stdout.splitlines())

    def test_properties(self):
        self.same_script(
            """
            import os, resource, threading
            print(os.getcwd(), os.umask(0), os.getpriority(os.PRIO_PROCESS, 0), os.sched_getaffinity(0), os.getpgrp() == os.getpid())
            print(len(os.listdir("/proc/self/task")), threading.active_count())
            for name in sorted(vars(resource)):
                if name.startswith("RLIMIT_"):
                    print(name, resource.getrlimit(getattr(resource, name)))
            """
        )

    def test_descriptors(self):
        self.same_script(
            """
            import os
            print(sorted(os.listdir("/proc/self/fd")))
            with open("file", "w") as file:
                print(file.fileno())
            """
        )

    def test_close_all_descriptors(self):
        self.same_script(
            """
            import os
            os.closerange(3, 1000)
            files = [open("file%d" % n, "w") for n in range(20)]
            for n in range(1000):
                files[n % 20].write("line %d\\n" % n)
            print([file.fileno() for file in files])
            """
        )

    def test_no_descriptor_left(self):
        self.same_script(
            """
            import resource
            resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
            try:
                open("file")
            except OSError as error:
                print(error)
            import threading
            thread = threading.Thread(target=print, args=("thread",)); thread.start(); thread.join()
            """
        )

    def test_small_limits(self):
        self.same_script(
            """
            import resource
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
            resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
            print(sum(len(str(n)) for n in range(20000)))
            open("file", "w").write("x" * 4096)
            """
        )

    def test_change_directory(self):
        files = {"program.py": "import os\nos.mkdir('sub'); os.chdir('sub'); open('file', 'w').write('x')\nprint(os.listdir('.'))"}
        self.prepare(files)
        bare = self.run_python("program.py")
        self.prepare(files)
        recorded = self.run_python("-m", "pytrace", "record", "-o", "relative.bin", "program.py")
        self.assertEqual((bare.status, bare.stdout, bare.stderr), (recorded.status, recorded.stdout, recorded.stderr))
        self.assertEqual(set(recorded.files) - set(bare.files), {"relative.bin"})

    def test_change_root(self):
        self.same_script(
            "import os\nos.chroot('.'); os.chdir('/')\nopen('/file', 'w').write('x')\nprint(os.listdir('/'))\ndef f(): 1/0\nf()", root=True
        )

    def test_drop_privileges(self):
        self.same_script(
            """
            import os, threading
            os.chmod(".", 0o777)
            os.setgroups([]); os.setgid(65534); os.setuid(65534)
            open("file", "w").write(str(os.getuid()))
            pid = os.fork()
            if pid == 0:
                print("child", os.getuid(), flush=True)
                os._exit(0)
            print(os.waitpid(pid, 0)[1])
            thread = threading.Thread(target=print, args=(os.getuid(),)); thread.start(); thread.join()
            """,
            root=True,
        )


class Children(InvisibleCase):
    def test_fork(self):
        self.same_script(
            """
            import os, sys
            def child():
                print("child", sum(map(len, ["a", "bc"])))
                sys.exit(5)
            pid = os.fork()
            if pid == 0:
                child()
            print("parent", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            """,
            python=["-u"],
        )

    def test_fork_with_warnings_as_errors(self):
        # From 3.12 on, fork warns if the process has threads, of whatever make.
        self.same_script(
            "import os\npid = os.fork()\nif not pid: os._exit(3)\nprint(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))",
            python=["-W", "error"],
        )

    def test_many_forks(self):
        self.same_script(REAP + "for n in range(20):\n    if not os.fork(): os._exit(n)\nprint(reap())")

    def test_wait_finds_no_stranger(self):
        self.same_script(
            """
            import os, ctypes
            for flags in 0, os.WNOHANG, 0x40000000, 0x80000000 - (1 << 32):  # __WALL, __WCLONE
                try:
                    print(os.waitpid(-1, flags))
                except ChildProcessError as error:
                    print(error)
            """
        )

    def test_child_signal(self):
        self.same_script(
            """
            import os, signal, time
            seen = []
            signal.signal(signal.SIGCHLD, lambda *_: seen.append(os.waitpid(-1, os.WNOHANG)[1]))
            for n in range(3):
                if not os.fork():
                    os._exit(n)
                while len(seen) <= n:
                    time.sleep(0.001)
            time.sleep(0.1)
            print([os.waitstatus_to_exitcode(status) for status in seen])
            """
        )

    def test_children_ignored(self):
        self.same_script(
            """
            import os, signal
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            if not os.fork(): os._exit(1)
            try:
                print(os.wait())
            except ChildProcessError as error:
                print(error)
            """
        )

    def test_subprocess(self):
        self.same_script(
            """
            import subprocess, sys
            print(subprocess.run([sys.executable, "-c", "import sys; print(sys.argv); sys.exit(2)"], stdout=subprocess.PIPE, close_fds=False))
            print(subprocess.check_output("echo $0; ls /proc/self/fd | wc -l", shell=True))
            """
        )

    def test_exec(self):
        self.same_script("import os, sys\nos.execv(sys.executable, [sys.executable, '-c', 'print(\"other\"); raise SystemExit(6)'])")

    def test_daemon(self):
        self.same_script(
            """
            import os, sys, time
            read, write = os.pipe()
            if os.fork():
                os.close(write)
                os.wait()
                os.read(read, 1)  # ends when the daemon does
                sys.exit("parent done")
            os.setsid()
            if os.fork():
                os._exit(0)
            os.chdir("/")
            os.umask(0o22)
            here = os.open(sys.path[0], os.O_RDONLY)
            for fd in 0, 1, 2:
                os.dup2(os.open("/dev/null", os.O_RDWR), fd)
            os.closerange(here + 1, 1000) if here > write else None
            def work():
                return sum(map(len, ("abc" for _ in range(1000))))
            with open(os.open("file", os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=here), "w") as file:
                file.write(str(work()))
            """
        )

    def test_orphan_outlives_its_parent(self):
        # The child goes on after the parent has ended, and holds standard output.
        self.same_script(
            """
            import os
            read, write = os.pipe()
            if os.fork() == 0:
                os.close(write)
                os.read(read, 1)  # ends with the parent
                print("orphan")
            else:
                print("parent", flush=True)
            """
        )


class Multiprocessing(InvisibleCase):
    SOURCE = """
        import multiprocessing, os, sys
        def square(n):
            return n * n
        if __name__ == "__main__":
            multiprocessing.set_start_method(sys.argv[1])
            with multiprocessing.Pool(2) as pool:
                print(pool.map(square, range(50)))
            process = multiprocessing.Process(target=sys.exit, args=(4,))
            process.start(); process.join()
            print(process.exitcode, len(multiprocessing.active_children()))
        """

    def test_fork(self):
        self.same_script(self.SOURCE, "fork")

    def test_forkserver(self):
        self.same_script(self.SOURCE, "forkserver")

    def test_spawn(self):
        self.same_script(self.SOURCE, "spawn")

    def test_spawn_from_a_module(self):
        self.same("-m", "program", "spawn", files={"program.py": self.SOURCE})


class Init(InvisibleCase):
    """Where orphans land on the program itself, the recorder's own helper must not."""

    SOURCE = (
        REAP
        + """
read, write = os.pipe()
if not os.fork():
    if not os.fork():  # an orphan
        os.close(read)
        os.write(write, b"x")
        os._exit(11)
    os._exit(10)
os.close(write)
os.read(read, 2)
print(reap(), os.getpid() == 1)
"""
    )

    def test_subreaper(self):
        self.same_script(self.SOURCE, prefix=[sys.executable, "-c", BE_SUBREAPER])

    def as_first_process(self, source):
        try:
            works = self.run_python("-c", "", prefix=["unshare", "-pf"]).status == 0
        except FileNotFoundError:
            works = False
        if not works:
            self.skipTest("needs unshare and the right to a pid namespace")
        self.same_script(source, prefix=["unshare", "-pf"])

    def test_first_process_of_a_namespace(self):
        self.as_first_process(self.SOURCE)

    def test_first_process_leaves_children_behind(self):
        # The kernel kills them with it, and would kill the drain process, too.
        self.as_first_process(
            """
            import os, time
            read, write = os.pipe()
            for n in range(3):
                if not os.fork():
                    os.write(write, b"x")
                    time.sleep(60)
            for n in range(3):
                os.read(read, 1)
            print("main ends")
            """
        )


class Asynchronous(InvisibleCase):
    def test_event_loop(self):
        self.same_script(
            """
            import asyncio
            async def work(n):
                await asyncio.sleep(0.001 * n)
                process = await asyncio.create_subprocess_exec("true")
                return n, await process.wait()
            async def main():
                print(sorted(await asyncio.gather(*map(work, range(5)))))
            asyncio.run(main())
            """
        )


if __name__ == "__main__":
    unittest.main()
