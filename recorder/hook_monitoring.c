#include <Python.h>

#if PY_VERSION_HEX >= 0x030C0000

#include <opcode.h>

#include "event.h"
#include "hook.h"
#include "monitoring.h"

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

/* What is asked for. */
enum { CALLS = 1, C_CALLS = 2 };

static struct pt_monitoring_callback callbacks[] = {
    {"PY_START", on_start, CALLS, PT_MONITORING_EVERYWHERE, NULL},
    {"PY_RESUME", on_resume, CALLS, PT_MONITORING_EVERYWHERE, NULL},
    {"PY_THROW", on_throw, CALLS, PT_MONITORING_EVERYWHERE, NULL},
    {"PY_RETURN", on_return, CALLS, PT_MONITORING_EVERYWHERE, NULL},
    {"PY_YIELD", on_yield, CALLS, PT_MONITORING_EVERYWHERE, NULL},
    {"PY_UNWIND", on_unwind, CALLS, PT_MONITORING_EVERYWHERE, NULL},
    {"CALL", on_call, C_CALLS, PT_MONITORING_EVERYWHERE, NULL},
    {"C_RETURN", on_c_return, C_CALLS, PT_MONITORING_WITH_ANOTHER, NULL},
    {"C_RAISE", on_c_raise, C_CALLS, PT_MONITORING_WITH_ANOTHER, NULL},
};

#define CALLBACKS (sizeof callbacks / sizeof *callbacks)

int pt_hook_reserve(void)
{
    return pt_monitoring_reserve();
}

int pt_hook_start(bool c_calls)
{
    if (!missing && (missing = pt_monitoring_constant("MISSING")) == NULL)
        return -1;
    return pt_monitoring_register(callbacks, CALLBACKS, CALLS | (c_calls ? C_CALLS : 0));
}

void pt_hook_stop(void)
{
    pt_monitoring_release(callbacks, CALLBACKS);
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
