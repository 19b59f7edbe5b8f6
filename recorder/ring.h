/* Writing to a ring where the fast path gave up: making room, waiting for the drain, counting what is lost
 * (SPEC.md 5.4, 8.4). */
#ifndef PT_RING_H
#define PT_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"
#include "thread_state.h"

/* Prepares a state whose slot was just claimed: empty ring, marks set. */
void pt_ring_init(struct pt_thread_state *self, uint64_t *ring, uint64_t ring_size);

/* Writes one record, with whatever must come before it (rebase, stall, lost). If there is no room the policy decides:
 * wait, or count it as lost. `frame` is 2 × id + 1 for a C function, used by kinds that enter one. */
void pt_ring_put(struct pt_thread_state *self, enum pt_kind kind, uint32_t id, uint64_t frame);

/* Writes that greenlet `number` goes on. Where there is no room, that is part of a loss which only pt_ring_recover ends. */
void pt_ring_switch(struct pt_thread_state *self, uint64_t number);

/* Ends a loss in which greenlets were switched to, if there is room: all that was open is forgotten. */
bool pt_ring_recover(struct pt_thread_state *self);

/* Writes that all that was open is forgotten, and that greenlet `number` runs. */
void pt_ring_forget(struct pt_thread_state *self, uint64_t number);

/* Sets `limit` anew after anything that it depends on has changed. The slow path ends with it. */
void pt_ring_update_limit(struct pt_thread_state *self);

/* Writes the pending LOST record if there is room. Any thread may do so for another once nobody uses the session. */
void pt_ring_flush(struct pt_thread_state *self);

/* 1 if the last record written is an event of `kind` with `id`. */
int pt_ring_last_is(const struct pt_thread_state *self, enum pt_kind kind, uint32_t id);

#endif
