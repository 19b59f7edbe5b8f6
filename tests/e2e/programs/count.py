"""Runs MODULE.FUNCTION once to warm up, then once more while cProfile, pytrace, or both, count its calls.

    count.py MODULE FUNCTION COUNTS TRACE     either of the two may be "-"

COUNTS gets {label: calls} of cProfile as JSON.
"""

import cProfile
import importlib
import json
import re
import sys

import pytrace


def label(code):
    if isinstance(code, str):
        return re.sub(" at 0x[0-9a-f]+", "", code)  # so that two runs compare
    return "%s:%d(%s)" % (code.co_filename, code.co_firstlineno, code.co_name)


def by_cprofile(function):
    profile.enable()
    function()
    profile.disable()


def by_pytrace(function):
    pytrace.start(trace)
    function()
    pytrace.stop()


def by_both(function):
    pytrace.start(trace)
    profile.enable()
    function()
    profile.disable()
    pytrace.stop()


module, function, counts, trace = sys.argv[1:]
function = getattr(importlib.import_module(module), function)
profile = cProfile.Profile()
function()
if trace == "-":
    by_cprofile(function)
elif counts == "-":
    by_pytrace(function)
else:
    by_both(function)

if counts != "-":
    calls = {}
    for entry in profile.getstats():
        name = label(entry.code)
        calls[name] = calls.get(name, 0) + entry.callcount
    with open(counts, "w") as file:
        json.dump(calls, file)
