/* How a recorded thread wakes the drain, and waits for it: never long, and never for anything that needs the GIL, which
 * it may hold. */
#ifndef PT_HOST_WAIT_H
#define PT_HOST_WAIT_H

#include <stdbool.h>
#include <stdint.h>

/* The drain looks at the arena soon. A system call only if it sleeps. */
void pt_host_wait_wake(void);

typedef bool pt_host_wait_ready(void *context);

/* Wakes the drain and waits until `ready(context)` holds: at most 100 ms, and not at all if the policy is drop, by
 * choice or for now, or if the waits of this recording have used up their share. Adds the time to the recording's
 * account; returns the last answer of `ready`, and the nanoseconds waited. */
bool pt_host_wait_until(pt_host_wait_ready *ready, void *context, uint64_t *waited_ns);

/* The same for a new thread's slot or a new process's entry, without which all that it does is lost: at most 1 s, and not
 * at all if the policy was chosen to be drop. Counts for no account. */
bool pt_host_wait_for_place(pt_host_wait_ready *ready, void *context);

/* A wait for the drain to read has run out: nobody waits any more, until the drain says that it has caught up. */
void pt_host_wait_degrade(void);

/* Waits until the trace file is complete. False if the drain has shown no sign of life for 5 s. */
bool pt_host_wait_done(void);

/* The same for the process that is the last one, for now: false, too, if another one is about to join, or has. */
bool pt_host_wait_done_if_last(void);

/* Writes the one warning of this process if the drain shows no sign of life, or cannot write; `consequence` ends it.
 * Call it where events are being lost, and when the drain is not waited for any longer. */
void pt_host_wait_check_drain(const char *consequence);

#endif
