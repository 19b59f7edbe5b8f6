"""The tools that are measured. Each is a function that gets the tool's options and a directory for its output, imports what it needs,
and returns two functions: one begins to record, the other ends it and returns when what was recorded can be read.
"""

import os

TRACE = "trace.bin"


def nothing():
    pass


def bare(options, place):
    return nothing, nothing


def cprofile(options, place):
    import cProfile

    profile = cProfile.Profile()

    def end():
        profile.disable()
        profile.dump_stats(os.path.join(place, "profile"))

    return profile.enable, end


def pytrace(options, place):
    import pytrace
    from pytrace import _record

    keywords, rest = _record.parse_options(options)
    if rest:
        raise SystemExit("pytrace has no option %s" % rest[0])
    keywords["path"] = os.path.join(place, TRACE)
    return lambda: pytrace.start(**keywords), pytrace.stop


TOOLS = {"bare": bare, "cProfile": cprofile, "pytrace": pytrace}
