/* A comparison: all that is found out before a word of it is printed. */
#ifndef PT_DIFF_H
#define PT_DIFF_H

#include "buffer.h"
#include "diff_blocks.h"
#include "diff_divergence.h"
#include "diff_fail.h"
#include "diff_match.h"
#include "diff_paths.h"
#include "diff_rows.h"
#include "diff_settings.h"
#include "report.h"

struct pt_diff {
    struct pt_report *report;
    struct pt_diff_settings settings;
    struct pt_diff_match match;
    struct pt_diff_paths paths;
    struct pt_diff_blocks blocks; /* where there are too few traces */
    struct pt_diff_divergences divergences;
    struct pt_diff_rows rows;
    struct pt_diff_conditions conditions; /* of --fail-on: those that hold */
    size_t shown;                         /* the first of the rows: those that are printed */
};

/* The function as it is called now, or was called in the base if there is none now. */
const struct pt_function *pt_diff_function(const struct pt_diff *diff, uint32_t number);

/* How many calls a trace of the side has: all the same number, or else the mean. */
uint64_t pt_diff_calls(const struct pt_diff *diff, const struct pt_diff_row *row, enum pt_side side);

/* Words for programs: "more", "slower", … */
const char *pt_diff_change_name(enum pt_diff_change change);
const char *pt_diff_verdict_name(enum pt_diff_verdict verdict);
const char *pt_diff_how_name(enum pt_diff_how how);

/* What stands above the rows: the traces, their settings, structure, the first calls that differ. `scale`: unit of times. */
PT_MUST_USE enum pt_status pt_diff_summary_print(const struct pt_diff *diff, uint64_t scale);
/* What stands below them: how far they can be trusted, and which conditions of --fail-on hold. */
void pt_diff_summary_print_end(const struct pt_diff *diff);
PT_MUST_USE enum pt_status pt_diff_table_print(const struct pt_diff *diff);
void pt_diff_json_print(const struct pt_diff *diff);
void pt_diff_csv_print(const struct pt_diff *diff);

#endif
