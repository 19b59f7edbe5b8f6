/* A thread's place in the arena: claimed at its first event, kept until it ends. The kernel tells the drain when that
 * is (arena.h, ownership). */
#ifndef PT_SLOT_H
#define PT_SLOT_H

#include "thread_state.h"

/* Gives the calling thread a slot of the session and a state for it, which is then pt_thread_self; lets go of one that
 * it had in an earlier session. NULL if no slot is free, even after a wait (host_wait.h): the event is counted as
 * unslotted, and some later event tries again. */
struct pt_thread_state *pt_slot_claim(void);

/* A C function returns in a thread that has no state. If the thread found no slot the event is lost, and counted. */
void pt_slot_lose_leave(void);

/* Gives the calling thread's slot back. Afterwards it has no state. */
void pt_slot_release(void);

/* Recording ends, and nobody uses the session any more. Where a thread has a clock of its own, the drain learns from the slot
 * until when it ran: no other clock tells. */
void pt_slot_date_end(const struct pt_thread_state *thread);

/* In the child of a fork: the calling thread has no state, whatever it had before. */
void pt_slot_forget(void);

/* The C function that forked has returned, before anything else happened in this thread. */
void pt_slot_returned_from_fork(void);

/* Writes the thread's name into the slot as soon as the threading module knows it, and sets `name_retry` to when that is
 * to be asked next. Runs no Python code. */
void pt_slot_update_name(struct pt_thread_state *self);

#endif
