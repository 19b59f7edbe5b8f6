/* --fail-on: what is found in a comparison that shall end with exit status 1.
 *
 * A list of conditions with commas between: `slower`, `slower>5%` (the time of a call), `slower>10ms` (all calls of a run
 * together), `total`, `total>5%`, `total>10ms` (the whole program), `calls` (any function is called more or less often). What is
 * slower is only what has that verdict: noise fails no build. */
#ifndef PT_DIFF_FAIL_H
#define PT_DIFF_FAIL_H

#include <stdbool.h>
#include <stddef.h>

#include "diff_rows.h"
#include "status.h"

#define PT_DIFF_FAIL_MAX 16

struct pt_diff_condition {
    enum pt_diff_fail_kind { PT_DIFF_FAIL_SLOWER, PT_DIFF_FAIL_TOTAL, PT_DIFF_FAIL_CALLS } kind;
    bool relative; /* `limit` is a share: 0.05 is 5 % */
    double limit;  /* else nanoseconds */
    char text[40]; /* as it was given */
};

struct pt_diff_conditions {
    struct pt_diff_condition list[PT_DIFF_FAIL_MAX];
    size_t count;
};

/* `text` may be NULL: no condition. PT_MISUSE. */
PT_MUST_USE enum pt_status pt_diff_conditions_parse(struct pt_diff_conditions *conditions, const char *text,
                                                    struct pt_error *error);

bool pt_diff_condition_holds(const struct pt_diff_condition *condition, const struct pt_diff_rows *rows);

#endif
