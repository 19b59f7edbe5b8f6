/* The fast path: from a hook's callback to a record in the ring, without a lock, an allocation or a system call.
 *
 * Entering needs the function's id, found by a pointer that stands for the function: its code object, or its
 * PyMethodDef. Leaving needs none. Whatever is out of the ordinary goes through `limit` (or a cache that does not know
 * the function) to the slow path in event.c. A thread touches nothing here that another one writes to. */
#ifndef PT_EVENT_H
#define PT_EVENT_H

#include <Python.h>

#include "clock.h"
#include "record.h"
#include "thread_state.h"

/* `function` is the code object, or the PyCFunction or method descriptor, of `key`. Inside of a function there is none,
 * and `key` is the id of a line or an instruction, or a raise site. Keeps a raised exception. This and the ones below
 * return None, as a callback of sys.monitoring has to: so that the way into the slow path is a jump. It is no new
 * reference: where there is sys.monitoring, None is immortal. */
PyObject *pt_event_slow(enum pt_kind kind, const void *key, PyObject *function);

/* An exception was raised in `code` at this line, or has reached it. */
PyObject *pt_event_exception(PyCodeObject *code, int line, PyTypeObject *type);

/* The calling thread's last record tells that `code` was entered in this way. */
bool pt_event_was_last(enum pt_kind kind, PyObject *code);

/* The drain has the line in its cache since it read what was there before. So far ahead it is back in time; at the ring's
 * end it is somebody else's line, or none, which does no harm. */
#define PT_EVENT_PREFETCH_BYTES 128

/* Stores a record at the next position, which is below the limit. Reading the counter takes most of the time, as on some
 * processors nothing before it overlaps with anything after it (PERFORMANCE.md): what has to be fetched is fetched before. */
static inline PyObject *pt_event_store(struct pt_thread_state *self, enum pt_kind kind, uint32_t id, const void *key,
                                       PyObject *function)
{
    const uint64_t position = self->position;
    uint64_t *const word = &self->ring[position & self->mask];
    struct pt_arena_slot *const slot = self->slot;
    const uint32_t shift = self->tick_shift;
    __builtin_prefetch((const void *)((uintptr_t)word + PT_EVENT_PREFETCH_BYTES), 1);
    const uint64_t tick = pt_clock_counter() >> shift;
    if (__builtin_expect(tick >> PT_TICK_BITS != self->epoch, 0))
        return pt_event_slow(kind, key, function);
    *word = pt_record_pack(kind, id, tick);
    self->position = position + 1;
    /* Publishes the record to the drain and to whoever salvages; both read `produced` with acquire. */
    atomic_store_explicit(&slot->produced, position + 1, memory_order_release);
    return Py_None;
}

/* A kind that carries its function's id: the four that enter one, and unwind. */
static inline PyObject *pt_event_with_id(enum pt_kind kind, const void *key, PyObject *function)
{
    struct pt_thread_state *self = pt_thread_self;
    const struct pt_cached_id *cached = pt_thread_state_cached(self, key);
    if (__builtin_expect(!pt_cached_id_is_of(cached, key) || pt_thread_state_at_limit(self), 0))
        return pt_event_slow(kind, key, function);
    return pt_event_store(self, kind, cached->id, key, function);
}

/* The calling thread has the id of `key` at hand. */
static inline bool pt_event_knows(const void *key)
{
    return pt_cached_id_is_of(pt_thread_state_cached(pt_thread_self, key), key);
}

/* A kind that leaves the innermost frame. */
static inline PyObject *pt_event_leave(enum pt_kind kind, const void *key, PyObject *function)
{
    struct pt_thread_state *self = pt_thread_self;
    if (__builtin_expect(pt_thread_state_at_limit(self), 0))
        return pt_event_slow(kind, key, function);
    return pt_event_store(self, kind, 0, key, function);
}

/* PT_KIND_LINE or PT_KIND_OPCODE, with its line or its offset. */
static inline PyObject *pt_event_inner(enum pt_kind kind, long number)
{
    struct pt_thread_state *self = pt_thread_self;
    const uint32_t id = number < (long)PT_ID_MAX ? (uint32_t)number : PT_ID_MAX;
    if (__builtin_expect(pt_thread_state_at_limit(self), 0))
        return pt_event_slow(kind, (const void *)(uintptr_t)id, NULL);
    return pt_event_store(self, kind, id, (const void *)(uintptr_t)id, NULL);
}

#endif
