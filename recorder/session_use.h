/* Keeping the session while it is used: nothing of it may be torn or unmapped under a thread that is in the slow path.
 *
 * Where there is a GIL, a thread in the slow path keeps it, and nobody can change anything. On a free-threaded build
 * users are counted. Who wants to end a session first makes its state another one than PT_SESSION_RECORDING, so that no
 * user comes in any more, and then waits until the last one is out. */
#ifndef PT_SESSION_USE_H
#define PT_SESSION_USE_H

#include <Python.h>

#include <stdbool.h>

#include "session.h"

#ifdef Py_GIL_DISABLED

/* True if there is a recording; then it stays, until pt_session_exit. Never waits; may be nested. */
bool pt_session_enter(void);
void pt_session_exit(void);

/* Waits, detached from the interpreter, until nobody uses the session. False after 5 s: the thread that is still inside
 * may have been stopped for ever, as happens to daemon threads when the interpreter ends. */
bool pt_session_wait_unused(void);

/* In the child of a fork, whose other threads are gone. */
void pt_session_use_reset(void);

#else

static inline bool pt_session_enter(void)
{
    return pt_session->state == PT_SESSION_RECORDING;
}

static inline void pt_session_exit(void)
{
}

static inline bool pt_session_wait_unused(void)
{
    return true;
}

static inline void pt_session_use_reset(void)
{
}

#endif
#endif
