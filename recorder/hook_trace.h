/* What happens inside of functions, before 3.12: told to a trace function, of which a thread has one only. It is taken
 * where chosen.h asks for something, and left alone otherwise. Needs the GIL. */
#ifndef PT_HOOK_TRACE_H
#define PT_HOOK_TRACE_H

#include <Python.h>

#include <stdbool.h>

/* Somebody else's trace function is there, where we need the place. */
bool pt_hook_trace_is_taken(const PyThreadState *thread);

/* It is not ours, where we need it: taken by somebody else, or taken away and empty. */
bool pt_hook_trace_is_lost(const PyThreadState *thread);

/* Takes the place, if need be. */
void pt_hook_trace_start(PyThreadState *thread);

/* Gives it back. Keeps no exception. */
void pt_hook_trace_stop(PyThreadState *thread);

/* From hook_profile.c: false if it is certain that the profile function was not told of this frame's entry. */
bool pt_hook_profile_was_entered(PyFrameObject *frame);

#endif
