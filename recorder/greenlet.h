/* Greenlets: a thread that runs them leaves a whole stack as it is and goes on with another. Each switch becomes a record
 * (SPEC.md 5.4), told by greenlet's own trace function, of which each thread has one; one that the program has there is
 * called after ours.
 *
 * Nothing is imported: the package is used if the program has imported it. All functions need the GIL. */
#ifndef PT_GREENLET_H
#define PT_GREENLET_H

#include <Python.h>

#include <stdbool.h>

#include "names.h"
#include "thread_state.h"

/* A recording begins: the program may use greenlets already. Keeps no exception. */
void pt_greenlet_start(void);

/* Takes our trace function away from the calling thread, if it is in place. What is left in other threads does nothing.
 * Keeps a raised exception. */
void pt_greenlet_stop(void);

/* A function of this module was seen for the first time. */
void pt_greenlet_notice(const struct pt_text *module);

/* The calling thread must be looked after at its next event. */
bool pt_greenlet_is_due(const struct pt_thread_state *self);

/* Does so. `begins`: the thread has no record yet; `entering`: its innermost frame is just being entered. Keeps no
 * exception. */
void pt_greenlet_look_after(struct pt_thread_state *self, bool begins, bool entering);

/* The calling thread calls this C function. True if it is the one that sets trace functions: then the thread is looked
 * after at its next event, and always when it calls this. */
bool pt_greenlet_is_settrace(struct pt_thread_state *self, const void *method);

/* At a mark: a trace function that took the place of ours unseen gets ours before it, and a note is taken. Keeps no
 * exception. */
void pt_greenlet_scan(struct pt_thread_state *self, bool entering);

#endif
