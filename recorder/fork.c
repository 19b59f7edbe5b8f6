#include <Python.h>

#include "fork.h"

#include <pthread.h>

#include "clock.h"
#include "host_wait.h"
#include "session.h"

/* Handed from the parent's handler to the child's, by the memory that fork copies. */
static struct {
    bool reserved;
    uint32_t index;
    uint32_t generation;
    struct pt_session parent;
} birth;

/* One more process keeps the recording alive. False if it is closed. */
static bool count_live(struct pt_arena_control *control)
{
    uint32_t live = atomic_load(&control->live);
    while (!(live & PT_ARENA_CLOSED))
        if (atomic_compare_exchange_weak(&control->live, &live, live + 1))
            return true;
    return false;
}

static bool reserve(struct pt_arena_control *control, struct pt_arena_process *process, uint32_t index)
{
    uint64_t use = atomic_load_explicit(&process->use, memory_order_acquire);
    if ((uint32_t)use != PT_PROCESS_FREE)
        return false;
    const uint32_t generation = (uint32_t)(use >> 32) + 1;
    /* Before the entry is ours: the drain gives back entries that were reserved long ago, and must never see this one
     * with an old time. Who else tries at this moment stores the same. */
    atomic_store(&process->start_tick, pt_clock_tick((enum pt_clock_kind)control->clock, control->tick_shift));
    if (!atomic_compare_exchange_strong(&process->use, &use, pt_arena_process_use(PT_PROCESS_BORN, generation)))
        return false;
    birth.index = index;
    birth.generation = generation;
    process->parent = pt_session->process_index;
    process->parent_generation = pt_session->process_generation;
    return true;
}

static bool find_free(void *context)
{
    struct pt_arena_control *control = context;
    for (uint32_t i = 0; i < pt_session->arena.shape.process_count; i++)
        if (reserve(control, pt_arena_process(&pt_session->arena, i), i))
            return true;
    return false;
}

static void before_fork(void)
{
    birth.reserved = false;
    if (pt_session->state != PT_SESSION_RECORDING || !pt_session->children)
        return;
    /* A thread that forks without the GIL may do so while another one changes our tables. Its child cannot run Python
     * anyway. */
    if (!PyGILState_Check())
        return;
    struct pt_arena_control *control = pt_session_control();
    if (atomic_load(&control->stop) != PT_ARENA_RUNNING || !count_live(control))
        return;
    /* The drain keeps entries ahead of the demand, and is woken for more; a burst of forks may outrun it. */
    uint64_t waited_ns;
    birth.reserved = find_free(control);
    if (birth.reserved)
        pt_host_wait_wake();
    else
        birth.reserved = pt_host_wait_until(find_free, control, &waited_ns);
    if (birth.reserved) {
        birth.parent = *pt_session;
    } else {
        atomic_fetch_sub(&control->live, 1);
        atomic_fetch_add(&control->unslotted_threads, 1);
    }
}

static void after_fork_in_child(void)
{
    /* The session was wiped by the fork, with all thread states. Without an entry the child stays as it is: detached.
     */
    if (birth.reserved)
        pt_session_join(&birth.parent, birth.index, birth.generation);
    birth.reserved = false;
}

int pt_fork_install(void)
{
    static bool installed;
    if (!installed && pthread_atfork(before_fork, NULL, after_fork_in_child) != 0) {
        PyErr_NoMemory();
        return -1;
    }
    installed = true;
    return 0;
}
