/* The functions that a thread is watched by, before 3.12: set in a thread that may be another than the calling one, as
 * _PyEval_SetProfile and _PyEval_SetTrace do, but without their audit events. An audit hook in Python would let other
 * threads run, and end, while the list of threads is gone through. Needs the GIL. */
#ifndef PT_THREAD_TRACING_H
#define PT_THREAD_TRACING_H

#include <Python.h>

#include <stdbool.h>

/* Call it after c_profilefunc or c_tracefunc was changed. */
static inline void pt_thread_tracing_update(PyThreadState *thread)
{
    const bool tracing = thread->c_profilefunc || thread->c_tracefunc;
#if PY_VERSION_HEX >= 0x030B0000
    thread->cframe->use_tracing = tracing && thread->tracing == 0 ? 255 : 0;
#elif PY_VERSION_HEX >= 0x030A0000
    thread->cframe->use_tracing = tracing;
#else
    thread->use_tracing = tracing;
#endif
}

/* Neither function is given an object: there must be none from before. */
static inline void pt_thread_tracing_set_profile(PyThreadState *thread, Py_tracefunc function)
{
    thread->c_profilefunc = function;
    pt_thread_tracing_update(thread);
}

static inline void pt_thread_tracing_set_trace(PyThreadState *thread, Py_tracefunc function)
{
#if PY_VERSION_HEX < 0x030A0000
    /* 3.9 has a private count of threads that are traced: there the audit event must be borne. */
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    if (_PyEval_SetTrace(thread, function, NULL) < 0)
        PyErr_Clear();
    PyErr_Restore(type, error, traceback);
#else
    thread->c_tracefunc = function;
    pt_thread_tracing_update(thread);
#endif
}

#endif
