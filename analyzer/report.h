/* What every report is given, and what it gives back. One printer a file: report_top.c, report_tree.c, … */
#ifndef PT_REPORT_H
#define PT_REPORT_H

#include <stdbool.h>

#include "input.h"
#include "options.h"
#include "progress.h"
#include "screen.h"
#include "status.h"
#include "stream.h"

/* What reading the events of a trace has told beyond its metadata. Several workers may add to one. */
struct pt_figures {
    _Atomic uint64_t calls; /* of the chosen threads, filters or not */
    _Atomic uint64_t stalled_ns;
    _Atomic uint64_t unmatched;  /* leaves that closed nothing */
    _Atomic uint64_t missing;    /* frames closed without a leave of their own */
    _Atomic uint64_t bad_chunks; /* that could not be decoded */
};

struct pt_report {
    const struct pt_options *options;
    const struct pt_input *input;
    struct pt_stream_view view;   /* what --focus and its kin make of the input; flags hold PT_FILTER_MATCH too */
    struct pt_screen *screen;     /* where results go */
    struct pt_progress *progress; /* its unit is events, its total input->events */
    struct pt_figures *figures;   /* one a trace of the input, filled by pt_replay */
    bool replayed;                /* all of it was: the number of calls is known */
    bool found;                   /* set by check and diff: exit status 1 */
    struct pt_error error;
};

/* PT_OK; PT_MISUSE (a usage error that only the report could see), PT_IO, PT_NOMEM, with report->error filled. PT_END
 * after Ctrl-C. */
typedef enum pt_status pt_report_run(struct pt_report *report);

pt_report_run pt_report_top;
pt_report_run pt_report_tree;
pt_report_run pt_report_callers;
pt_report_run pt_report_callees;
pt_report_run pt_report_lines;
pt_report_run pt_report_exceptions;
pt_report_run pt_report_threads;
pt_report_run pt_report_diff;
pt_report_run pt_report_info;
pt_report_run pt_report_check;
pt_report_run pt_report_dump;
pt_report_run pt_report_export;

#endif
