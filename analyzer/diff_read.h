/* Reads the traces of a comparison, one after another. */
#ifndef PT_DIFF_READ_H
#define PT_DIFF_READ_H

#include "diff_blocks.h"
#include "diff_match.h"
#include "diff_paths.h"
#include "report.h"

/* What is read of one trace. */
struct pt_diff_reader {
    struct pt_report *report;
    const struct pt_diff_match *match;
    struct pt_diff_paths *paths;
    struct pt_diff_blocks *blocks; /* NULL: nobody wants them */
};

/* The side of a trace of the input. */
enum pt_side pt_diff_side(const struct pt_report *report, size_t trace);

/* An input of one trace alone, whose functions have the numbers that they have in the whole. Borrows from it; not to be
 * released. */
struct pt_input pt_diff_only(const struct pt_input *whole, size_t trace);

/* Reads every trace into `paths` and `blocks`. PT_NOMEM; PT_END after Ctrl-C. */
PT_MUST_USE enum pt_status pt_diff_read(struct pt_diff_reader *reader);

#endif
