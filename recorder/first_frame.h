/* The moment before a program's first frame runs.
 *
 * The interpreter runs a little Python of its own before that: site, path hooks, the loader's constructor, the import
 * of runpy. None of it is the program's. */
#ifndef PT_FIRST_FRAME_H
#define PT_FIRST_FRAME_H

#include <Python.h>

#include <stdbool.h>

/* Runs with the GIL held, with no exception set; must leave none. */
typedef void pt_first_frame_action(void);

/* Calls `action` once, in the main thread, before the first frame of the program that the interpreter is about to run:
 * what it does to the interpreter's hooks is done when that frame is entered. `globals` are those of __main__.
 *
 * In the calling thread's interpreter, which must be the main one; waiting a second time replaces what was waited for.
 * A forked child waits as its parent did. */
void pt_first_frame_await(PyObject *globals, pt_first_frame_action *action);

/* The interpreter's configuration, as far as it tells what is to be run. */
PyConfig *pt_first_frame_config(void);

#endif
