#include "callable.h"

#if PY_VERSION_HEX >= 0x030C0000

#include <stddef.h>

struct callable {
    PyObject base;
    vectorcallfunc vectorcall;
};

static PyMemberDef members[] = {
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(struct callable, vectorcall), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_members, members},
    {Py_tp_call, PyVectorcall_Call},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "pytrace._core.hook",
    .basicsize = sizeof(struct callable),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

PyObject *pt_callable_new(vectorcallfunc function)
{
    static PyTypeObject *type;
    if (!type && (type = (PyTypeObject *)PyType_FromSpec(&spec)) == NULL)
        return NULL;
    struct callable *callable = PyObject_New(struct callable, type);
    if (callable)
        callable->vectorcall = function;
    return (PyObject *)callable;
}

#endif
