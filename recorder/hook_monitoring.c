#include <Python.h>

#if PY_VERSION_HEX >= 0x030C0000

#include <opcode.h>
#include <stddef.h>

#include "event.h"
#include "hook.h"

const char *const pt_hook_name = "monitoring";

/* --- Callbacks ---------------------------------------------------------------------------------------------------
 *
 * Called as (code, offset, …) with the exception, if one is on its way, put aside. They return None and never raise. */

static PyObject *on_start(PyObject *self, PyObject *const *arguments, size_t flags, PyObject *keywords)
{
    (void)self, (void)flags, (void)keywords;
    return pt_event_with_id(PT_KIND_START, arguments[0], arguments[0]);
}

static PyObject *on_resume(PyObject *self, PyObject *const *arguments, size_t flags, PyObject *keywords)
{
    (void)self, (void)flags, (void)keywords;
    return pt_event_with_id(PT_KIND_RESUME, arguments[0], arguments[0]);
}

static PyObject *on_throw(PyObject *self, PyObject *const *arguments, size_t flags, PyObject *keywords)
{
    (void)self, (void)flags, (void)keywords;
    return pt_event_with_id(PT_KIND_THROW, arguments[0], arguments[0]);
}

static PyObject *on_return(PyObject *self, PyObject *const *arguments, size_t flags, PyObject *keywords)
{
    (void)self, (void)flags, (void)keywords;
    return pt_event_leave(PT_KIND_RETURN, arguments[0], arguments[0]);
}

static PyObject *on_yield(PyObject *self, PyObject *const *arguments, size_t flags, PyObject *keywords)
{
    (void)self, (void)flags, (void)keywords;
    return pt_event_leave(PT_KIND_YIELD, arguments[0], arguments[0]);
}

/* From 3.13 on RESUME runs signal handlers before it reports the entry: if one raises, the unwind has no entry. In 3.12
 * the order is the other one. (A generator handles exceptions at its entry before it passes them on, and cannot be told
 * by this; there it is left to the reader, which compares the id.) */
#if PY_VERSION_HEX >= 0x030D0000
static bool is_resume(int opcode)
{
#ifdef RESUME_CHECK_JIT
    if (opcode == RESUME_CHECK_JIT)
        return true;
#endif
    return opcode == RESUME || opcode == RESUME_CHECK || opcode == INSTRUMENTED_RESUME;
}

/* Line and instruction events of other tools do not hide a RESUME: it has neither. */
static bool is_at_entry(PyObject *code, PyObject *offset)
{
    long at = PyLong_AsLong(offset);
    if (!PyCode_Check(code) || at < 0 || at >= Py_SIZE(code) * 2)
        return false;
    return is_resume(((const unsigned char *)((PyCodeObject *)code)->co_code_adaptive)[at]);
}
#else
static bool is_at_entry(PyObject *code, PyObject *offset)
{
    (void)code, (void)offset;
    return false;
}
#endif

/* What is thrown into a generator leaves it there too. Otherwise not even an entry of the same function as the last
 * record proves anything: it may be the caller's, in a recursion. Trace functions come before us: if one raises, there
 * was no entry either. */
static bool was_entered(PyObject *code)
{
    return pt_event_was_last(PT_KIND_THROW, code);
}

static PyObject *on_unwind(PyObject *self, PyObject *const *arguments, size_t flags, PyObject *keywords)
{
    (void)self, (void)flags, (void)keywords;
    if (is_at_entry(arguments[0], arguments[1]) && !was_entered(arguments[0]))
        Py_RETURN_NONE;
    return pt_event_with_id(PT_KIND_UNWIND, arguments[0], arguments[0]);
}

static PyObject *missing; /* sys.monitoring.MISSING: a call without arguments */

/* Which calls are those of C functions is cProfile's choice: functions, bound or not, and methods of C types if the
 * first argument fits; types, slot wrappers and bound Python methods are none, although CALL shows them. Plain
 * functions are found in place; the rest is left to functions of its own, so that the fast path calls nothing and saves
 * no registers. */
