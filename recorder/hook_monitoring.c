#include <Python.h>

#if PY_VERSION_HEX >= 0x030C0000

#include <opcode.h>

#include "chosen.h"
#include "event.h"
#include "functions.h"
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

#define UNIT_BYTES 2

/* Without what the interpreter has made of it. An inline cache is 0, which is no opcode. */
static int original_opcode(PyCodeObject *code, long unit)
{
    PyObject *bytes = PyCode_GetCode(code);
    const int opcode = bytes ? ((const unsigned char *)PyBytes_AS_STRING(bytes))[unit * UNIT_BYTES] : 0;
    Py_XDECREF(bytes);
    PyErr_Clear();
    return opcode;
}

/* --- Exceptions at an entry ---
 *
 * From 3.13 on RESUME runs signal handlers before it reports the entry: if one raises, the function is left without
 * having been entered. In 3.12 the order is the other one. */

#if PY_VERSION_HEX >= 0x030F0000
#define RESUME_CACHES 1
#else
#define RESUME_CACHES 0
#endif

/* The code unit of the RESUME, if it is one that raised. An offset is that of the last unit of the instruction: an
 * inline cache, mostly, which holds a number that looks like any opcode. */
static long resume_unit(PyObject *offset)
{
    return PyLong_AsLong(offset) / UNIT_BYTES - RESUME_CACHES;
}

/* At the RESUME that begins the function, or before. */
static bool is_at_start(PyObject *code, long unit)
{
    if (!PyCode_Check(code))
        return false;
    const int start = ((PyCodeObject *)code)->_co_firsttraceable;
    return unit < (PY_VERSION_HEX >= 0x030D0000 ? start + 1 : start);
}

/* What is thrown into a generator leaves it there too. Otherwise not even an entry of the same function as the last
 * record proves anything: it may be the caller's, in a recursion. Trace functions come before us: if one raises, there
 * was no entry either. */
static bool was_thrown_in(PyObject *code)
{
    return pt_event_was_last(PT_KIND_THROW, code);
}

static PyObject *on_unwind(PyObject *self, PyObject *const *arguments, size_t flags, PyObject *keywords)
{
    (void)self, (void)flags, (void)keywords;
    if (is_at_start(arguments[0], resume_unit(arguments[1])) && !was_thrown_in(arguments[0]))
        Py_RETURN_NONE;
    return pt_event_with_id(PT_KIND_UNWIND, arguments[0], arguments[0]);
}

#if PY_VERSION_HEX >= 0x030D0000

/* Code that runs with our events has all its RESUMEs instrumented. */
static bool is_resume(PyCodeObject *code, long unit)
{
    if (unit < 0 || unit >= Py_SIZE(code))
        return false;
    return ((const unsigned char *)code->co_code_adaptive)[unit * UNIT_BYTES] == INSTRUMENTED_RESUME &&
           original_opcode(code, unit) == RESUME;
}

/* A generator that is raised in before its entry is reported may handle that and go on to a yield or a return, and handles
 * it in any case before it is left: so it has been entered. */
static __attribute__((noinline)) void generator_raised(PyCodeObject *code, PyObject *offset)
{
    const long unit = resume_unit(offset);
    if (is_resume(code, unit) && !was_thrown_in((PyObject *)code))
        pt_event_with_id(unit == code->_co_firsttraceable ? PT_KIND_START : PT_KIND_RESUME, code, (PyObject *)code);
}

#else

static void generator_raised(PyCodeObject *code, PyObject *offset)
{
    (void)code, (void)offset;
}

#endif

/* The head of an exception's traceback is this frame, once the exception has come to it. What ends a loop or an await over
 * an iterator never does. The event's own offset is no use: it may be that of another line. */
static PyObject *exception_raised(PyCodeObject *code, PyObject *offset, PyObject *exception, bool in_generator)
{
    PyTracebackObject *head = (PyTracebackObject *)PyException_GetTraceback(exception);
    const bool is_here = head && head->tb_frame == PyEval_GetFrame();
    const long unit = is_here ? head->tb_lasti / UNIT_BYTES : resume_unit(offset);
    Py_XDECREF(head);
    if (!is_here && PyObject_TypeCheck(exception, (PyTypeObject *)PyExc_StopIteration))
        Py_RETURN_NONE;
    if (!in_generator && is_at_start((PyObject *)code, unit))
        Py_RETURN_NONE;
    return pt_event_exception(code, PyCode_Addr2Line(code, (int)unit * UNIT_BYTES), Py_TYPE(exception));
}

