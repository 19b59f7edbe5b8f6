/* How the interpreter tells us of calls: sys.monitoring from 3.12 on (hook_monitoring.c), the profile function before
 * (hook_profile.c). Both turn what they are told into calls of event.h. Needs the GIL. */
#ifndef PT_HOOK_H
#define PT_HOOK_H

#include <Python.h>

#include <stdbool.h>

/* "monitoring" or "profile" */
extern const char *const pt_hook_name;

/* Makes sure that the hook is to be had. Returns 0, or -1 with an exception set. Undone by pt_hook_stop. */
int pt_hook_reserve(bool c_calls);

/* Nobody else watches what the calling thread does. */
bool pt_hook_is_alone(void);

/* Before it is switched on: until pt_hook_rehearse_end, the hook is told of what the calling thread does in these code
 * objects. Returns 0, or -1 with an exception set. */
int pt_hook_rehearse(PyObject *const *codes, size_t count, bool c_calls);
void pt_hook_rehearse_end(PyObject *const *codes, size_t count);

/* Switches it on, in all threads, for calls and for what chosen.h says: `c_calls` as it was reserved. Returns 0, or -1
 * with an exception set. */
int pt_hook_start(bool c_calls);

/* Begins to tell of the lines or instructions (PT_CHOSEN_…) of a code object that was not known before. */
void pt_hook_choose(PyObject *code, unsigned chosen);

/* Switches it off everywhere. Keeps a raised exception. */
void pt_hook_stop(void);

/* The frame was entered before the calling thread's first record: its leave will need no entry. */
void pt_hook_note_open(const PyFrameObject *frame);

/* Makes sure that the hook is told of code which is running somewhere, out of the interpreter's sight. */
void pt_hook_reach_code(PyObject *code);

/* Reaches threads that began without our knowledge, and takes a note of those, and of threads that the hook was taken
 * away from. */
void pt_hook_scan(void);

/* Reaches a thread that the calling one has just started. */
void pt_hook_reach_new_thread(void);

/* Takes a note when the calling thread ends, if by then it has another hook. Keeps no exception. */
void pt_hook_watch_thread(void);

#endif
