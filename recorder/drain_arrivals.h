/* Whether a recording is over: nobody is left in it, and nobody is about to come. */
#ifndef PT_DRAIN_ARRIVALS_H
#define PT_DRAIN_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

#include "collector.h"
#include "drain_census.h"

struct pt_drain_arrivals {
    struct pt_drain_census census;
    struct pt_collector *collector;
    uint64_t alone_since_ns; /* since when nobody is recorded; 0 while somebody is */
};

/* While `host`, which started the recording, lives. Collector and arena must outlive it. */
void pt_drain_arrivals_init(struct pt_drain_arrivals *arrivals, struct pt_collector *collector,
                            const struct pt_arena *arena, const char *directory, pid_t host);

/* True if the recording is closed now; if not, it is to be asked again at `*look_again_ns`, or when it is woken. `now_tick`
 * and `tick_ps` are of the recording's clock. */
bool pt_drain_arrivals_over(struct pt_drain_arrivals *arrivals, uint64_t now_tick, uint64_t tick_ps,
                            uint64_t *look_again_ns);

#endif
