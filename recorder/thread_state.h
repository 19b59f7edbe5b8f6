/* What a recorded thread keeps at hand while it writes to its ring.
 *
 * Thread states lie in one mapping for each session, with the index of their slot, and are wiped by fork and clone: a
 * child finds zeros, whose limit 0 leads every event to the slow path before anything of the parent's ring is touched.
 */
#ifndef PT_THREAD_STATE_H
#define PT_THREAD_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "arena.h"

#define PT_CACHE_ENTRIES   1024u
#define PT_LOSS_FRAMES_MAX 256u

/* Events that could not be written, since the first of them (SPEC.md 5.4, lost). */
struct pt_loss {
    bool active;
    uint64_t from_tick;
    uint64_t count;
    uint64_t unwound;                    /* frames left that were open before */
    uint64_t pushed;                     /* frames entered since that are still open */
    uint64_t frames[PT_LOSS_FRAMES_MAX]; /* the outermost of them */
    bool switched;                       /* to another greenlet: nobody knows any more whose frames these are */
};

/* Invariants: `position` is at most the consumer's position plus the ring's words; `limit` is at most the next position
 * at which anything but storing a record must be done, 0 if that is the case at once. */
struct pt_thread_state {
    uint64_t position;      /* words written since the slot was claimed */
    _Atomic uint64_t limit; /* lowered to 0 by other threads too, when a session ends */
    uint64_t *ring;
    uint64_t mask;  /* words of the ring, less one */
    uint64_t epoch; /* the bits of the tick that records leave out, as of the last rebase */
    struct pt_arena_slot *slot;
    enum pt_clock_kind clock;
    uint32_t tick_shift;

    /* The rest belongs to the slow path. */
    _Atomic uint32_t session; /* serial of the session; 0 is a state of no use */
    uint32_t hidden;          /* calls of our own functions that have not returned */
    bool in_fork;             /* the C function that forked has not returned to this child yet */
    uint32_t fork_depth;      /* frames entered since */
    clockid_t cpu_clock;      /* under PT_CLOCK_CPU: the thread's, which others can read too … */
    uint64_t cpu_base_ns;     /* … and what has to be added to it */
    uint64_t consumed;        /* the consumer's position when last looked at */
    uint64_t mark;            /* position at which the drain is woken */
    uint64_t name_retry;      /* position at which the thread's name is asked for again; 0 for never */
    struct pt_loss loss;
    bool follows_greenlets; /* the thread is told of switches (greenlet.h) */
    uint64_t greenlet;      /* number of the one that runs */

    /* Ids by pointer: a hit saves the look-up in the table of functions. Written by the thread itself, but for keys that
     * another one takes out when their function dies; that no new function is meant, the memory's way to it ensures. */
    struct pt_cached_id {
        _Atomic(const void *) key;
        uint32_t id;
    } cache[PT_CACHE_ENTRIES];
};

/* The calling thread's state; never NULL, see slot.h. initial-exec: one load, no call. */
extern _Thread_local struct pt_thread_state *pt_thread_self __attribute__((tls_model("initial-exec")));

/* Where the id of `key` is, if the thread has it at hand. The index comes out of the bits as an offset at once: keys are
 * aligned to 16 bytes, and so long is an entry. */
static inline struct pt_cached_id *pt_thread_state_cached(struct pt_thread_state *self, const void *key)
{
    _Static_assert(sizeof self->cache == PT_CACHE_ENTRIES << 4, "an entry has 16 bytes");
    uintptr_t bits = (uintptr_t)key;
    uintptr_t offset = (bits ^ bits >> 10) & ((PT_CACHE_ENTRIES - 1) << 4);
    return (struct pt_cached_id *)(void *)((char *)self->cache + offset);
}

static inline bool pt_cached_id_is_of(const struct pt_cached_id *cached, const void *key)
{
    return atomic_load_explicit(&cached->key, memory_order_relaxed) == key;
}

static inline void pt_cached_id_set(struct pt_cached_id *cached, const void *key, uint32_t id)
{
    cached->id = id;
    atomic_store_explicit(&cached->key, key, memory_order_relaxed);
}

/* By any thread. If the owner puts another key there at this moment, that is forgotten instead: a miss. */
static inline void pt_cached_id_forget(struct pt_cached_id *cached, const void *key)
{
    if (pt_cached_id_is_of(cached, key))
        atomic_store_explicit(&cached->key, NULL, memory_order_relaxed);
}

static inline bool pt_thread_state_at_limit(const struct pt_thread_state *self)
{
    return self->position >= atomic_load_explicit(&self->limit, memory_order_relaxed);
}

static inline void pt_thread_state_set_limit(struct pt_thread_state *self, uint64_t limit)
{
    atomic_store_explicit(&self->limit, limit, memory_order_relaxed);
}

#endif
