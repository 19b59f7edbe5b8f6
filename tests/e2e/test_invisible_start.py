"""However a program is started, it finds what it would find without the recorder."""

import os
import sys
import unittest
import zipfile

from invisible import InvisibleCase

# All that a program can easily learn about how it was started. Addresses are left out.
LOOK_AROUND = """
    import sys
    print("argv", sys.argv)
    print("orig_argv", getattr(sys, "orig_argv", None))
    print("path", sys.path)
    print("modules", list(sys.modules))
    print("importers", list(sys.path_importer_cache))
    print("flags", sys.flags, sys.warnoptions, sys._xoptions)
    for name, value in list(globals().items()):
        print("global", name, str(value).split(" at 0x")[0])
    print("caller", str(sys._getframe().f_back).split("at 0x")[0])
    print("hooks", sys.getprofile(), sys.gettrace(), sys.excepthook)
    import threading
    print("threads", threading.enumerate()[0].name, threading.active_count())
"""


class Forms(InvisibleCase):
    def test_script(self):
        self.same_script(LOOK_AROUND, "one", "--two", "-m", "three words")

    def test_script_with_a_dot(self):
        self.same("./program.py", files={"program.py": LOOK_AROUND})

    def test_script_in_another_directory(self):
        self.same("deep/er/../program.py", files={"deep/program.py": LOOK_AROUND, "deep/er/file": ""})

    def test_script_by_absolute_path(self):
        self.same(os.path.join(self.here, "program.py"), files={"program.py": LOOK_AROUND})

    def test_script_without_suffix(self):
        self.same("program", files={"program": LOOK_AROUND})

    def test_script_in_another_encoding(self):
        self.same_script("# coding: cp1252\nprint(ascii('\u20ac'))\n")

    def test_command(self):
        self.same("-c", "import sys; print(sys.argv, __name__, sys.path[0] == ''); raise SystemExit(4)", "-x", "y")

    def test_command_glued_to_its_option(self):
        self.same("-cprint(__name__)")

    def test_module(self):
        self.same("-m", "program", "-c", "y", files={"program.py": LOOK_AROUND})

    def test_package(self):
        self.same("-m", "package", "x", files={"package/__init__.py": "print('init')", "package/__main__.py": LOOK_AROUND})

    def test_module_in_package(self):
        files = {"package/__init__.py": "print(__name__)", "package/inner.py": "from . import other", "package/other.py": LOOK_AROUND}
        self.same("-m", "package.inner", files=files)

    def test_module_of_the_library(self):
        self.same("-m", "json.tool", stdin=b'{"a": [1, 2]}')

    def test_directory(self):
        self.same("place", "x", files={"place/__main__.py": "import helper\n", "place/helper.py": LOOK_AROUND})

    def test_archive(self):
        archive = os.path.join(os.path.dirname(self.here), "app.zip")
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("__main__.py", "import sys, helper\nprint(__file__, __loader__.archive, sys.path[0])\n1/0\n")
            file.writestr("helper.py", "print(__name__)\n")
        self.same(archive, "x")

    def test_standard_input(self):
        self.same("-", "x", stdin=b"import sys; print(sys.argv, __name__)\n1/0\n")

    def test_bytecode(self):
        path = self.write("program.py", "print(__name__, 'from bytecode')")
        import py_compile

        bytecode = py_compile.compile(path, os.path.join(os.path.dirname(self.here), "program.pyc"))
        self.same(bytecode)


class NothingToRun(InvisibleCase):
    """The messages are the interpreter's own, and no trace is left."""

    def test_no_such_script(self):
        self.same("missing.py", trace=False)

    def test_no_such_module(self):
        # Looking for it is the work of runpy, which is recorded.
        self.same("-m", "no_such_module_here")

    def test_syntax_error(self):
        self.same_script("def f(:\n    pass\n", trace=False)

    def test_syntax_error_in_command(self):
        self.same("-c", "x = (", trace=False)


