"""The standard library's test modules that are compared event by event, and what of them is left out, each with its reason."""

import sys

# A minute or two; the rest by hand (`make judge`).
QUICK = """
    test_generators test_coroutines test_asyncgen test_contextlib test_exceptions test_threadsignals test_fork1 test_functools
    test_dataclasses test_with test_yield_from test_patma test_except_star
""".split()

MODULES = QUICK + """
    test_json test_threading test_weakref test_re test_enum test_itertools test_collections test_dict test_list test_set test_scope
    test_super test_descr test_property test_operator test_copy test_pickle test_datetime test_decimal test_fractions test_statistics
    test_heapq test_bisect test_difflib test_textwrap test_string test_ast test_tokenize test_argparse test_logging test_queue
    test_thread test_gc test_genericalias test_typing test_raise test_exception_hierarchy test_traceback test_import test_sched
    test_signal test_asyncio.test_tasks test_asyncio.test_futures test_asyncio.test_locks test_asyncio.test_queues
    test_asyncio.test_events test_asyncio.test_base_events test_asyncio.test_streams test_asyncio.test_runners
    test_asyncio.test_taskgroups
""".split()

REPLACES_PROFILE = "replaces the profile function of its thread, or of all threads: the witness would be gone"
REPLACES_TRACE = "replaces the trace function: the witness, which before 3.12 is one, would be gone"

# module: {part of a test's id: reason}
LEFT_OUT = {
    "test_datetime": {"ZoneInfoTest": "each time zone that there is, in two implementations: half a billion events, more than a log holds"},
    "test_json": {"TestPyRecursion": "100 million events, nearly all of them of generators that are resumed 5,000 deep: a matter of minutes"},
    "test_statistics": {"test_kde_random": "400 million events: a quarter of an hour"},
    "test_threading": {
        "profile": REPLACES_PROFILE,
        "test_print_exception_gh_102056": "its program, which is not recorded, can run for ever on a busy machine: the interrupt comes too late",
    },
}

# The same, before 3.12.
LEFT_OUT_BEFORE = {
    "test_asyncio.test_tasks": {"test_refleaks_in_task___init__": REPLACES_TRACE},
    "test_descr": {"test_refleaks_in": REPLACES_TRACE},
    "test_exceptions": dict.fromkeys(["testInfiniteRecursion", "test_badisinstance", "test_recursion_error_cleanup"], REPLACES_TRACE),
    "test_gc": dict.fromkeys(["test_frame", "test_get_count", "test_collect_generations"], REPLACES_TRACE),
    "test_import": {"test_concurrency": REPLACES_TRACE},
    "test_patma": {"TestTracing": REPLACES_TRACE},
    "test_pickle": {"test_bad_getattr": REPLACES_TRACE},
    "test_property": {"test_refleaks_in___init__": REPLACES_TRACE},
    "test_scope": dict.fromkeys(["testLocalsClass_WithTrace", "testInteractionWithTraceFunc"], REPLACES_TRACE),
    "test_statistics": {"DocTests": REPLACES_TRACE},
    "test_threading": dict.fromkeys(["test_finalize_with_trace", "test_frame_tstate_tracing", "test_gettrace"], REPLACES_TRACE),
}
# doctest does so as well.
DOCTESTS_LEFT_OUT = sys.version_info < (3, 12)


def left_out(module):
    patterns = dict(LEFT_OUT.get(module, {}))
    if sys.version_info < (3, 12):
        patterns.update(LEFT_OUT_BEFORE.get(module, {}))
    return patterns


# Programs of pyperformance that are compared event by event, because cProfile miscounts them.
COUNTED_BY_EVENTS = {
    "tornado_http": "has threads that are alive when cProfile is enabled and disabled, whose stacks it confuses",
}
