/* The formats of `export`: a trace, or the part of it that the filters leave, as other people's tools read it.
 *
 * Each format is one file, export_*.c. What they have in common:
 * - Times are nanoseconds, or what the format has for them without losing any.
 * - A stall or a gap, which is nobody's self time, stands as a function of its own (PT_EXPORT_UNRECORDED) below the one that was
 *   on top: so the sums that another tool makes are ours.
 * - Memory grows with functions, call paths and the depth of stacks, never with events. */
#ifndef PT_EXPORT_H
#define PT_EXPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "report.h"

/* What stands for time that is nobody's self time. */
#define PT_EXPORT_UNRECORDED "(not recorded)"
/* What stands, where time is drawn, for moments that filters leave out while a frame around them is shown. */
#define PT_EXPORT_LEFT_OUT "(left out)"
/* What stands for the time that a greenlet waits while others run. */
#define PT_EXPORT_SUSPENDED "(suspended)"

struct pt_export_format {
    const char *name;
    const char *text; /* one line of help */
    bool binary;      /* not to be written to a terminal */
    pt_report_run *run;
};

extern const struct pt_export_format pt_export_table[];
extern const size_t pt_export_count;

/* NULL if there is no such format. */
const struct pt_export_format *pt_export_find(const char *name);

pt_report_run pt_export_folded;
pt_report_run pt_export_pstats;
pt_report_run pt_export_callgrind;
pt_report_run pt_export_pprof;
pt_report_run pt_export_speedscope;
pt_report_run pt_export_chrome;
pt_report_run pt_export_perfetto;

#endif
