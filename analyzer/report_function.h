/* What reports over call paths have in common: how a function is written for programs, and what --py and --c do. */
#ifndef PT_REPORT_FUNCTION_H
#define PT_REPORT_FUNCTION_H

#include "csv.h"
#include "json.h"
#include "report.h"
#include "trace.h"

/* Puts "kind", "module", "name", "file", "line" and "label" into an object that is open. */
void pt_report_function_json(struct pt_json *json, const struct pt_function *function);

/* The same as values of a line, and the titles of these columns, each behind `prefix`. */
void pt_report_function_csv(struct pt_csv *csv, const struct pt_function *function);
void pt_report_function_csv_titles(struct pt_csv *csv, const char *prefix);

/* The report's view, with --py and --c taken as paths take them: functions of the other kind fold into their callers. `flags` is
 * what the view points to; free it behind the view. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_report_function_view(const struct pt_report *report, struct pt_stream_view *view,
                                                   uint8_t **flags);

#endif
