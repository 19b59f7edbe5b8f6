#include "drain_arrivals.h"

#include "clock.h"
#include "futex.h"

#define LOOK_NS UINT64_C(20000000) /* who joins wakes the drain; who dies instead, or is too late, does not */
/* A census takes tens of milliseconds on a busy machine, and may miss whoever comes and goes meanwhile, as a daemon's
 * generations do: it proves nothing against a child that was announced just now. */
#define UNBORN_NS    UINT64_C(1000000000)
#define ALONE_MAX_NS UINT64_C(20000000000) /* however many programs seem to be about to join */

void pt_drain_arrivals_init(struct pt_drain_arrivals *arrivals, struct pt_collector *collector,
                            const struct pt_arena *arena, const char *directory, pid_t host)
{
    *arrivals = (struct pt_drain_arrivals){.collector = collector};
    pt_drain_census_init(&arrivals->census, arena, directory, host);
}

struct presence {
    bool recorded;        /* a process is */
    uint32_t unborn;      /* children that were announced and have not come */
    uint64_t first_birth; /* when the first of them was */
};

static struct presence look_around(const struct pt_arena *arena)
{
    struct presence presence = {.first_birth = UINT64_MAX};
    for (uint32_t i = 0; i < arena->shape.process_count && !presence.recorded; i++) {
        const struct pt_arena_process *process = pt_arena_process(arena, i);
        const uint32_t state = atomic_load_explicit(&process->state, memory_order_acquire);
        const uint64_t tick = atomic_load_explicit(&process->start_tick, memory_order_relaxed);
        presence.recorded = state == PT_PROCESS_LIVE && !pt_arena_process_gone(process);
        presence.unborn += state == PT_PROCESS_BORN;
        if (state == PT_PROCESS_BORN && tick < presence.first_birth)
            presence.first_birth = tick;
    }
    return presence;
}

/* Who is the last one to end waits for the file; not if the file waits for somebody else. */
static void tell_hosts(struct pt_arena_control *control, uint32_t expected)
{
    if (atomic_load(&control->expected) == expected)
        return;
    atomic_store(&control->expected, expected);
    /* A census takes its time, and its result may be old. Who joins raises `live` first and clears `expected` second:
     * whatever the order, it is not left standing for somebody who is there. */
    if (expected && atomic_load(&control->live) != 0)
        atomic_store(&control->expected, 0);
    else if (expected)
        pt_futex_wake_all(&control->done);
}

bool pt_drain_arrivals_over(struct pt_drain_arrivals *arrivals, uint64_t now_tick, uint64_t tick_ps,
                            uint64_t *look_again_ns)
{
    const struct pt_arena *arena = arrivals->census.arena;
    struct pt_arena_control *control = pt_arena_control(arena);
    const struct presence presence = look_around(arena);
    const uint64_t now_ns = pt_clock_monotonic_ns();
    uint32_t none = 0;
    *look_again_ns = UINT64_MAX;
    if (presence.recorded) {
        arrivals->alone_since_ns = 0;
        tell_hosts(control, 0);
        return false;
    }
    *look_again_ns = now_ns + LOOK_NS;
    if (atomic_load(&control->live) > presence.unborn) /* whose end is not in the trace yet */
        return false;

    if (arrivals->alone_since_ns == 0)
        arrivals->alone_since_ns = now_ns;
    const uint64_t alone_ns = now_ns - arrivals->alone_since_ns;
    uint64_t born_ns = 0;
    if (presence.unborn > 0)
        born_ns = presence.first_birth < now_tick ? (now_tick - presence.first_birth) * tick_ps / 1000 + 1 : 1;
    const struct pt_drain_census_result seen = pt_drain_census_take(&arrivals->census, alone_ns, born_ns);
    if (presence.unborn > 0 && !seen.children && now_tick > UNBORN_NS * 1000 / tick_ps)
        pt_collector_forget_unborn(arrivals->collector, now_tick - UNBORN_NS * 1000 / tick_ps);
    const bool expected = seen.programs && alone_ns < ALONE_MAX_NS;
    tell_hosts(control, expected);
    return !expected && atomic_compare_exchange_strong(&control->live, &none, PT_ARENA_CLOSED);
}
