"""`python -m pytrace`: the commands of the recorder."""

import sys

from . import __version__, _record

USAGE = """\
usage: python -m pytrace record [options] (script.py | -m module | -c code) [args...]
       python -m pytrace --help | --version

Records a program exactly: every call, Python and C, in all threads and child processes.

  python -m pytrace record -o trace.bin app.py     record app.py
  pytrace-analyze trace.bin --top 50               see where the time went

`python -m pytrace record --help` tells the options.
"""


def main(arguments):
    if not arguments:
        return _record.usage_error("what is to be done? Try: python -m pytrace record app.py")
    command = arguments[0]
    if command == "record":
        return _record.main(arguments[1:])
    if command in ("-h", "--help"):
        sys.stdout.write(USAGE)
        return 0
    if command in ("-V", "--version"):
        sys.stdout.write("pytrace " + __version__ + "\n")
        return 0
    kind = "option" if command.startswith("-") else "command"
    return _record.usage_error(_record.unknown(kind, command, ("record", "--help", "--version")))


sys.exit(main(sys.argv[1:]))
