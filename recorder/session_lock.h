/* One thread at a time changes the session: starts, stops, takes the hook away. Who only uses it: session_use.h. */
#ifndef PT_SESSION_LOCK_H
#define PT_SESSION_LOCK_H

#include <Python.h>

#include <stdbool.h>

/* Waits, detached from the interpreter, while another thread changes the session. Returns 0, or -1 with RuntimeError set
 * in a thread that is about it already (an audit hook or a signal handler may call start or stop in the middle). */
int pt_session_lock(void);

/* Does not wait, needs no interpreter. */
bool pt_session_try_lock(void);

void pt_session_unlock(void);

/* In the child of a fork, whose other threads are gone. */
void pt_session_lock_reset(void);

#endif