static PyObject *on_raise(PyObject *self, PyObject *const *arguments, size_t flags, PyObject *keywords)
{
    (void)self, (void)flags, (void)keywords;
    PyCodeObject *code = (PyCodeObject *)arguments[0];
    if (!PyCode_Check(code))
        Py_RETURN_NONE;
    const bool in_generator = code->co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR);
    if (in_generator)
        generator_raised(code, arguments[1]);
    if (!pt_chosen_exceptions())
        Py_RETURN_NONE;
    return exception_raised(code, arguments[1], arguments[2], in_generator);
}

/* --- Calls of C functions --- */

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

/* CALL shows a bound method as such; C_RETURN and C_RAISE show the function in it, if they come: they do not where the
 * arguments are unpacked. */
static __attribute__((noinline)) PyObject *method_called(PyObject *code, PyObject *offset, PyObject *callable)
{
    PyObject *function = PyMethod_GET_FUNCTION(callable);
    if (!PyCode_Check(code) || !(PyCFunction_Check(function) || Py_IS_TYPE(function, &PyMethodDescr_Type)))
        Py_RETURN_NONE;
    if (original_opcode((PyCodeObject *)code, PyLong_AsLong(offset) / UNIT_BYTES) == CALL_FUNCTION_EX)
        Py_RETURN_NONE;
    return c_event_of(PT_KIND_C_CALL, function, PyMethod_GET_SELF(callable));
}