static inline PyObject *c_event(enum pt_kind kind, const PyMethodDef *method, PyObject *callable)
{
    return kind == PT_KIND_C_CALL ? pt_event_with_id(kind, method, callable) : pt_event_leave(kind, method, callable);
}

/* The object belongs to a type derived from the method's. Bound to it, the method can be described with regard to it. */
static PyObject *inherited_method(enum pt_kind kind, PyObject *callable, PyObject *object)
{
    const PyMethodDef *method = ((PyMethodDescrObject *)callable)->d_method;
    if (kind != PT_KIND_C_CALL || pt_event_knows(method))
        return c_event(kind, method, callable);
    PyObject *bound = Py_TYPE(callable)->tp_descr_get(callable, object, (PyObject *)Py_TYPE(object));
    PyErr_Clear();
    PyObject *result = c_event(kind, method, bound ? bound : callable);
    Py_XDECREF(bound);
    return result;
}

static __attribute__((noinline)) PyObject *c_event_unlikely(enum pt_kind kind, PyObject *callable, PyObject *first)
{
    if (Py_IS_TYPE(callable, &PyMethodDescr_Type)) {
        if (first != missing && PyObject_TypeCheck(first, PyDescr_TYPE(callable)))
            return inherited_method(kind, callable, first);
    } else if (PyCFunction_Check(callable)) {
        return c_event(kind, ((PyCFunctionObject *)callable)->m_ml, callable);
    }
    Py_RETURN_NONE;
}

static inline PyObject *c_event_of(enum pt_kind kind, PyObject *callable, PyObject *first)
{
    if (PyCFunction_CheckExact(callable))
        return c_event(kind, ((PyCFunctionObject *)callable)->m_ml, callable);
    if (PyFunction_Check(callable) || PyType_Check(callable))
        Py_RETURN_NONE;
    if (Py_IS_TYPE(callable, &PyMethodDescr_Type) && Py_IS_TYPE(first, PyDescr_TYPE(callable)) && first != missing)
        return c_event(kind, ((PyMethodDescrObject *)callable)->d_method, callable);
    return c_event_unlikely(kind, callable, first);
}

static PyObject *on_call(PyObject *self, PyObject *const *arguments, size_t flags, PyObject *keywords)
{
    (void)self, (void)flags, (void)keywords;
    return c_event_of(PT_KIND_C_CALL, arguments[2], arguments[3]);
}

static PyObject *on_c_return(PyObject *self, PyObject *const *arguments, size_t flags, PyObject *keywords)
{
    (void)self, (void)flags, (void)keywords;
    return c_event_of(PT_KIND_C_RETURN, arguments[2], arguments[3]);
}

static PyObject *on_c_raise(PyObject *self, PyObject *const *arguments, size_t flags, PyObject *keywords)
{
    (void)self, (void)flags, (void)keywords;
    return c_event_of(PT_KIND_C_RAISE, arguments[2], arguments[3]);
}

static struct callback {
    const char *event; /* its name in sys.monitoring.events, whose numbers differ between versions */
    vectorcallfunc function;
    bool of_c_calls;
    bool own_bit; /* C_RETURN and C_RAISE come with CALL */
    PyObject *object;
} callbacks[] = {
    {"PY_START", on_start, false, true, NULL},  {"PY_RESUME", on_resume, false, true, NULL},
    {"PY_THROW", on_throw, false, true, NULL},  {"PY_RETURN", on_return, false, true, NULL},
    {"PY_YIELD", on_yield, false, true, NULL},  {"PY_UNWIND", on_unwind, false, true, NULL},
    {"CALL", on_call, true, true, NULL},        {"C_RETURN", on_c_return, true, false, NULL},
    {"C_RAISE", on_c_raise, true, false, NULL},
};

#define CALLBACKS (sizeof callbacks / sizeof *callbacks)