class Flags(InvisibleCase):
    """Python's own options stand before -m pytrace and keep their meaning."""

    def test_optimised(self):
        self.same_script("assert False, 'not run'\nprint(__debug__)", python=["-O"])

    def test_warnings_are_errors(self):
        self.same_script(LOOK_AROUND + "    import warnings; warnings.warn('now', stacklevel=2)\n", python=["-W", "error"])

    def test_developer_mode(self):
        self.same_script(LOOK_AROUND, python=["-X", "dev"])

    def test_without_site(self):
        self.same_script("import sys; print(list(sys.modules), sys.path)", python=["-S"])

    def test_unbuffered(self):
        self.same_script("import os\nprint('first', end='')\nos.write(1, b'second')", python=["-u"])

    @unittest.skipUnless(sys.version_info >= (3, 11), "-P is of 3.11")
    def test_safe_path(self):
        self.same_script(LOOK_AROUND, python=["-P"])

    def test_interactive_afterwards(self):
        self.same_script("x = 41", python=["-i"], stdin=b"print(x + 1)\n")

    def test_inspect_from_the_environment(self):
        self.same_script("x = 41\n1/0", env={"PYTHONINSPECT": "1"}, stdin=b"print(x + 1)\n")


class Stack(InvisibleCase):
    """Nothing of the recorder is on the program's stack."""

    def test_tracebacks(self):
        self.same_script(
            """
            def inner():
                try:
                    {}["missing"]
                except KeyError as error:
                    raise ValueError("outer") from error

            def outer():
                try:
                    inner()
                finally:
                    int("again")

            outer()
            """
        )

    def test_traceback_of_a_module(self):
        self.same("-m", "program", files={"program.py": "import program2\n", "program2.py": "1/0\n"})

    def test_walking_the_stack(self):
        self.same_script("import traceback, inspect\ntraceback.print_stack()\nprint(len(inspect.stack()))")

    def test_warning_about_the_caller(self):
        self.same_script("import warnings\nfor level in 1, 2, 3: warnings.warn('w', stacklevel=level)")

    @unittest.skipUnless(sys.version_info >= (3, 15), "stacks have a sentinel at their end from 3.15 on")
    def test_sampling_profilers_reach_the_end_of_the_stack(self):
        self.same_script(
            """
            import _remote_debugging, os
            def inner():
                for interpreter in _remote_debugging.RemoteUnwinder(os.getpid()).get_stack_trace():
                    for thread in interpreter.threads:
                        print([frame.funcname for frame in thread.frame_info])
            inner()
            """
        )

    def test_recursion_limit(self):
        self.same_script(
            """
            import sys
            def down(n):
                try:
                    return down(n + 1)
                except RecursionError:
                    return n
            print(down(1))
            sys.setrecursionlimit(5000)
            print(down(1))
            def for_ever():
                for_ever()
            for_ever()
            """
        )

    def test_own_profile_function(self):
        self.same_script(
            """
            import sys
            seen = []
            def f():
                return len("x")
            sys.setprofile(lambda frame, event, argument: seen.append((event, frame.f_code.co_name)))
            f()
            sys.setprofile(None)
            # Whether the call of setprofile is seen to return depends on who else watches calls.
            print([event for event in seen if event != ("c_return", "<module>")])
            """
        )

    def test_own_profiler(self):
        self.same_script(
            """
            import cProfile
            def f(n):
                return sorted(range(n), key=lambda x: -x)
            profile = cProfile.Profile()
            profile.runcall(f, 5)
            for entry in sorted(profile.getstats(), key=str):
                print(getattr(entry.code, "co_name", entry.code), entry.callcount)
            """
        )

    def test_own_trace_function(self):
        self.same_script(
            """
            import sys
            def tracer(frame, event, argument):
                print(frame.f_code.co_name, event, frame.f_lineno)
                return tracer
            def f():
                return [x for x in range(2)]
            sys.settrace(tracer)
            f()
            sys.settrace(None)
            """
        )


if __name__ == "__main__":
    unittest.main()