static PyObject *on_call(PyObject *self, PyObject *const *arguments, size_t flags, PyObject *keywords)
{
    (void)self, (void)flags, (void)keywords;
    if (__builtin_expect(PyMethod_Check(arguments[2]), 0))
        return method_called(arguments[0], arguments[1], arguments[2]);
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

/* --- Inside of chosen functions ---------------------------------------------------------------------------------- */

static PyObject *on_line(PyObject *self, PyObject *const *arguments, size_t flags, PyObject *keywords)
{
    (void)self, (void)flags, (void)keywords;
    return pt_event_inner(PT_KIND_LINE, PyLong_AsLong(arguments[1]));
}

static PyObject *disable; /* sys.monitoring.DISABLE: never again at this place */

/* A loop within one line comes to it again and again, which LINE does not tell. (sys.settrace does it in the same way.) */
static PyObject *on_jump(PyObject *self, PyObject *const *arguments, size_t flags, PyObject *keywords)
{
    (void)self, (void)flags, (void)keywords;
    PyCodeObject *code = (PyCodeObject *)arguments[0];
    long from = PyLong_AsLong(arguments[1]);
    long to = PyLong_AsLong(arguments[2]);
    int line = PyCode_Addr2Line(code, (int)to);
    if (to > from || line < 0 || line != PyCode_Addr2Line(code, (int)from)) {
        Py_INCREF(disable);
        return disable;
    }
    return pt_event_inner(PT_KIND_LINE, line);
}

static PyObject *on_instruction(PyObject *self, PyObject *const *arguments, size_t flags, PyObject *keywords)
{
    (void)self, (void)flags, (void)keywords;
    return pt_event_inner(PT_KIND_OPCODE, PyLong_AsLong(arguments[1]));
}

/* --- On and off -------------------------------------------------------------------------------------------------- */

/* What is asked for. */
enum { CALLS = 1, C_CALLS = 2, EXCEPTIONS = 4, LINES = 8, OPCODES = 16 };

static struct pt_monitoring_callback callbacks[] = {
    {"PY_START", on_start, CALLS, PT_MONITORING_EVERYWHERE, NULL},
    {"PY_RESUME", on_resume, CALLS, PT_MONITORING_EVERYWHERE, NULL},
    {"PY_THROW", on_throw, CALLS, PT_MONITORING_EVERYWHERE, NULL},
    {"PY_RETURN", on_return, CALLS, PT_MONITORING_EVERYWHERE, NULL},
    {"PY_YIELD", on_yield, CALLS, PT_MONITORING_EVERYWHERE, NULL},
    {"PY_UNWIND", on_unwind, CALLS, PT_MONITORING_EVERYWHERE, NULL},
#if PY_VERSION_HEX >= 0x030D0000
    {"RAISE", on_raise, CALLS, PT_MONITORING_EVERYWHERE, NULL},
#else
    {"RAISE", on_raise, EXCEPTIONS, PT_MONITORING_EVERYWHERE, NULL},
#endif
    {"CALL", on_call, C_CALLS, PT_MONITORING_EVERYWHERE, NULL},
    {"C_RETURN", on_c_return, C_CALLS, PT_MONITORING_WITH_ANOTHER, NULL},
    {"C_RAISE", on_c_raise, C_CALLS, PT_MONITORING_WITH_ANOTHER, NULL},
    {"LINE", on_line, LINES, PT_MONITORING_LOCAL, NULL},
    {"JUMP", on_jump, LINES, PT_MONITORING_LOCAL, NULL},
    {"INSTRUCTION", on_instruction, OPCODES, PT_MONITORING_LOCAL, NULL},
};

#define CALLBACKS (sizeof callbacks / sizeof *callbacks)

static unsigned groups(bool c_calls)
{
    return CALLS | LINES | OPCODES | (c_calls ? C_CALLS : 0) | (pt_chosen_exceptions() ? EXCEPTIONS : 0);
}

int pt_hook_reserve(bool c_calls)
{
    if (!missing && (missing = pt_monitoring_constant("MISSING")) == NULL)
        return -1;
    if (!disable && (disable = pt_monitoring_constant("DISABLE")) == NULL)
        return -1;
    if (pt_monitoring_reserve() < 0)
        return -1;
    if (pt_monitoring_register(callbacks, CALLBACKS, groups(c_calls)) == 0)
        return 0;
    pt_monitoring_release(callbacks, CALLBACKS);
    return -1;
}

int pt_hook_start(bool c_calls)
{
    return pt_monitoring_watch(callbacks, CALLBACKS, groups(c_calls));
}

static void unchoose(const void *code)
{
    if (pt_monitoring_set_local_events((PyObject *)(uintptr_t)code, 0) < 0)
        PyErr_Clear();
}

/* --- Rehearsal ---------------------------------------------------------------------------------------------------- */

bool pt_hook_is_alone(void)
{
    const PyThreadState *thread = PyThreadState_Get();
    return !thread->c_profilefunc && !thread->c_tracefunc && pt_monitoring_is_alone();
}

/* Code that has local events is instrumented as it is by those for all code. */
int pt_hook_rehearse(PyObject *const *codes, size_t count, bool c_calls)
{
    static const char *const events[] = {"PY_START", "PY_RESUME", "PY_RETURN", "PY_YIELD", "CALL"};
    long bits = 0;
    for (size_t i = 0; i < sizeof events / sizeof *events - !c_calls; i++) {
        const long bit = pt_monitoring_bit(events[i]);
        if (bit < 0)
            return -1;
        bits |= bit;
    }
    for (size_t i = 0; i < count; i++)
        if (pt_monitoring_rehearse(codes[i], bits) < 0)
            return -1;
    return 0;
}

void pt_hook_rehearse_end(PyObject *const *codes, size_t count)
{
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    for (size_t i = 0; i < count; i++)
        if (pt_monitoring_rehearse(codes[i], 0) < 0)
            PyErr_Clear();
    PyErr_Restore(type, error, traceback);
}

/* The code may be running: what is asked for here counts from its next instruction on. */
void pt_hook_choose(PyObject *code, unsigned chosen)
{
    long lines = pt_monitoring_bit("LINE") | pt_monitoring_bit("JUMP");
    long opcodes = pt_monitoring_bit("INSTRUCTION");
    long bits = (chosen & PT_CHOSEN_LINES ? lines : 0) | (chosen & PT_CHOSEN_OPCODES ? opcodes : 0);
    if (bits < 0 || pt_monitoring_set_local_events(code, bits) < 0)
        PyErr_Clear();
}

void pt_hook_stop(void)
{
    pt_functions_visit_chosen(unchoose);
    pt_monitoring_release(callbacks, CALLBACKS);
}

void pt_hook_note_open(const PyFrameObject *frame)
{
    (void)frame; /* an entry that is not reported shows by its exception */
}

/* Code that threads run was instrumented when the events were asked for, and all other is when it is entered. A change
 * of its local events makes up for that. */
void pt_hook_reach_code(PyObject *code)
{
    const long bit = pt_monitoring_bit("PY_START");
    if (bit < 0 || pt_monitoring_set_local_events(code, bit) < 0 || pt_monitoring_set_local_events(code, 0) < 0)
        PyErr_Clear();
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
