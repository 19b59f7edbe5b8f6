/* Verdicts where each side has traces enough to know how much runs differ of their own accord.
 *
 * The question for all rows at once: if the sides were the same program, and which trace belongs to which of them chance,
 * how often would any row differ as much as this one? So the traces are dealt out to the sides in every possible way (or in
 * many, if there are too many), all rows together; what one row is compared with is the greatest difference of any.
 * Whoever compares a program with itself sees a single slower or faster in at most PT_DIFF_LEVEL of the comparisons,
 * whatever the noise is like and however many rows there are. */
#ifndef PT_DIFF_REPLICATES_H
#define PT_DIFF_REPLICATES_H

#include <stdbool.h>
#include <stddef.h>

#include "diff_rows.h"

#define PT_DIFF_LEVEL  0.05 /* the chance of any false slower or faster in a comparison */
#define PT_DIFF_MARGIN 0.05 /* what is called unchanged may have changed by less than this share of its time */

/* Whether so many traces can say anything: 4 and 4, 3 and 5, … */
bool pt_diff_replicates_suffice(size_t bases, size_t news);

/* Gives every row that can be compared, and the total, a verdict. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_diff_replicates_judge(struct pt_diff_rows *rows, const struct pt_report *report);

#endif
