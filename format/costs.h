/* What recording adds to a call, measured when the recording began (SPEC.md 3). */
#ifndef PT_COSTS_H
#define PT_COSTS_H

#include <stdbool.h>
#include <stdint.h>

#define PT_COST_UNMEASURED UINT64_MAX
#define PT_COST_MAX_PS     UINT64_C(1000000000) /* 1 ms: no event costs that much, and no sum of these wraps */

enum pt_cost_kind {
    PT_COST_CALL,   /* of a Python function, up to its return */
    PT_COST_C_CALL, /* of a C function */
    PT_COST_RESUME, /* of a generator or coroutine, up to its next yield, or its return */
    PT_COST_KINDS,
};

/* Of one call, in picoseconds; PT_COST_UNMEASURED if that is not known. */
struct pt_cost {
    uint64_t own_ps;    /* between its two time stamps: the time of the function that is called */
    uint64_t caller_ps; /* before the first and behind the second: that of its caller */
};

#define PT_COSTS_UNMEASURED                                                                                            \
    {                                                                                                                  \
        {PT_COST_UNMEASURED, PT_COST_UNMEASURED}, {PT_COST_UNMEASURED, PT_COST_UNMEASURED},                            \
        {                                                                                                              \
            PT_COST_UNMEASURED, PT_COST_UNMEASURED                                                                     \
        }                                                                                                              \
    }

static inline bool pt_cost_is_measured(const struct pt_cost *cost)
{
    return cost->own_ps <= PT_COST_MAX_PS && cost->caller_ps <= PT_COST_MAX_PS;
}

#endif
