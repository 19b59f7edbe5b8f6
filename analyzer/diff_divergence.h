/* The first call at which two threads part: both streams are read side by side, functions by what they are matched to,
 * and nothing but calls and leaves is looked at. */
#ifndef PT_DIFF_DIVERGENCE_H
#define PT_DIFF_DIVERGENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diff_match.h"
#include "diff_threads.h"
#include "report.h"

enum pt_diff_course {
    PT_DIFF_COURSE_SAME, /* the same calls in the same order, to the end */
    PT_DIFF_COURSE_DIFFERS,
    PT_DIFF_COURSE_UNKNOWN,  /* the same as far as both are known: events were lost then */
    PT_DIFF_COURSE_ONE_SIDE, /* there is no such thread on the other side */
};

struct pt_diff_divergence {
    struct pt_diff_pair threads;
    enum pt_diff_course course;
    uint64_t calls;      /* that are the same, from the first on; the next one differs */
    uint64_t base_calls; /* of the thread in the base, all of them */
    uint32_t
        *paths[2]; /* to the next call of each side, outermost first: functions of the input; NULL: there is none */
    size_t depths[2];
};

/* Release with pt_diff_divergences_release. */
struct pt_diff_divergences {
    struct pt_diff_divergence *threads;
    size_t count;
};

/* Follows the threads of the first trace of either side. PT_NOMEM; PT_END after Ctrl-C. */
PT_MUST_USE enum pt_status pt_diff_divergences_find(struct pt_diff_divergences *divergences, struct pt_report *report,
                                                    const struct pt_diff_match *match);
void pt_diff_divergences_release(struct pt_diff_divergences *divergences);

#endif
