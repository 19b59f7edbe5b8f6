/* What reports say of a function, for programs: the same keys everywhere. */
#ifndef PT_REPORT_FUNCTION_H
#define PT_REPORT_FUNCTION_H

#include "json.h"
#include "trace.h"

/* Puts "kind", "module", "name", "file", "line" and "label" into an object that is open. */
void pt_report_function_json(struct pt_json *json, const struct pt_function *function);

#endif
