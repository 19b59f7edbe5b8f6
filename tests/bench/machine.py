"""What a figure has to be read with: the machine, the interpreter, the day."""

import datetime
import os
import pathlib
import platform
import sys
import sysconfig


def describe():
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.platform(),
        "python": sys.version,
        "python_flags": sysconfig.get_config_var("PY_CFLAGS"),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def heading(machine):
    return "%(processor)s, %(cores)d cores, Python %(version)s" % {**machine, "version": machine["python"].split()[0]}
