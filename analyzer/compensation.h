/* What --compensate takes away: the time that recording has added, as it was measured when the recording began.
 *
 * A call costs its caller something, before its first time stamp and behind its last, and its function something in between. Both are
 * taken off the clock at the call: the clock of what comes out goes back there, so that a single difference of clocks may be
 * negative. Sums of them, over all that a function did, are what they would be without the recorder, but for how well the
 * costs were estimated. Nothing is rounded or cut off before they are summed up (pt_stream_ns). */
#ifndef PT_COMPENSATION_H
#define PT_COMPENSATION_H

#include <stddef.h>
#include <stdint.h>

#include "costs.h"

struct pt_step;

/* Zeroed takes nothing away. */
struct pt_compensation {
    unsigned shift; /* the clock of what comes out runs 2^shift times a tick: costs are fractions of one */
    struct {
        uint64_t own; /* on that clock */
        uint64_t caller;
    } costs[PT_COST_KINDS];
};

/* `costs` are the PT_COST_KINDS of a trace, whose tick takes `tick_ns`; what is not measured counts as 0. */
void pt_compensation_init(struct pt_compensation *compensation, const struct pt_cost *costs, double tick_ns);

/* Takes the costs off the clocks of steps of one thread, in order. `*spent` is 0 when it begins. */
void pt_compensation_apply(const struct pt_compensation *compensation, struct pt_step *steps, size_t count,
                           uint64_t *spent);

#endif
