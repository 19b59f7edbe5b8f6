"""`python -m pytrace record`: reads the command line, makes the interpreter forget that we were here, and hands over.

Only modules that every interpreter has loaded anyway are imported here (no argparse): what the program finds loaded, and what it
still has to load, is to be what it would be without us.
"""

import os
import sys

from . import _core

HELP = """\
usage: python -m pytrace record [options] (script.py | -m module | -c code | directory | zip) [args...]

Runs a program as python itself would, and records every call it makes.

options:
  -o, --output FILE         the trace (trace.bin); %p is the process id, %t the time of the start
      --force               replace an existing trace
      --no-c-calls          only Python functions (default: --c-calls, C functions too)
      --lines RE            every line of the functions whose module:name or file matches (POSIX extended)
      --opcodes RE          every instruction of those
      --exceptions          where exceptions are raised, and how far they go
      --no-children         do not record child processes
      --no-argv             leave the command line out of the trace
      --policy block|drop   a full ring makes the thread wait, at most 100 ms in one go, or loses events (block)
      --clock tsc|monotonic|cpu
                            what time is: the processor's counter, the system's clock, or the CPU time of each thread
                            (the counter, else the system's clock)
      --ring-size SIZE      memory for each thread, rounded up to a power of two (1M)
      --max-threads N       threads recorded at the same time (256)
      --ring-dir DIR        where that memory lies (/dev/shm, else beside the trace)
      --flush-interval TIME what a quiet thread did reaches the file within this time (1s)
      --max-size SIZE       the recording ends before the trace grows beyond this; the program goes on
      --level N             zstd level of the trace (1)
      --keep-going          run the program unrecorded, with a warning, if recording is impossible
  -h, --help                show this

Options of pytrace come before the program, options of the program after it; python's own come before -m pytrace.

example:
  python -X dev -m pytrace record -o day.bin --max-size 2G -m http.server 8000
  pytrace-analyze day.bin --top 50
"""

# option: the keyword of pytrace.start that its value goes to
VALUES = {
    "--output": "path",
    "--lines": "lines",
    "--opcodes": "opcodes",
    "--policy": "policy",
    "--clock": "clock",
    "--ring-size": "ring_size",
    "--max-threads": "max_threads",
    "--ring-dir": "ring_dir",
    "--flush-interval": "flush_interval",
    "--max-size": "max_size",
    "--level": "level",
}
NUMBERS = ("max_threads", "level")
# option: the keyword, and what it is set to
FLAGS = {
    "--c-calls": ("c_calls", True),
    "--no-c-calls": ("c_calls", False),
    "--exceptions": ("exceptions", True),
    "--argv": ("argv", True),
    "--no-argv": ("argv", False),
    "--children": ("children", True),
    "--no-children": ("children", False),
    "--force": ("force", True),
    "--keep-going": ("keep_going", True),
}


class UsageError(Exception):
    pass


def main(arguments):
    """Does not return if a program is run."""
    try:
        options, arguments = parse_options(arguments)
        if options is None:
            sys.stdout.write(HELP)
            return 0
        kind, target, argv = parse_program(arguments)
        keep_going = options.pop("keep_going", False)
        _core.check_options(**options)
    except (UsageError, TypeError, ValueError, OSError) as error:
        return usage_error(with_option(str(error)))
    orig_argv = program_orig_argv(kind, target, argv)
    leave_no_trace()
    _core.run(kind, as_configured(kind, target), argv, orig_argv, keep_going, **options)


def usage_error(text):
    sys.stderr.write("pytrace: " + text + "\n")
    return 2


def with_option(text):
    """What is wrong with an option, which pytrace.start knows by the name of its keyword."""
    for option, keyword in VALUES.items():
        if text.startswith((keyword + " ", keyword + ":")):
            return option + text[len(keyword) :]
    return text


def unknown(kind, word, known):
    """The message for a word that is none of the known ones, with the one that was probably meant."""
    nearest = min(known, key=lambda candidate: distance(word, candidate))
    hint = "; did you mean %s?" % nearest if distance(word, nearest) <= max(2, len(nearest) // 3) else ""
    return "unknown %s '%s'%s" % (kind, word, hint)


def distance(a, b):
    """How many letters must be changed, added or removed to make one the other."""
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (letter != other))
    return row[-1]


