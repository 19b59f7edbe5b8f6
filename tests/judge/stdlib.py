"""Event by event: the standard library's own tests, recorded and watched by the interpreter's own profile function in the same run.

    stdlib.py [--quick | --modules NAME…] [--jobs N] [--keep DIRECTORY]

runs under the interpreter to judge, with PYTHONPATH holding pytrace and judge_log. Before 3.12 only Python functions are compared (see
judge_log.c). Exits with 1 if anything differs that corpus.py gives no reason for.
"""

import argparse
import collections
import concurrent.futures
import importlib.util
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import compare
import corpus

# A shell that starts this in the background has these two ignored, and the tests would inherit that.
for number in signal.SIGINT, signal.SIGQUIT:
    signal.signal(number, signal.SIG_DFL)

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 600
ATTEMPTS = 3  # a busy machine can keep the drain process from its work; what was lost then cannot be compared

Outcome = collections.namedtuple("Outcome", "module result seconds trouble")


def run_module(module, place):
    """Returns a word about what went wrong, or None."""
    logs, work = os.path.join(place, "logs"), os.path.join(place, "work")
    os.makedirs(logs), os.makedirs(work)
    command = [sys.executable, os.path.join(HERE, "run_module.py"), module, os.path.join(place, "trace.bin"), logs]
    with open(os.path.join(place, "output"), "wb") as output:
        process = subprocess.Popen(
            [*command, *corpus.left_out(module)],
            cwd=work,
            env={**os.environ, "PYTHONHASHSEED": "0", "TMPDIR": work},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            return "hangs"
    return None if status == 0 else "ended with %d" % status


def judge(module, keep):
    start = time.monotonic()
    for attempt in range(ATTEMPTS):
        place = os.path.join(keep, module) if keep else tempfile.mkdtemp(prefix="judge-")
        shutil.rmtree(place, ignore_errors=True)
        try:
            trouble = run_module(module, place)
            result = None if trouble else compare.compare(os.path.join(place, "trace.bin"), os.path.join(place, "logs"), ("run_module.py", "window"))
        finally:
            if not keep:
                shutil.rmtree(place, ignore_errors=True)
        if not result or not result.lost:
            break
    return Outcome(module, result, time.monotonic() - start, trouble)


def is_good(outcome):
    result = outcome.result
    return not outcome.trouble and not result.differences and not result.lost and not result.cut and result.events > 0


def show(outcome):
    result = outcome.result
    if outcome.trouble:
        print("%-34s %s" % (outcome.module, outcome.trouble), flush=True)
        return
    verdict = "equal" if is_good(outcome) else "%d differences, %d lost, %d logs cut short" % (len(result.differences), result.lost, result.cut)
    print("%-34s %12s %8s %8.1f s  %s" % (outcome.module, format(result.events, ","), format(result.threads, ","), outcome.seconds, verdict), flush=True)
    for difference in result.differences[:3]:
        print("    " + difference.replace("\n", "\n    "), flush=True)


def exists(module):
    try:
        return importlib.util.find_spec("test." + module) is not None
    except ImportError:
        return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--modules", nargs="+", default=corpus.MODULES)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", help="directory for traces, logs and output of the tests")
    options = parser.parse_args()

    wanted = corpus.QUICK if options.quick else options.modules
    missing = [module for module in wanted if not exists(module)]
    modules = [module for module in wanted if module not in missing]
    print("CPython %s: events and threads compared" % platform.python_version())
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        outcomes = []
        for future in [pool.submit(judge, module, options.keep) for module in modules]:
            outcomes.append(future.result())
            show(outcomes[-1])
    good = [outcome for outcome in outcomes if is_good(outcome)]
    events = sum(outcome.result.events for outcome in outcomes if outcome.result)
    print("%d of %d modules equal, %s events" % (len(good), len(outcomes), format(events, ",")))
    if missing:
        print("not in this Python: " + " ".join(missing))
    if missing == wanted:
        return 77  # the tests are a package of their own in some distributions; ctest takes this for a skip
    return 0 if good and len(good) == len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
