"""Runs a command with all that it leaves behind: processes that outlive it (the drain, servers of other tools) come to this one, which
waits for them, too, and so learns what all of them took."""

import ctypes
import os
import signal
import subprocess

PR_SET_CHILD_SUBREAPER = 36
SECONDS = 600

if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
    raise OSError("prctl(PR_SET_CHILD_SUBREAPER)")


class Failed(Exception):
    pass


def run(command, log, **options):
    """The seconds of processor time of the command and all that it started, when the last of them has ended. Raises Failed."""
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, **options)
    signal.signal(signal.SIGALRM, kill_children)
    signal.alarm(SECONDS)
    try:
        cpu_s = wait_for_all(process)
    finally:
        signal.alarm(0)
    if process.returncode != 0:
        with open(log, errors="replace") as output:
            lines = output.read().strip().splitlines()
        raise Failed(lines[-1] if lines else "status %d" % process.returncode)
    return cpu_s


def wait_for_all(process):
    cpu_s = 0.0
    while True:
        try:
            pid, status, usage = os.wait4(-1, 0)
        except ChildProcessError:
            return cpu_s
        cpu_s += usage.ru_utime + usage.ru_stime
        if pid == process.pid:
            process.returncode = os.waitstatus_to_exitcode(status)


def kill_children(number, frame):
    """And those that come to us when these are gone."""
    with open("/proc/self/task/%d/children" % os.getpid()) as file:
        for pid in file.read().split():
            os.kill(int(pid), signal.SIGKILL)
    signal.alarm(1)
