"""The tools that are measured. Each is a function that gets the tool's options and a directory for its output, imports what it needs,
and returns two functions: one begins to record, the other ends it and returns when what was recorded can be read.
"""

import os
import signal
import subprocess
import sys
import time

TRACE = "trace"

# What install.py installs: those that are no part of Python or of this project.
PACKAGES = ("viztracer", "trace0", "yappi")


def nothing():
    pass


def bare(options, place):
    return nothing, nothing


def cprofile(options, place):
    import cProfile

    profile = cProfile.Profile()

    def end():
        profile.disable()
        profile.dump_stats(os.path.join(place, TRACE))

    return profile.enable, end


def pytrace(options, place):
    import pytrace
    from pytrace import _record

    keywords, rest = _record.parse_options(options)
    if rest:
        raise SystemExit("pytrace has no option %s" % rest[0])
    keywords["path"] = os.path.join(place, TRACE)
    return lambda: pytrace.start(**keywords), pytrace.stop


def empty_hook(options, place):
    """The limit: empty_hook.c."""
    import empty_hook

    return lambda: empty_hook.start("--no-c-calls" not in options), empty_hook.stop


def viztracer(options, place):
    """With room for all events: of those beyond the first million it would by itself forget the oldest."""
    from viztracer import VizTracer

    tracer = VizTracer(
        tracer_entries=20_000_000,
        verbose=0,
        ignore_c_function="--no-c-calls" in options,
        output_file=os.path.join(place, TRACE + ".json"),
    )

    def end():
        tracer.stop()
        tracer.save()

    return tracer.start, end


def trace0(options, place):
    """Knows Python functions only."""
    import trace0

    tracer = trace0.Tracer(os.path.join(place, TRACE), trace_subprocesses=False)
    return tracer.__enter__, lambda: tracer.__exit__(None, None, None)


def yappi(options, place):
    import yappi

    yappi.set_clock_type("wall")

    def end():
        yappi.stop()
        yappi.get_func_stats().save(os.path.join(place, TRACE), type="pstat")

    return lambda: yappi.start(builtins="--no-c-calls" not in options), end


def sampling(options, place):
    """Python's own sampling profiler (3.15), a thousand samples a second. It records no events: a point of reference."""
    import profiling.sampling

    command = [sys.executable, "-m", "profiling.sampling", "attach", "--all-threads", "--pstats"]
    command += ["-o", os.path.join(place, TRACE), str(os.getpid())]
    profilers = []

    def begin():
        profilers.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        time.sleep(0.5)  # it does not say when it is there

    def end():
        profilers[0].send_signal(signal.SIGINT)
        profilers[0].wait()

    return begin, end


TOOLS = {
    "bare": bare,
    "cProfile": cprofile,
    "empty-hook": empty_hook,
    "pytrace": pytrace,
    "sampling": sampling,
    "trace0": trace0,
    "viztracer": viztracer,
    "yappi": yappi,
}

# Those that one run compares where nothing else is asked for.
ALL = [
    "bare",
    "empty-hook --no-c-calls",
    "pytrace --no-c-calls",
    "trace0",
    "empty-hook",
    "pytrace",
    "cProfile",
    "yappi",
    "viztracer",
]
if sys.version_info >= (3, 15):
    ALL.append("sampling")
QUICK = ["bare", "pytrace --no-c-calls", "trace0", "pytrace", "cProfile"]

def name_of(tool):
    """Without options, and without the directory of pytrace@DIRECTORY."""
    return tool.split()[0].partition("@")[0]


def build_of(tool):
    """That directory, or None."""
    return tool.split()[0].partition("@")[2] or None


def kind_of(tool):
    """Which events the tool is asked for: "C" (of Python and C functions), "Python", or None."""
    if name_of(tool) in ("bare", "sampling"):
        return None
    return "Python" if name_of(tool) == "trace0" or "--no-c-calls" in tool else "C"


def keeps(tool):
    """What there is to be read afterwards: "all", "Python" (all, of Python functions), "sums", "samples", or "nothing"."""
    kept = {"bare": "nothing", "empty-hook": "nothing", "sampling": "samples", "cProfile": "sums", "yappi": "sums"}
    return kept.get(name_of(tool)) or {"C": "all", "Python": "Python"}[kind_of(tool)]
