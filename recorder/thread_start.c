#include <Python.h>

#if PY_VERSION_HEX < 0x030C0000

#include "hook.h"
#include "thread_start.h"

/* Kept for ever: programs may hold on to the wrapper, which then passes on to the original. */
static PyObject *original;
static PyObject *wrapper;

/* The new thread's state is in the interpreter's list when the original returns, and the thread has not run any Python:
 * the GIL is ours. */
static PyObject *start_new_thread(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    (void)self;
    pt_hook_scan(); /* what is new afterwards is the thread that is started here */
    PyObject *result = PyObject_Call(original, arguments, keywords);
    if (result)
        pt_hook_reach_new_thread();
    return result;
}

/* Name and module are those of the original, so that the trace tells of _thread.start_new_thread. */
static PyMethodDef wrapper_method = {"start_new_thread", (PyCFunction)(void (*)(void))start_new_thread,
                                     METH_VARARGS | METH_KEYWORDS, NULL};

static PyObject *import_loaded(const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    PyObject *module = key ? PyImport_GetModule(key) : NULL;
    Py_XDECREF(key);
    return module;
}

static const struct {
    const char *module;
    const char *attribute;
} places[] = {
    {"_thread", "start_new_thread"},
    {"_thread", "start_new"},
    {"threading", "_start_new_thread"},
};

/* Replaces `from` by `to` wherever it is found. */
static int replace(PyObject *from, PyObject *to)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        PyObject *module = import_loaded(places[i].module);
        PyObject *dict = module ? PyModule_GetDict(module) : NULL;
        int result = 0;
        if (dict && PyDict_GetItemString(dict, places[i].attribute) == from)
            result = PyDict_SetItemString(dict, places[i].attribute, to);
        Py_XDECREF(module);
        if (result < 0)
            return -1;
    }
    return PyErr_Occurred() ? -1 : 0;
}

static int make_wrapper(void)
{
    PyObject *module = PyImport_ImportModule("_thread");
    PyObject *name = PyUnicode_FromString("_thread");
    if (module && name && (original = PyObject_GetAttrString(module, "start_new_thread")) != NULL) {
        wrapper_method.ml_doc = PyCFunction_Check(original) ? ((PyCFunctionObject *)original)->m_ml->ml_doc : NULL;
        wrapper = PyCFunction_NewEx(&wrapper_method, module, name);
    }
    Py_XDECREF(name);
    Py_XDECREF(module);
    return wrapper ? 0 : -1;
}

int pt_thread_start_wrap(void)
{
    if (!wrapper && make_wrapper() < 0)
        return -1;
    return replace(original, wrapper);
}

void pt_thread_start_unwrap(void)
{
    if (wrapper && replace(wrapper, original) < 0)
        PyErr_Clear();
}

#endif
