#include "export.h"

#include <string.h>

const struct pt_export_format pt_export_table[] = {
    {"folded", "call paths with their self time in ns, for flamegraph.pl and its kin", false, pt_export_folded},
    {"pstats", "functions and their callers as cProfile saves them, for pstats, snakeviz and their kin", true,
     pt_export_pstats},
    {"callgrind", "functions and their calls, for callgrind_annotate and KCachegrind", false, pt_export_callgrind},
    {"pprof", "call paths with their calls and self times, for go tool pprof", true, pt_export_pprof},
    {"speedscope", "every call of every thread in time, for speedscope", false, pt_export_speedscope},
    {"chrome", "the same as trace events, for chrome://tracing, Perfetto and others", false, pt_export_chrome},
    {"perfetto", "the same as Perfetto's own packets: smaller, and read faster", true, pt_export_perfetto},
};
const size_t pt_export_count = sizeof pt_export_table / sizeof pt_export_table[0];

const struct pt_export_format *pt_export_find(const char *name)
{
    for (size_t i = 0; i < pt_export_count; i++)
        if (strcmp(pt_export_table[i].name, name) == 0)
            return &pt_export_table[i];
    return NULL;
}
