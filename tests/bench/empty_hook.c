/* The limit: a hook that does nothing, put where the recorder's stands. What it costs is the interpreter's own part, which
 * no tool of this kind can be below.
 *
 *     empty_hook.start(c_calls)       in all threads from 3.12 on, in the calling one before
 *     empty_hook.stop() */
#include <Python.h>

#include <stdbool.h>
#include <stddef.h>

#include "callable.h"

#if PY_VERSION_HEX >= 0x030C0000

#define TOOL 4

static const char *const PYTHON_EVENTS[] = {"PY_START", "PY_RESUME", "PY_THROW", "PY_RETURN", "PY_YIELD", "PY_UNWIND"};
static const char *const C_EVENTS[] = {"CALL", "C_RETURN", "C_RAISE"};
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static PyObject *do_nothing(PyObject *self, PyObject *const *arguments, size_t count, PyObject *names)
{
    (void)self, (void)arguments, (void)count, (void)names;
    Py_RETURN_NONE;
}

/* Nobody frees it: code that is instrumented may still call it. */
static PyObject *nothing(void)
{
    static PyObject *callable;
    if (!callable)
        callable = pt_callable_new(do_nothing);
    return callable;
}

/* Calls a function of sys.monitoring, whose result says nothing. */
static bool call(const char *function, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    PyObject *arguments = Py_VaBuildValue(format, values);
    va_end(values);
    PyObject *callable = arguments ? PyObject_GetAttrString(PySys_GetObject("monitoring"), function) : NULL;
    PyObject *result = callable ? PyObject_CallObject(callable, arguments) : NULL;
    Py_XDECREF(callable);
    Py_XDECREF(arguments);
    Py_XDECREF(result);
    return result != NULL;
}

static bool watch(const char *const *names, size_t count, PyObject *callback, long *events)
{
    PyObject *namespace = PyObject_GetAttrString(PySys_GetObject("monitoring"), "events");
    for (size_t i = 0; namespace && i < count; i++) {
        PyObject *bit = PyObject_GetAttrString(namespace, names[i]);
        if (!bit || !call("register_callback", "(iOO)", TOOL, bit, callback))
            Py_CLEAR(namespace);
        else
            *events |= PyLong_AsLong(bit);
        Py_XDECREF(bit);
    }
    Py_XDECREF(namespace);
    return namespace != NULL;
}

static bool start(bool c_calls)
{
    long events = 0;
    PyObject *callback = nothing();
    if (!callback || !call("use_tool_id", "(is)", TOOL, "empty_hook"))
        return false;
    return watch(PYTHON_EVENTS, COUNT(PYTHON_EVENTS), callback, &events) &&
           (!c_calls || watch(C_EVENTS, COUNT(C_EVENTS), callback, &events)) &&
           call("set_events", "(il)", TOOL, events);
}

static bool stop(void)
{
    return call("set_events", "(il)", TOOL, 0L) && call("free_tool_id", "(i)", TOOL);
}

#else

/* The profile function of old cannot be asked to leave out C calls. */
static int do_nothing(PyObject *self, PyFrameObject *frame, int what, PyObject *argument)
{
    (void)self, (void)frame, (void)what, (void)argument;
    return 0;
}

static bool start(bool c_calls)
{
    (void)c_calls;
    PyEval_SetProfile(do_nothing, NULL);
    return true;
}

static bool stop(void)
{
    PyEval_SetProfile(NULL, NULL);
    return true;
}

#endif

static PyObject *module_start(PyObject *module, PyObject *c_calls)
{
    (void)module;
    if (!start(c_calls == Py_True))
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *module_stop(PyObject *module, PyObject *none)
{
    (void)module, (void)none;
    if (!stop())
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"start", module_start, METH_O, "start(c_calls): do nothing at every event from here on."},
    {"stop", module_stop, METH_NOARGS, "stop(): no longer."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "empty_hook", .m_size = 0,
                                        .m_methods = methods};

PyMODINIT_FUNC PyInit_empty_hook(void);

PyMODINIT_FUNC PyInit_empty_hook(void)
{
    PyObject *module = PyModule_Create(&definition);
#ifdef Py_GIL_DISABLED
    if (module && PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED) < 0)
        Py_CLEAR(module);
#endif
    return module;
}
