/* The lines that open every report: what was recorded, and all that one must know to trust the figures. */
#ifndef PT_HEADER_LINE_H
#define PT_HEADER_LINE_H

#include "json.h"
#include "report.h"

/* Prints the line of each trace and, below it, one line for each thing that is wrong with it. Call when the events were
 * read, if they are at all. */
void pt_header_line_print(const struct pt_report *report);

/* Begins a report in JSON: an object with the version of the schema and "trace" (or "traces"), to which the report adds
 * its members; and ends it. */
void pt_header_line_json_open(struct pt_json *json, const struct pt_report *report);
void pt_header_line_json_close(struct pt_json *json);

/* Gives `take` a line for each thing that is wrong with the traces, or worth a note: for exports, whose readers see no header line.
 * Call when the events were read. */
void pt_header_line_tell(const struct pt_report *report, void (*take)(void *context, const char *line), void *context);

/* Says on stderr what keeps a trace from being whole: for people who do not see the line itself. */
void pt_header_line_warn(const struct pt_trace *trace);

#endif