/* --- Callable objects --------------------------------------------------------------------------------------------
 *
 * A type of our own with a vectorcall slot is the shortest way from the interpreter to C. Made once, in the main
 * interpreter, and never freed: the interpreter may call a callback for as long as code is instrumented. */

struct callable {
    PyObject base;
    vectorcallfunc vectorcall;
};

static PyMemberDef callable_members[] = {
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(struct callable, vectorcall), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot callable_slots[] = {
    {Py_tp_members, callable_members},
    {Py_tp_call, PyVectorcall_Call},
    {0, NULL},
};

static PyType_Spec callable_spec = {
    .name = "pytrace._core.hook",
    .basicsize = sizeof(struct callable),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = callable_slots,
};

static int make_callables(void)
{
    if (callbacks[CALLBACKS - 1].object)
        return 0;
    PyTypeObject *type = (PyTypeObject *)PyType_FromSpec(&callable_spec);
    for (size_t i = 0; type && i < CALLBACKS; i++) {
        struct callable *callable = PyObject_New(struct callable, type);
        if (!callable)
            return -1;
        callable->vectorcall = callbacks[i].function;
        callbacks[i].object = (PyObject *)callable;
    }
    return type ? 0 : -1;
}

/* --- The tool ---------------------------------------------------------------------------------------------------- */

#define NO_TOOL (-1)

static int tool = NO_TOOL;

static PyObject *monitoring(void)
{
    PyObject *namespace = PySys_GetObject("monitoring");
    if (!namespace)
        PyErr_SetString(PyExc_RuntimeError, "this interpreter has no sys.monitoring");
    return namespace;
}

/* 4, else 3: the other ids are spoken for (debugger, coverage, profiler, optimizer). */
int pt_hook_reserve(void)
{
    PyObject *namespace = monitoring();
    if (!namespace || make_callables() < 0)
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

static long event_bit(PyObject *namespace, const char *name)
{
    PyObject *events = PyObject_GetAttrString(namespace, "events");
    PyObject *bit = events ? PyObject_GetAttrString(events, name) : NULL;
    long value = bit ? PyLong_AsLong(bit) : -1;
    Py_XDECREF(bit);
    Py_XDECREF(events);
    return value;
}

static int register_callback(PyObject *namespace, long bit, PyObject *callback)
{
    PyObject *result = PyObject_CallMethod(namespace, "register_callback", "ilO", tool, bit, callback);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static int set_events(PyObject *namespace, long bits)
{
    PyObject *result = PyObject_CallMethod(namespace, "set_events", "il", tool, bits);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

int pt_hook_start(bool c_calls)
{
    PyObject *namespace = monitoring();
    if (!namespace)
        return -1;
    if (!missing && (missing = PyObject_GetAttrString(namespace, "MISSING")) == NULL)
        return -1;
    long bits = 0;
    for (size_t i = 0; i < CALLBACKS; i++) {
        if (callbacks[i].of_c_calls && !c_calls)
            continue;
        long bit = event_bit(namespace, callbacks[i].event);
        if (bit < 0 || register_callback(namespace, bit, callbacks[i].object) < 0)
            return -1;
        if (callbacks[i].own_bit)
            bits |= bit;
    }
    return set_events(namespace, bits);
}

void pt_hook_stop(void)
{
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyObject *namespace = monitoring();
    if (namespace && tool != NO_TOOL) {
        if (set_events(namespace, 0) < 0)
            PyErr_Clear();
        for (size_t i = 0; i < CALLBACKS; i++) {
            long bit = event_bit(namespace, callbacks[i].event);
            if (bit < 0 || register_callback(namespace, bit, Py_None) < 0)
                PyErr_Clear();
        }
        Py_XDECREF(PyObject_CallMethod(namespace, "free_tool_id", "i", tool));
        tool = NO_TOOL;
    }
    PyErr_Restore(type, error, traceback);
}

void pt_hook_scan(void)
{
    /* the events of an interpreter are those of all its threads */
}

void pt_hook_watch_thread(void)
{
    /* tools do not get into each other's way */
}

#endif
