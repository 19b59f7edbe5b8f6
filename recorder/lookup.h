/* Looking into the interpreter's objects from inside the hook: without running Python code, and with references of our
 * own, as without a GIL another thread may take away at any moment what is found.
 *
 * All return a new reference, or NULL without an exception. */
#ifndef PT_LOOKUP_H
#define PT_LOOKUP_H

#include <Python.h>

/* dict[key] for a key whose comparison runs no Python code. `dict` may be NULL, or no dict: nothing is found then. */
PyObject *pt_lookup_item(PyObject *dict, PyObject *key);
PyObject *pt_lookup_text(PyObject *dict, const char *key);

/* What `type` or a base of it has under `name`, as it lies there. */
PyObject *pt_lookup_in_type(PyTypeObject *type, const char *name);

/* The tuple of the type and its bases in the order of look-ups. */
PyObject *pt_lookup_bases(PyTypeObject *type);

#endif
