#include "command.h"

#include <string.h>

const struct pt_command pt_command_table[] = {
    {"top", NULL, "where the time went, function by function", "pytrace-analyze top trace.bin -n 50 --sort total", true,
     pt_report_top},
    {"tree", NULL, "who called whom, with the time of each path",
     "pytrace-analyze tree trace.bin --min-pct 1 --depth 8", true, pt_report_tree},
    {"callers", "RE", "from where the functions that match are called",
     "pytrace-analyze callers 'Encoder.encode$' trace.bin", true, pt_report_callers},
    {"callees", "RE", "what the functions that match call", "pytrace-analyze callees 'Encoder.encode$' trace.bin", true,
     pt_report_callees},
    {"lines", "RE", "where the time of the functions that match went, line by line (needs record --lines)",
     "pytrace-analyze lines 'Encoder.encode$' trace.bin", true, pt_report_lines},
    {"exceptions", NULL, "where exceptions were raised, how far they went (needs record --exceptions)",
     "pytrace-analyze exceptions trace.bin -n 50", true, pt_report_exceptions},
    {"threads", NULL, "what each thread did", "pytrace-analyze threads trace.bin", true, pt_report_threads},
    {"diff", NULL, "what has changed from one trace to another: calls, time, the first call that differs",
     "pytrace-analyze diff old-trace.bin new-trace.bin --fail-on calls", true, pt_report_diff},
    {"info", NULL, "everything about the recording itself", "pytrace-analyze info trace.bin", true, pt_report_info},
    {"check", NULL, "whether the trace is pristine; exit status 1 if not", "pytrace-analyze check trace.bin", false,
     pt_report_check},
    {"dump", NULL, "every record, one a line", "pytrace-analyze dump trace.bin --tid 1 --format json", false,
     pt_report_dump},
    {"export", "FORMAT", "the trace, or the part of it that the filters leave, for other tools",
     "pytrace-analyze export folded trace.bin --focus 'Encoder.encode$' -o encode.folded", false, pt_report_export},
};
const size_t pt_command_count = sizeof pt_command_table / sizeof pt_command_table[0];

const struct pt_command *pt_command_find(const char *name)
{
    for (size_t i = 0; i < pt_command_count; i++)
        if (strcmp(pt_command_table[i].name, name) == 0)
            return &pt_command_table[i];
    return NULL;
}
