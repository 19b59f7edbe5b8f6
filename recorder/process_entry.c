#include <Python.h>

#include "process_entry.h"

#include "clock.h"
#include "host_wait.h"
#include "session.h"

struct search {
    struct pt_process_entry *result;
    const struct pt_process_entry *parent;
    enum pt_process_origin origin;
};

/* One more process keeps the recording alive. False if it is closed. */
static bool count_live(struct pt_arena_control *control)
{
    uint32_t live = atomic_load(&control->live);
    while (!(live & PT_ARENA_CLOSED))
        if (atomic_compare_exchange_weak(&control->live, &live, live + 1))
            return true;
    return false;
}

static bool reserve(const struct search *search, uint32_t index)
{
    const struct pt_arena_control *control = pt_session_control();
    struct pt_arena_process *process = pt_arena_process(&pt_session->arena, index);
    uint64_t use = atomic_load_explicit(&process->use, memory_order_acquire);
    if ((uint32_t)use != PT_PROCESS_FREE)
        return false;
    const uint32_t generation = (uint32_t)(use >> 32) + 1;
    /* Before the entry is ours: the drain gives back entries that were reserved long ago, and must never see this one
     * with an old time. Who else tries at this moment stores the same. */
    atomic_store(&process->start_tick, pt_clock_tick((enum pt_clock_kind)control->clock, control->tick_shift));
    if (!atomic_compare_exchange_strong(&process->use, &use, pt_arena_process_use(PT_PROCESS_BORN, generation)))
        return false;
    *search->result = (struct pt_process_entry){index, generation};
    atomic_store_explicit(&process->pid, 0,
                          memory_order_relaxed); /* the last one's, which can be found by it no more */
    process->parent = search->parent->index;
    process->parent_generation = search->parent->generation;
    process->origin = search->origin;
    return true;
}

static bool find_free(void *context)
{
    for (uint32_t i = 0; i < pt_session->arena.shape.process_count; i++)
        if (reserve(context, i))
            return true;
    return false;
}

bool pt_process_entry_reserve(struct pt_process_entry *entry, const struct pt_process_entry *parent,
                              enum pt_process_origin origin)
{
    struct pt_arena_control *control = pt_session_control();
    struct search search = {entry, parent, origin};
    if (atomic_load(&control->stop) != PT_ARENA_RUNNING || !count_live(control))
        return false;
    /* The drain keeps entries ahead of the demand, and is woken for more; a burst of births may outrun it. */
    bool reserved = find_free(&search);
    if (reserved)
        pt_host_wait_wake();
    else if (!pt_session->processes_exhausted)
        reserved = pt_host_wait_for_place(find_free, &search);
    pt_session->processes_exhausted = !reserved;
    if (!reserved) {
        atomic_fetch_sub(&control->live, 1);
        atomic_fetch_add(&control->unslotted_threads, 1);
    }
    return reserved;
}
