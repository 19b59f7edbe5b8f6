#include "compensation.h"

#include "stream.h"

#define SHIFT      6    /* a 64th of a tick: some 60 ps, less than the estimates are worth */
#define CLOCKS_MAX 1e12 /* no trace of ours has ticks so short */

static uint64_t clocks_of(uint64_t ps, double tick_ns)
{
    const double clocks = (double)ps / 1000 / tick_ns * (1 << SHIFT) + 0.5;
    return clocks < CLOCKS_MAX ? (uint64_t)clocks : 0;
}

void pt_compensation_init(struct pt_compensation *compensation, const struct pt_cost *costs, double tick_ns)
{
    *compensation = (struct pt_compensation){.shift = SHIFT};
    for (size_t kind = 0; kind < PT_COST_KINDS; kind++) {
        if (!pt_cost_is_measured(&costs[kind]))
            continue;
        compensation->costs[kind].own = clocks_of(costs[kind].own_ps, tick_ns);
        compensation->costs[kind].caller = clocks_of(costs[kind].caller_ps, tick_ns);
    }
}

void pt_compensation_apply(const struct pt_compensation *compensation, struct pt_step *steps, size_t count,
                           uint64_t *spent)
{
    uint64_t sum = *spent;
    for (size_t i = 0; i < count; i++) {
        struct pt_step *step = &steps[i];
        const bool call = step->kind == PT_STEP_CALL;
        sum += call ? compensation->costs[step->cost].caller : 0;
        step->clock = (step->clock << compensation->shift) - sum;
        sum += call ? compensation->costs[step->cost].own : 0;
    }
    *spent = sum;
}
