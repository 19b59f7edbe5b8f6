/* What session.c and session_start.c share. */
#ifndef PT_SESSION_PRIVATE_H
#define PT_SESSION_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session.h"

/* RuntimeError and -1 in a subinterpreter. */
int pt_session_check_interpreter(void);

/* Sets up what a process has once: the session's memory, fork handlers, exit handler. Returns 0, or -1 with an
 * exception set. */
int pt_session_prepare(void);

/* Private memory that fork and clone hand to children full of zeros. NULL with OSError set. */
void *pt_session_map_wiped(size_t size);

/* The recording of which we are still a part, if any, goes on without us, and nothing is left of it in our tables.
 * Returns 0, or -1 with RuntimeError set. */
int pt_session_leave_earlier(void);

/* What pt_session_stop does, for who has the lock of session_lock.h. 0 if the trace file is complete; the
 * errno of the drain's last write if that failed; -1 if the drain does not answer. */
int pt_session_stop_locked(void);

/* No two sessions that a thread of this process may meet bear the same number. */
uint32_t pt_session_next_serial(void);

/* Takes the entry in the arena of `session` that was reserved for this process as its use `generation`. False if it is
 * reserved no more. */
bool pt_session_take_process(struct pt_session *session, uint32_t index, uint32_t generation, uint32_t inherited);

#endif
