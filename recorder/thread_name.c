#include "thread_name.h"

#include <stdbool.h>

#include "lookup.h"

/* Before 3.13 there is nothing to lock. */
#ifndef Py_BEGIN_CRITICAL_SECTION
#define Py_BEGIN_CRITICAL_SECTION(object) {
#define Py_END_CRITICAL_SECTION()         }
#endif

/* The thread object's own attribute, without asking anything that could be overridden. New reference or NULL. */
static PyObject *attribute_of(PyObject *thread, const char *name)
{
    PyObject *attributes = thread ? PyObject_GenericGetDict(thread, NULL) : NULL;
    PyObject *value = pt_lookup_text(attributes, name);
    Py_XDECREF(attributes);
    PyErr_Clear();
    return value;
}

static bool is_of(PyObject *thread, unsigned long ident)
{
    PyObject *found = attribute_of(thread, "_ident");
    bool same = found && PyLong_CheckExact(found) && PyLong_AsUnsignedLong(found) == ident;
    Py_XDECREF(found);
    PyErr_Clear();
    return same;
}

/* Among the threads that have begun and are not registered yet. A short one is registered for a moment only. New
 * reference or NULL. */
static PyObject *find_in_limbo(PyObject *limbo, unsigned long ident)
{
    PyObject *thread, *unused, *found = NULL;
    Py_ssize_t position = 0;
    if (!limbo || !PyDict_Check(limbo))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(limbo);
    while (!found && PyDict_Next(limbo, &position, &unused, &thread)) {
        Py_INCREF(thread);
        if (is_of(thread, ident))
            found = thread;
        else
            Py_DECREF(thread);
    }
    Py_END_CRITICAL_SECTION();
    return found;
}

PyObject *pt_thread_name(void)
{
    const unsigned long ident = PyThread_get_thread_ident();
    PyObject *threading = pt_lookup_text(PyImport_GetModuleDict(), "threading");
    PyObject *globals = threading && PyModule_Check(threading) ? PyModule_GetDict(threading) : NULL;
    PyObject *active = pt_lookup_text(globals, "_active");
    PyObject *key = PyLong_FromUnsignedLong(ident);
    PyObject *thread = pt_lookup_item(active, key);
    if (!thread) {
        PyObject *limbo = pt_lookup_text(globals, "_limbo");
        thread = find_in_limbo(limbo, ident);
        Py_XDECREF(limbo);
    }
    PyObject *name = attribute_of(thread, "_name");
    Py_XDECREF(thread);
    Py_XDECREF(key);
    Py_XDECREF(active);
    Py_XDECREF(threading);
    PyErr_Clear();
    return name;
}
