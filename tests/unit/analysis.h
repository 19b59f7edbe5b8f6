/* A made-up recording, analysed as pytrace-analyze does it: events of one thread go in, the sums per function come out.
 * Any failure ends the test program. */
#ifndef ANALYSIS_H
#define ANALYSIS_H

#include "report.h"
#include "tally_read.h"
#include "trace_file.h"

/* Functions 1 to 9 are called m:C.f1 … m:C.f9; a frame entered by a C call is one of C, whatever its number. */
struct analysis {
    struct trace_file file;
    struct trace_stream stream; /* of thread 1; the tests put events here */
    struct pt_options options;
    struct pt_input input;
    struct pt_stream_view view;
    uint8_t *flags;
    struct pt_figures figures;
    struct pt_tally tally; /* in ticks */
};

/* The recording begins; events are put with trace_stream_event (ticks from TRACE_FILE_START_TICK on). */
void analysis_begin(struct analysis *analysis);

/* The recording ends at `end_tick`, where open frames are closed; what was recorded is summed up. `arguments` are
 * options of pytrace-analyze, with single spaces between them. */
void analysis_run(struct analysis *analysis, uint64_t end_tick, const char *arguments);

/* The sums of function `number` (of thread or process `number`, after --by). */
const struct pt_tally_entry *analysis_entry(const struct analysis *analysis, uint32_t number);

void analysis_release(struct analysis *analysis);

#endif
