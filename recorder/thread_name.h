/* What the threading module calls the calling thread. */
#ifndef PT_THREAD_NAME_H
#define PT_THREAD_NAME_H

#include <Python.h>

/* A new reference to whatever lies there as the thread's name, or NULL without an exception: threading is not loaded, or
 * does not know the thread yet. Runs no Python code. */
PyObject *pt_thread_name(void);

#endif
