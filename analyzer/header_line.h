/* The lines that open every report: what was recorded, and all that one must know to trust the figures. */
#ifndef PT_HEADER_LINE_H
#define PT_HEADER_LINE_H

#include <stdint.h>

#include "json.h"
#include "report.h"

/* What reading the events has told beyond the traces' metadata. */
struct pt_header_figures {
    uint64_t calls;
    uint64_t stalled_ns;
    uint64_t unmatched;
    uint64_t missing;
    uint64_t bad_chunks;
};

/* Prints the line of each trace and, below it, one line for each thing that is wrong with it. */
void pt_header_line_print(struct pt_report *report, const struct pt_header_figures *figures);

/* Writes the "trace" member (or "traces") into an object that is open. */
void pt_header_line_json(struct pt_json *json, const struct pt_report *report, const struct pt_header_figures *figures);

#endif