# --- The command line --------------------------------------------------------------------------------------------------


def parse_options(arguments):
    """The options for pytrace.start and the arguments that are left; (None, None) if help is wanted."""
    options = {"path": "trace.bin"}
    arguments = list(arguments)
    while arguments and arguments[0].startswith("-") and arguments[0] not in ("-", "-m", "-c"):
        argument = arguments.pop(0)
        if argument == "--":
            break
        if argument in ("-h", "--help"):
            return None, None
        if argument.startswith("-o") and not argument.startswith("--"):
            argument = "--output=" + argument[2:] if len(argument) > 2 else "--output"
        if argument[:2] in ("-m", "-c"):  # as python has it: -mmodule
            arguments[:0] = [argument[:2], argument[2:]]
            break
        name, separator, value = argument.partition("=")
        if name in FLAGS:
            if separator:
                raise UsageError("%s takes no value" % name)
            keyword, value = FLAGS[name]
        elif name in VALUES:
            keyword = VALUES[name]
            if not separator:
                if not arguments:
                    raise UsageError("%s needs a value" % name)
                value = arguments.pop(0)
            if keyword in NUMBERS:
                value = number(name, value)
        else:
            raise UsageError(unknown("option", name, [*VALUES, *FLAGS, "--help"]))
        options[keyword] = value
    return options, arguments


def number(name, text):
    try:
        return int(text)
    except ValueError:
        raise UsageError("%s: '%s' is not a number" % (name, text)) from None


def parse_program(arguments):
    """(kind, target, sys.argv) with kind one of "script", "module", "command"."""
    if not arguments:
        raise UsageError("no program given: script.py, -m module or -c code")
    first, rest = arguments[0], arguments[1:]
    if first not in ("-m", "-c"):
        return "script", first, [first, *rest]
    if not rest:
        raise UsageError("%s needs a %s" % (first, "module" if first == "-m" else "program"))
    return ("module" if first == "-m" else "command"), rest[0], [first, *rest[1:]]


def as_configured(kind, target):
    """The program as python's configuration holds it: a script by its absolute path, code with a last newline."""
    if kind == "command":
        return target + "\n"
    if kind == "script" and target != "-" and not target.startswith("/"):
        try:
            return os.getcwd() + "/" + target
        except OSError:  # python then keeps the relative path, too
            pass
    return target


# --- Leaving no trace of ourselves ---------------------------------------------------------------------------------------


def program_orig_argv(kind, target, argv):
    """sys.orig_argv as it would be had python been given the program itself: without `-m pytrace record options`."""
    orig_argv = getattr(sys, "orig_argv", None)
    if orig_argv is None:
        return None
    # What stood before the arguments of the package: python, its options, and `-m pytrace` or `-Xmpytrace` at the end.
    python = orig_argv[: len(orig_argv) - len(sys.argv) + 1]
    if python[-1] == "pytrace":
        python.pop()
    flags = python.pop().removesuffix("pytrace")[:-1]  # -m itself, and what is glued to it
    if flags != "-":
        python.append(flags)
    program = argv if kind == "script" else [argv[0], target, *argv[1:]]
    return [*python, *program]


def leave_no_trace():
    """Takes back what `-m pytrace` did to the interpreter: the current directory in sys.path, and every module loaded since start-up."""
    safe_path = getattr(sys.flags, "safe_path", False) or sys.flags.isolated
    try:
        if not safe_path and sys.path[0] == os.getcwd():
            del sys.path[0]
    except OSError:  # the current directory is gone: then python did not put it there either
        pass

    # The last thing that start-up does is to import site, or, under -S, to make __main__ (and warnings under -W).
    names = list(sys.modules)
    end = names.index("site") if "site" in names and not sys.flags.no_site else names.index("__main__")
    if names[end + 1 : end + 2] == ["warnings"] and sys.warnoptions:
        end += 1
    for name in names[end + 1 :]:
        del sys.modules[name]

    # The finders made on the way, where nothing that is left refers to them.
    places = set(sys.path)
    for module in sys.modules.values():
        places.update(getattr(module, "__path__", ()))
    for place in list(sys.path_importer_cache):
        if place not in places:
            del sys.path_importer_cache[place]
