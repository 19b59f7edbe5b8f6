"""pytrace: the flight recorder for CPython.

Records every call of a program, Python and C, exactly, at the price of a few dozen nanoseconds each. The trace survives whatever
happens to the program; pytrace-analyze reads it.

    pytrace.start("trace.bin")             record from here on, in all threads
    pytrace.stop()                         until here; the file is complete when this returns
    with pytrace.recording("trace.bin"):   the same as a block

A whole program is recorded without touching it by `python -m pytrace record -o trace.bin app.py`.
"""

import sys

# What is right for one version of the interpreter is wrong for the next: nothing newer than what all tests have passed on is let in.
if sys.implementation.name != "cpython":
    raise ImportError("pytrace records CPython only, this is " + sys.implementation.name)
if not (3, 9) <= sys.version_info[:2] <= (3, 15):
    raise ImportError("pytrace is for CPython 3.9 to 3.15, this is %d.%d" % sys.version_info[:2])
if "t" in sys.abiflags and sys.version_info[:2] != (3, 13):
    raise ImportError("of free-threaded builds pytrace is for CPython 3.13 only, this is %d.%d" % sys.version_info[:2])

try:
    from ._core import __version__, is_recording, recording, start, stop
except ModuleNotFoundError as error:
    raise ImportError(
        "pytrace is not built for this interpreter (%s); build it with make PYTHON=%s"
        % (sys.implementation.cache_tag, sys.executable)
    ) from error

__all__ = ["is_recording", "recording", "start", "stop"]
