#include <Python.h>

#include "slot.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hook.h"
#include "host_wait.h"
#include "process_owner.h"
#include "ring.h"
#include "session.h"
#include "thread_clock.h"
#include "thread_name.h"

#define RETRY_EVENTS 1024u /* a thread without a slot tries again after this many */
/* A new thread registers itself within its first calls, and may not live for many more. */
#define NAME_FIRST_RETRY 8u
#define NAME_LAST_RETRY  64u

/* What every thread has that has no slot: an empty cache and limit 0 send all of its events to the slow path. Never
 * written. */
static struct pt_thread_state no_state;

_Thread_local struct pt_thread_state *pt_thread_self __attribute__((tls_model("initial-exec"))) = &no_state;

static _Thread_local struct {
    uint32_t session; /* in which the thread was counted */
    uint32_t events;  /* since the last try */
} unslotted;

/* The calling thread is the child of a fork and has had no event yet. */
static _Thread_local bool just_forked;

/* --- Claiming ---------------------------------------------------------------------------------------------------- */

static bool claim(struct pt_arena_slot *slot)
{
    if (atomic_load_explicit(&slot->state, memory_order_acquire) != PT_SLOT_FREE || !pt_arena_owner_try(&slot->owner))
        return false;
    if (atomic_load_explicit(&slot->state, memory_order_acquire) != PT_SLOT_FREE) { /* somebody came, and went again */
        pt_arena_owner_release(&slot->owner);
        return false;
    }
    return true;
}

struct search {
    uint32_t index;
};

static bool find_free(void *context)
{
    struct search *search = context;
    for (uint32_t i = 0; i < pt_session->arena.shape.slot_count; i++) {
        if (claim(pt_arena_slot(&pt_session->arena, i))) {
            search->index = i;
            return true;
        }
    }
    return false;
}

static void count_unslotted(struct pt_arena_control *control)
{
    if (unslotted.session != pt_session->serial) {
        unslotted.session = pt_session->serial;
        unslotted.events = 0;
        atomic_fetch_add(&control->unslotted_threads, 1);
    }
    unslotted.events++;
    atomic_fetch_add(&control->unslotted_events, 1);
}

void pt_slot_lose_leave(void)
{
    /* `events` stays: what decides when to try again are the events that try. */
    if (unslotted.session == pt_session->serial)
        atomic_fetch_add(&pt_session_control()->unslotted_events, 1);
}

struct pt_thread_state *pt_slot_claim(void)
{
    struct pt_arena_control *control = pt_session_control();
    if (unslotted.session == pt_session->serial && unslotted.events % RETRY_EVENTS != 0) {
        count_unslotted(control);
        return NULL;
    }
    pt_slot_release();
    struct search search;
    bool found = find_free(&search);
    if (!found && !pt_session->slots_exhausted)
        found = pt_host_wait_for_place(find_free, &search);
    pt_session->slots_exhausted = !found;
    if (!found) {
        count_unslotted(control);
        return NULL;
    }
    unslotted.session = 0;
    if (!pt_arena_owner_alive(&pt_session->process->owner))
        (void)pt_process_owner_take(pt_session->process);

    struct pt_arena_slot *slot = pt_arena_slot(&pt_session->arena, search.index);
    struct pt_thread_state *self = &pt_session->threads[search.index];
    memset(self, 0, sizeof *self);
    self->slot = slot;
    self->clock = (enum pt_clock_kind)control->clock;
    self->tick_shift = control->tick_shift;

    atomic_fetch_add_explicit(&slot->generation, 1, memory_order_relaxed);
    atomic_store_explicit(&slot->process, pt_session->process_index, memory_order_relaxed);
    atomic_store_explicit(&slot->process_generation, pt_session->process_generation, memory_order_relaxed);
    atomic_store_explicit(&slot->native_id, (uint64_t)syscall(SYS_gettid), memory_order_relaxed);
    atomic_store_explicit(&slot->start_tick, pt_thread_clock_start(self), memory_order_relaxed);
    atomic_store_explicit(&slot->end_tick, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->lost, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->stalled_ticks, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->produced, 0, memory_order_relaxed);
    memset(slot->name, 0, sizeof slot->name);
    /* Publishes all of them to the drain, which looks at a slot's fields only in this state. */
    atomic_store_explicit(&slot->state, PT_SLOT_OWNED, memory_order_release);

    uint32_t used = pt_session->threads_used;
    while (used <= search.index)
        if (atomic_compare_exchange_weak(&pt_session->threads_used, &used, search.index + 1))
            break;
    self->session = pt_session->serial;
    self->name_retry = NAME_FIRST_RETRY;
    self->in_fork = just_forked;
    just_forked = false;
    pt_ring_init(self, pt_arena_ring(&pt_session->arena, search.index), pt_session->arena.shape.ring_size);
    pt_thread_self = self;
    pt_slot_update_name(self);
    pt_hook_watch_thread();
    pt_host_wait_wake(); /* for the drain to keep free slots ahead of us */
    return self;
}

void pt_slot_release(void)
{
    struct pt_thread_state *self = pt_thread_self;
    pt_thread_self = &no_state;
    if (self->session == 0)
        return;
    struct pt_arena_slot *slot = self->slot;
    const bool current = self->session == pt_session->serial;
    self->session = 0;
    pt_thread_state_set_limit(self, 0);
    if (current) {
        atomic_store_explicit(&slot->end_tick, pt_thread_clock_tick(self), memory_order_relaxed);
        /* After the last record and the fields above, which the drain reads once it sees this. */
        atomic_store_explicit(&slot->state, PT_SLOT_RELEASED, memory_order_release);
    }
    pt_arena_owner_release(&slot->owner);
}

void pt_slot_date_end(const struct pt_thread_state *thread)
{
    if (thread->clock == PT_CLOCK_CPU)
        atomic_store_explicit(&thread->slot->end_tick, pt_thread_clock_tick_of(thread, 0), memory_order_relaxed);
}

void pt_slot_forget(void)
{
    pt_thread_self = &no_state;
    just_forked = true;
}

void pt_slot_returned_from_fork(void)
{
    just_forked = false;
}

/* --- The thread's name ------------------------------------------------------------------------------------------- */

void pt_slot_update_name(struct pt_thread_state *self)
{
    struct pt_arena_slot *slot = self->slot;
    while (self->name_retry != 0 && self->name_retry <= self->position)
        self->name_retry = self->name_retry < NAME_LAST_RETRY ? self->name_retry * 2 : 0;
    PyObject *object = pt_thread_name();
    const char *name = object && PyUnicode_Check(object) ? PyUnicode_AsUTF8(object) : NULL;
    PyErr_Clear();
    if (!name && slot->name[0] == '\0' && syscall(SYS_gettid) == getpid())
        name = "MainThread"; /* what threading will call it, should it ever be imported */
    if (name && strncmp(slot->name, name, sizeof slot->name - 1) != 0) {
        /* Zeros first: a reader in between finds a shorter name, never a mixture of two. */
        memset(slot->name, 0, sizeof slot->name);
        memcpy(slot->name, name, strnlen(name, sizeof slot->name - 1));
    }
    Py_XDECREF(object);
}
