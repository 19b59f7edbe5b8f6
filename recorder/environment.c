#include <Python.h>

#include "environment.h"

#include <stdlib.h>

static PyObject *attribute_of_loaded(const char *module_name, const char *attribute)
{
    PyObject *name = PyUnicode_FromString(module_name);
    PyObject *module = name ? PyImport_GetModule(name) : NULL;
    PyObject *value = module ? PyObject_GetAttrString(module, attribute) : NULL;
    Py_XDECREF(module);
    Py_XDECREF(name);
    return value;
}

/* `value` NULL removes it. */
static void change_copy(PyObject *copy, PyObject *value)
{
    PyObject *name = PyBytes_FromString(PT_ENVIRONMENT_ARENA);
    if (name && copy && PyDict_Check(copy)) {
        if (value)
            PyDict_SetItem(copy, name, value);
        else if (PyDict_GetItemWithError(copy, name))
            PyDict_DelItem(copy, name);
    }
    Py_XDECREF(name);
}

/* os.environ and os.environb share a dict of bytes. It was made from posix.environ, and will be again if the program
 * loads its own os. */
static void change_copies(PyObject *value)
{
    PyObject *mapping = attribute_of_loaded("os", "environ");
    PyObject *shared = mapping ? PyObject_GetAttrString(mapping, "_data") : NULL;
    PyErr_Clear();
    change_copy(shared, value);
    PyErr_Clear();
    Py_XDECREF(shared);
    Py_XDECREF(mapping);

    PyObject *first = attribute_of_loaded("posix", "environ");
    PyErr_Clear();
    change_copy(first, value);
    PyErr_Clear();
    Py_XDECREF(first);
}

void pt_environment_put(const char *directory)
{
    PyObject *value = PyBytes_FromString(directory);
    if (value && setenv(PT_ENVIRONMENT_ARENA, directory, 1) == 0)
        change_copies(value);
    PyErr_Clear();
    Py_XDECREF(value);
}

void pt_environment_remove(void)
{
    if (!getenv(PT_ENVIRONMENT_ARENA))
        return;
    unsetenv(PT_ENVIRONMENT_ARENA);
    change_copies(NULL);
}
