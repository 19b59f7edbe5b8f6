#include <Python.h>
#if PY_VERSION_HEX < 0x030B0000
#include <frameobject.h>
#endif

#include "open_frames.h"

#include <stdlib.h>

#include "chosen.h"
#include "functions.h"
#include "hook.h"
#include "record.h"
#include "ring.h"

/* The recorder's own frames: so many, from this one on. Greenlets have outermost frames of their own. */
static _Thread_local size_t hidden_frames;
static _Thread_local PyFrameObject *hidden_outermost;

static PyObject *frame_globals(PyFrameObject *frame)
{
#if PY_VERSION_HEX >= 0x030B0000
    return PyFrame_GetGlobals(frame);
#else
    Py_INCREF(frame->f_globals);
    return frame->f_globals;
#endif
}

static uint32_t frame_id(PyFrameObject *frame)
{
    PyObject *code = (PyObject *)PyFrame_GetCode(frame);
    PyObject *globals = frame_globals(frame);
    uint32_t id = pt_functions_id(code, code, globals);
    Py_XDECREF(globals);
    Py_DECREF(code);
    return id;
}

/* `*outermost` is a new reference, NULL if there are no frames. */
static size_t count_frames(PyFrameObject *innermost, PyFrameObject **outermost)
{
    size_t count = 0;
    *outermost = NULL;
    Py_XINCREF(innermost);
    while (innermost) {
        PyFrameObject *back = PyFrame_GetBack(innermost);
        Py_XSETREF(*outermost, innermost);
        innermost = back;
        count++;
    }
    return count;
}

void pt_open_frames_hide(void)
{
    PyFrameObject *innermost = PyThreadState_GetFrame(PyThreadState_Get());
    Py_XDECREF(hidden_outermost);
    hidden_frames = count_frames(innermost, &hidden_outermost);
    Py_XDECREF(innermost);
}

/* The frames from this one outwards, without those that are hidden. */
static size_t count_shown(PyFrameObject *innermost)
{
    PyFrameObject *outermost;
    size_t count = count_frames(innermost, &outermost);
    if (outermost && outermost == hidden_outermost)
        count -= hidden_frames < count ? hidden_frames : count;
    Py_XDECREF(outermost);
    return count;
}

/* A frame that was suspended when the hook was switched on may run code that the interpreter has not hooked yet. */
static void reach_code(PyFrameObject *frame)
{
    PyObject *code = (PyObject *)PyFrame_GetCode(frame);
    if (pt_functions_find(code) == PT_ID_UNKNOWN)
        pt_hook_reach_code(code);
    Py_DECREF(code);
}

/* Writes the frames from `frame` outwards, of which the reference is taken over. */
static void write_frames(struct pt_thread_state *self, PyFrameObject *frame, bool resumed)
{
    size_t count = count_shown(frame);
    uint32_t *ids = malloc(count * sizeof *ids + 1);
    if (!ids)
        count = 0;

    /* All ids first: describing functions takes time, and the records are to bear that of the thread's first event. */
    for (size_t i = 0; i < count; i++) {
        if (resumed)
            reach_code(frame);
        ids[i] = frame_id(frame);
        pt_hook_note_open(frame);
        Py_SETREF(frame, PyFrame_GetBack(frame));
    }
    for (size_t i = count; i-- > 0;)
        pt_ring_put(self, PT_KIND_OPEN, ids[i], pt_record_frame(ids[i], 0));
    free(ids);
    Py_XDECREF(frame);
}

void pt_open_frames_write(struct pt_thread_state *self, bool entering)
{
    PyFrameObject *frame = PyThreadState_GetFrame(PyThreadState_Get());
    if (entering && frame)
        Py_SETREF(frame, PyFrame_GetBack(frame));
    write_frames(self, frame, false);
}

void pt_open_frames_write_resumed(struct pt_thread_state *self)
{
    write_frames(self, PyThreadState_GetFrame(PyThreadState_Get()), true);
}

static void choose_frames(PyThreadState *thread)
{
    PyFrameObject *frame = PyThreadState_GetFrame(thread);
    size_t count = count_shown(frame);
    for (size_t i = 0; frame; i++) {
        if (i < count)
            frame_id(frame);
        Py_SETREF(frame, PyFrame_GetBack(frame));
    }
}

void pt_open_frames_choose(void)
{
    if (!pt_chosen_any())
        return;
#ifdef Py_GIL_DISABLED
    choose_frames(PyThreadState_Get()); /* another thread's cannot be looked at while it runs */
#else
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Main());
    for (; thread; thread = PyThreadState_Next(thread))
        choose_frames(thread);
#endif
}
