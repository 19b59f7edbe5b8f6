/* Which thread of the new trace is which of the base: the processes are paired by whom they come from, what they run and
 * their order, their threads by name and order. */
#ifndef PT_DIFF_THREADS_H
#define PT_DIFF_THREADS_H

#include <stddef.h>

#include "input.h"
#include "status.h"

struct pt_diff_pair {
    const struct pt_input_thread *sides[2]; /* by enum pt_side; one of them may be NULL */
};

/* Pairs the chosen threads of trace `base` with those of trace `new`; in order of the base's, those of the new trace that
 * are left over behind them. free(3) the pairs. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_diff_threads_pair(struct pt_diff_pair **pairs, size_t *count,
                                                const struct pt_input *input, size_t base, size_t new);

#endif
