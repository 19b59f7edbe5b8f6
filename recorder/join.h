/* How a Python that was started by exec joins the recording that its environment names. */
#ifndef PT_JOIN_H
#define PT_JOIN_H

#include <Python.h>

/* The method `_core.join()`, for pytrace.pth: while site runs, before the program.
 *
 * If the environment names the arena of a recording that goes on and takes children, this process is a part of it from
 * now on, and is recorded from its program's first frame on. If not, whatever the reason, nothing has happened. Never
 * raises. */
PyObject *pt_join(PyObject *module, PyObject *unused);

#endif
