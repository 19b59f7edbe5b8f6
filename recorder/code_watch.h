/* Learning of the death of code objects, whose addresses are then reused. */
#ifndef PT_CODE_WATCH_H
#define PT_CODE_WATCH_H

#include <Python.h>

#include <stdbool.h>

/* From now on pt_functions_forget is called for every code object that was added and dies. Without a free watcher _add
 * says no. */
void pt_code_watch_start(void);
void pt_code_watch_stop(void);

/* False if the death of `code` will not be noticed: hold a reference then. */
bool pt_code_watch_add(PyCodeObject *code);

#endif
