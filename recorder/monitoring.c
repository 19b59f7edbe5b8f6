#include <Python.h>

#if PY_VERSION_HEX >= 0x030C0000

#include "monitoring.h"

#include <stdbool.h>

#include "callable.h"

static PyObject *monitoring(void)
{
    PyObject *namespace = PySys_GetObject("monitoring");
    if (!namespace)
        PyErr_SetString(PyExc_RuntimeError, "this interpreter has no sys.monitoring");
    return namespace;
}

PyObject *pt_monitoring_constant(const char *name)
{
    PyObject *namespace = monitoring();
    return namespace ? PyObject_GetAttrString(namespace, name) : NULL;
}

/* --- The tool ---------------------------------------------------------------------------------------------------- */

#define NO_TOOL (-1)
#define TOOLS   6 /* ids from 0 on */

static int tool = NO_TOOL;

/* 4, else 3: the other ids are spoken for (debugger, coverage, profiler, optimizer). */
int pt_monitoring_reserve(void)
{
    PyObject *namespace = monitoring();
    if (!namespace)
        return -1;
    for (int id = 4; id >= 3; id--) {
        PyObject *result = PyObject_CallMethod(namespace, "use_tool_id", "is", id, "pytrace");
        if (result) {
            Py_DECREF(result);
            tool = id;
            return 0;
        }
        if (!PyErr_ExceptionMatches(PyExc_ValueError))
            return -1;
        PyErr_Clear();
    }
    PyErr_SetString(PyExc_RuntimeError, "other tools use both sys.monitoring ids that are free for use (3 and 4)");
    return -1;
}

/* Whether the tool exists and wants events in all code; true if that cannot be told. */
static bool watches(PyObject *namespace, int id)
{
    PyObject *name = PyObject_CallMethod(namespace, "get_tool", "i", id);
    PyObject *events = name && name != Py_None ? PyObject_CallMethod(namespace, "get_events", "i", id) : NULL;
    const bool result = name != Py_None && (!events || PyLong_AsLong(events) != 0);
    Py_XDECREF(events);
    Py_XDECREF(name);
    PyErr_Clear();
    return result;
}

bool pt_monitoring_is_alone(void)
{
    PyObject *namespace = monitoring();
    bool others = !namespace;
    for (int id = 0; id < TOOLS && !others; id++)
        others = id != tool && watches(namespace, id);
    PyErr_Clear();
    return !others;
}

long pt_monitoring_bit(const char *event)
{
    PyObject *events = pt_monitoring_constant("events");
    PyObject *bit = events ? PyObject_GetAttrString(events, event) : NULL;
    long value = bit ? PyLong_AsLong(bit) : -1;
    Py_XDECREF(bit);
    Py_XDECREF(events);
    return value;
}

/* Calls a function of sys.monitoring, whose result says nothing. */
static int call(const char *function, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    PyObject *arguments = Py_VaBuildValue(format, values);
    va_end(values);
    PyObject *callable = arguments ? pt_monitoring_constant(function) : NULL;
    PyObject *result = callable ? PyObject_CallObject(callable, arguments) : NULL;
    Py_XDECREF(callable);
    Py_XDECREF(arguments);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

int pt_monitoring_set_local_events(PyObject *code, long bits)
{
    return call("set_local_events", "(iOl)", tool, code, bits);
}

/* --- A second tool -----------------------------------------------------------------------------------------------
 *
 * From 3.13 on the interpreter forgets that a trace function wants the instructions of a code object (f_trace_opcodes)
 * when that gets its second tool, as it does when sys.settrace meets us there: breakpoint() would stop a line late. So
 * there are two everywhere, from the start. The second one has an event in common with the first, and no callback. */

#if PY_VERSION_HEX >= 0x030D0000

#define SECOND_TOOL 5 /* the optimizer's, of which there is none */

static bool second_is_held;

static void hold_second_tool(void)
{
    second_is_held = call("use_tool_id", "(is)", SECOND_TOOL, "pytrace") == 0;
    PyErr_Clear();
}

static void watch_with_second_tool(void)
{
    if (second_is_held && call("set_events", "(il)", SECOND_TOOL, pt_monitoring_bit("PY_RESUME")) < 0)
        PyErr_Clear();
}

/* Of the bits that the first one has there. */
static void set_local_events_of_second_tool(PyObject *code, long bits)
{
    if (second_is_held &&
        call("set_local_events", "(iOl)", SECOND_TOOL, code, bits & pt_monitoring_bit("PY_RESUME")) < 0)
        PyErr_Clear();
}

static void release_second_tool(void)
{
    if (!second_is_held)
        return;
    if (call("set_events", "(il)", SECOND_TOOL, 0L) < 0 || call("free_tool_id", "(i)", SECOND_TOOL) < 0)
        PyErr_Clear();
    second_is_held = false;
}

#else

static void hold_second_tool(void)
{
}

static void watch_with_second_tool(void)
{
}

static void set_local_events_of_second_tool(PyObject *code, long bits)
{
    (void)code, (void)bits;
}

static void release_second_tool(void)
{
}

#endif

/* --- Callbacks and events ---------------------------------------------------------------------------------------- */

int pt_monitoring_register(struct pt_monitoring_callback *callbacks, size_t count, unsigned groups)
{
    for (size_t i = 0; i < count; i++) {
        struct pt_monitoring_callback *callback = &callbacks[i];
        if (!(callback->group & groups))
            continue;
        long bit = pt_monitoring_bit(callback->event);
        if (!callback->object)
            callback->object = pt_callable_new(callback->function);
        if (bit < 0 || !callback->object || call("register_callback", "(ilO)", tool, bit, callback->object) < 0)
            return -1;
    }
    hold_second_tool();
    return 0;
}

int pt_monitoring_rehearse(PyObject *code, long bits)
{
    set_local_events_of_second_tool(code, bits);
    return pt_monitoring_set_local_events(code, bits);
}

int pt_monitoring_watch(const struct pt_monitoring_callback *callbacks, size_t count, unsigned groups)
{
    long bits = 0;
    for (size_t i = 0; i < count; i++) {
        const long bit = pt_monitoring_bit(callbacks[i].event);
        if (bit < 0)
            return -1;
        if (callbacks[i].group & groups && callbacks[i].scope == PT_MONITORING_EVERYWHERE)
            bits |= bit;
    }
    watch_with_second_tool();
    return call("set_events", "(il)", tool, bits);
}

void pt_monitoring_release(const struct pt_monitoring_callback *callbacks, size_t count)
{
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    if (tool != NO_TOOL) {
        release_second_tool();
        if (call("set_events", "(il)", tool, 0L) < 0)
            PyErr_Clear();
        for (size_t i = 0; i < count; i++) {
            long bit = pt_monitoring_bit(callbacks[i].event);
            if (bit < 0 || call("register_callback", "(ilO)", tool, bit, Py_None) < 0)
                PyErr_Clear();
        }
        if (call("free_tool_id", "(i)", tool) < 0)
            PyErr_Clear();
        tool = NO_TOOL;
    }
    PyErr_Restore(type, error, traceback);
}

#endif
