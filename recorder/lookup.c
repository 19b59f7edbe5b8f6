#include "lookup.h"

PyObject *pt_lookup_item(PyObject *dict, PyObject *key)
{
    PyObject *value = NULL;
    if (!dict || !key || !PyDict_Check(dict))
        return NULL;
#if PY_VERSION_HEX >= 0x030D0000
    (void)PyDict_GetItemRef(dict, key, &value);
#else
    value = PyDict_GetItemWithError(dict, key);
    Py_XINCREF(value);
#endif
    PyErr_Clear();
    return value;
}

PyObject *pt_lookup_text(PyObject *dict, const char *key)
{
    PyObject *text = PyUnicode_FromString(key);
    PyObject *value = pt_lookup_item(dict, text);
    Py_XDECREF(text);
    PyErr_Clear();
    return value;
}

PyObject *pt_lookup_in_type(PyTypeObject *type, const char *name)
{
    PyObject *text = PyUnicode_FromString(name);
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *value = text ? _PyType_LookupRef(type, text) : NULL;
#else
    PyObject *value = text ? _PyType_Lookup(type, text) : NULL;
    Py_XINCREF(value);
#endif
    Py_XDECREF(text);
    PyErr_Clear();
    return value;
}

/* By type's own way to attributes, whatever a metaclass does to it: tp_mro itself may be replaced while it is read. */
PyObject *pt_lookup_bases(PyTypeObject *type)
{
    PyObject *name = PyUnicode_FromString("__mro__");
    PyObject *bases = name ? PyType_Type.tp_getattro((PyObject *)type, name) : NULL;
    Py_XDECREF(name);
    PyErr_Clear();
    if (bases && !PyTuple_Check(bases))
        Py_CLEAR(bases);
    return bases;
}
