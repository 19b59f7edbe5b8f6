/* The lines that open every report: what was recorded, and all that one must know to trust the figures. */
#ifndef PT_HEADER_LINE_H
#define PT_HEADER_LINE_H

#include "json.h"
#include "report.h"

/* Prints the line of each trace and, below it, one line for each thing that is wrong with it. Call when the events were
 * read, if they are at all. */
void pt_header_line_print(const struct pt_report *report);

/* Writes the "trace" member (or "traces") into an object that is open. */
void pt_header_line_json(struct pt_json *json, const struct pt_report *report);

/* Says on stderr what keeps a trace from being whole: for people who look at the report through a pipe. */
void pt_header_line_warn(const struct pt_trace *trace);

#endif
