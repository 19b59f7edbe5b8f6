"""Runs a test module of the standard library under the recorder and the witness at once, in a process of its own.

    run_module.py MODULE TRACE LOGS [PATTERN…]      tests whose id matches a pattern are left out

with PYTHONPATH holding pytrace and judge_log. What the tests print goes nowhere, and whether they succeed is of no interest here.
"""

import fnmatch
import sys
import unittest

import corpus
import judge_log
import pytrace


def is_left_out(test, patterns):
    if corpus.DOCTESTS_LEFT_OUT and type(test).__name__ == "DocTestCase":
        return True
    return any(fnmatch.fnmatchcase(test.id(), "*" + pattern + "*") for pattern in patterns)


def left_in(suite, patterns):
    kept = unittest.TestSuite()
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            kept.addTest(left_in(test, patterns))
        elif not is_left_out(test, patterns):
            kept.addTest(test)
    return kept


def window(module, patterns):
    """In the main thread, what happens between entering and leaving this function is compared."""
    suite = left_in(unittest.defaultTestLoader.loadTestsFromName("test." + module), patterns)
    unittest.TextTestRunner(verbosity=0, buffer=False).run(suite)


def main():
    module, trace, logs, *patterns = sys.argv[1:]
    sys.argv[1:] = []
    pytrace.start(trace, ring_size="16M")
    judge_log.start(logs)
    try:
        window(module, patterns)
    finally:
        judge_log.stop()
        pytrace.stop()


if __name__ == "__main__":
    main()
