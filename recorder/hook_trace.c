#include <Python.h>

#if PY_VERSION_HEX < 0x030C0000

#include "chosen.h"
#include "event.h"
#include "frame_place.h"
#include "functions.h"
#include "hook_trace.h"
#include "thread_tracing.h"

/* --- Frames ------------------------------------------------------------------------------------------------------ */

static int frame_offset(PyFrameObject *frame)
{
#if PY_VERSION_HEX >= 0x030B0000
    return PyFrame_GetLasti(frame);
#elif PY_VERSION_HEX >= 0x030A0000
    return frame->f_lasti * 2;
#else
    return frame->f_lasti;
#endif
}

/* The interpreter asks each frame whether its instructions are wanted. That is undone when the frame is left: who traces
 * after us might find it. */
static void want_instructions(PyFrameObject *frame, bool wanted)
{
#if PY_VERSION_HEX >= 0x030B0000
    if (PyObject_SetAttrString((PyObject *)frame, "f_trace_opcodes", wanted ? Py_True : Py_False) < 0)
        PyErr_Clear();
#else
    frame->f_trace_opcodes = wanted;
#endif
}

/* --- Events ------------------------------------------------------------------------------------------------------ */

/* The head of an exception's traceback is this frame, once the exception has come to it. What ends a loop or an await over
 * an iterator never does. */
static bool ends_loop(PyFrameObject *frame, PyObject *type, PyObject *traceback)
{
    if (!PyType_IsSubtype((PyTypeObject *)type, (PyTypeObject *)PyExc_StopIteration))
        return false;
    return !PyTraceBack_Check(traceback) || ((PyTracebackObject *)traceback)->tb_frame != frame;
}

static void on_exception(PyFrameObject *frame, PyObject *argument)
{
    PyObject *type = PyTuple_GET_ITEM(argument, 0);
    if (PyType_Check(type) && !ends_loop(frame, type, PyTuple_GET_ITEM(argument, 2)) &&
        pt_hook_profile_was_entered(frame))
        pt_event_exception(pt_frame_place_code(frame), PyFrame_GetLineNumber(frame), (PyTypeObject *)type);
}

static int on_event(PyObject *unused, PyFrameObject *frame, int what, PyObject *argument)
{
    (void)unused;
    const unsigned chosen = pt_functions_chosen(pt_frame_place_code(frame));
    switch (what) {
    case PyTrace_CALL: /* of a function that is called for the first time it is not known here what is chosen */
    case PyTrace_LINE:
        if (chosen & PT_CHOSEN_OPCODES)
            want_instructions(frame, true);
        if (chosen & PT_CHOSEN_LINES && what == PyTrace_LINE)
            pt_event_inner(PT_KIND_LINE, PyFrame_GetLineNumber(frame));
        break;
    case PyTrace_RETURN:
        if (chosen & PT_CHOSEN_OPCODES)
            want_instructions(frame, false);
        break;
    case PyTrace_OPCODE:
        if (chosen & PT_CHOSEN_OPCODES)
            pt_event_inner(PT_KIND_OPCODE, frame_offset(frame));
        break;
    case PyTrace_EXCEPTION:
        if (pt_chosen_exceptions())
            on_exception(frame, argument);
        break;
    default:
        break;
    }
    return 0;
}

/* --- Threads ----------------------------------------------------------------------------------------------------- */

bool pt_hook_trace_is_taken(const PyThreadState *thread)
{
    return pt_chosen_any() && thread->c_tracefunc && thread->c_tracefunc != on_event;
}

bool pt_hook_trace_is_lost(const PyThreadState *thread)
{
    return pt_chosen_any() && thread->c_tracefunc != on_event;
}

void pt_hook_trace_start(PyThreadState *thread)
{
    if (pt_chosen_any() && !thread->c_tracefunc)
        pt_thread_tracing_set_trace(thread, on_event);
}

void pt_hook_trace_stop(PyThreadState *thread)
{
    if (thread->c_tracefunc != on_event)
        return;
    PyFrameObject *frame = PyThreadState_GetFrame(thread);
    while (frame) {
        if (pt_functions_chosen(pt_frame_place_code(frame)) & PT_CHOSEN_OPCODES)
            want_instructions(frame, false);
        PyFrameObject *back = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = back;
    }
    pt_thread_tracing_set_trace(thread, NULL);
}

#endif
