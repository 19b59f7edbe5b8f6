/* A frame evaluator (PEP 523) stands in the place of the interpreter's own until the frame has come. While it is there
 * every call is slower, and takes some of the C stack: so it must not stay, whoever runs the interpreter. */

#define Py_BUILD_CORE                                                                                                  \
    1 /* for struct _PyInterpreterFrame: 3.11 to 3.13 have no other way to a frame's globals before it runs */
#include <Python.h>
#if PY_VERSION_HEX >= 0x030E0000
#include <internal/pycore_interpframe.h>
#elif PY_VERSION_HEX >= 0x030B0000
#include <internal/pycore_frame.h>
#else
#include <frameobject.h>
#endif

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "first_frame.h"

#if PY_VERSION_HEX >= 0x030B0000
typedef struct _PyInterpreterFrame pt_frame;
#else
typedef PyFrameObject pt_frame;
#endif

/* Exported, but declared by internal headers only. */
#if PY_VERSION_HEX >= 0x030D0000
PyAPI_FUNC(const PyConfig *) _Py_GetConfig(void);
#endif

/* What the evaluator, which takes no argument of ours, must know. One process runs one program. */
static struct {
    pt_first_frame_action *action; /* NULL while nothing is waited for */
    const PyObject *globals;       /* of __main__; compared, never used */
    const PyThreadState *thread;
    bool embedded; /* the interpreter is not going to run a program of its own */
    bool started;  /* site is done */
    _PyFrameEvalFunction evaluate;
} awaited;

PyConfig *pt_first_frame_config(void)
{
    return (PyConfig *)(uintptr_t)_Py_GetConfig();
}

static PyCodeObject *frame_code(pt_frame *frame)
{
#if PY_VERSION_HEX >= 0x030C0000
    return (PyCodeObject *)PyUnstable_InterpreterFrame_GetCode(frame);
#else
    Py_INCREF(frame->f_code);
    return frame->f_code;
#endif
}

/* No Python frame is below the one that is about to run. */
static bool stack_is_empty(const PyThreadState *tstate)
{
#if PY_VERSION_HEX >= 0x030F0000
    return !tstate->current_frame || tstate->current_frame == tstate->base_frame;
#elif PY_VERSION_HEX >= 0x030D0000
    return !tstate->current_frame;
#elif PY_VERSION_HEX >= 0x030B0000
    return !tstate->cframe->current_frame;
#else
    return !tstate->frame;
#endif
}

/* The first frame is the body of __main__, or, for a module, a directory or an archive, the function of runpy that
 * python calls to run it: it imports the packages around the module, which belong to the program, and the program's
 * tracebacks show it.
 *
 * Who embeds the interpreter may never run anything in __main__. Then it is the first one that is not of a frozen
 * module (the import system, that is) once site is done, and the stack with it was empty. */
static bool is_first_frame(const PyThreadState *tstate, pt_frame *frame)
{
    if (frame->f_globals == awaited.globals)
        return true;
    if (stack_is_empty(tstate))
        awaited.started = true;
    PyCodeObject *code = frame_code(frame);
    if (!code)
        return false;
    bool found = PyUnicode_CompareWithASCIIString(code->co_name, "_run_module_as_main") == 0;
    if (!found && awaited.embedded && awaited.started) {
        const char *file = PyUnicode_AsUTF8(code->co_filename);
        found = !file || strncmp(file, "<frozen ", strlen("<frozen ")) != 0;
        PyErr_Clear();
    }
    Py_DECREF(code);
    return found;
}

static PyObject *look_at_frame(PyThreadState *tstate, pt_frame *frame, int throwing)
{
    if (awaited.action && tstate == awaited.thread && is_first_frame(tstate, frame)) {
        pt_first_frame_action *action = awaited.action;
        awaited.action = NULL;
        if (_PyInterpreterState_GetEvalFrameFunc(tstate->interp) ==
            look_at_frame) /* nobody has put another one there */
            _PyInterpreterState_SetEvalFrameFunc(tstate->interp, awaited.evaluate);
        action();
    }
    return awaited.evaluate(tstate, frame, throwing);
}

void pt_first_frame_await(PyObject *globals, pt_first_frame_action *action)
{
    PyThreadState *tstate = PyThreadState_Get();
    const PyConfig *config = pt_first_frame_config();
    _PyFrameEvalFunction evaluate = _PyInterpreterState_GetEvalFrameFunc(tstate->interp);
    awaited.action = action;
    awaited.globals = globals;
    awaited.thread = tstate;
    awaited.embedded = !config->run_filename && !config->run_command && !config->run_module;
    awaited.started = false;
    if (evaluate == look_at_frame)
        return;
    awaited.evaluate = evaluate;
    _PyInterpreterState_SetEvalFrameFunc(tstate->interp, look_at_frame);
}
