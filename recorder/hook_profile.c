#include <Python.h>

#if PY_VERSION_HEX < 0x030C0000

#include <opcode.h>

#include "entered_frames.h"
#include "event.h"
#include "frame_place.h"
#include "hook.h"
#include "hook_trace.h"
#include "session.h"
#include "thread_ids.h"
#include "thread_start.h"
#include "thread_tracing.h"

const char *const pt_hook_name = "profile";

/* --- How a frame is entered and left ------------------------------------------------------------------------------- */

#if PY_VERSION_HEX >= 0x030B0000

static bool is_at_resume(const unsigned char *instruction)
{
    return instruction && (instruction[0] == RESUME || instruction[0] == RESUME_QUICK);
}

/* In 3.11 RESUME runs signal handlers before it reports the entry, and again afterwards. If one raises, what follows
 * does not tell whether there was an entry; so the frames that were entered are noted. */
static void forget_entered(void)
{
    pt_entered_frames_forget_all();
}

static void note_enter(const PyFrameObject *frame)
{
    pt_entered_frames_add(frame);
}

/* False if it is certain that the frame was never reported to be entered. */
static bool note_leave(const PyFrameObject *frame)
{
    return pt_entered_frames_remove(frame);
}

bool pt_hook_profile_was_entered(PyFrameObject *frame)
{
    return pt_entered_frames_has(frame) || !is_at_resume(pt_frame_place_instruction(frame));
}

/* An exception is thrown in at the yield, before the RESUME that follows it. */
static enum pt_kind enter_kind(const unsigned char *instruction)
{
    if (!is_at_resume(instruction))
        return PT_KIND_THROW;
    return instruction[1] == 0 ? PT_KIND_START : PT_KIND_RESUME;
}

#else

/* The entry is reported before the first instruction: whoever leaves was entered. */
static void forget_entered(void)
{
}

static void note_enter(const PyFrameObject *frame)
{
    (void)frame;
}

static bool note_leave(const PyFrameObject *frame)
{
    (void)frame;
    return true;
}

static bool is_at_resume(const unsigned char *instruction)
{
    (void)instruction;
    return false;
}

bool pt_hook_profile_was_entered(PyFrameObject *frame)
{
    (void)frame;
    return true;
}

/* An exception that is thrown in cannot be told from a value that is sent. */
static enum pt_kind enter_kind(const unsigned char *instruction)
{
    return instruction ? PT_KIND_RESUME : PT_KIND_START;
}

#endif

static bool is_generator(const PyCodeObject *code)
{
    return code->co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR);
}

static enum pt_kind leave_kind(const PyCodeObject *code, const unsigned char *instruction)
{
    if (!is_generator(code) || (instruction && instruction[0] == RETURN_VALUE))
        return PT_KIND_RETURN;
    return PT_KIND_YIELD;
}

/* --- Events ------------------------------------------------------------------------------------------------------ */

/* Where a handler raised at the entry, a function is left without having been entered, which is no event then. A
 * generator may have handled that, and gone on. */
static void on_leave(PyFrameObject *frame, PyObject *value)
{
    PyCodeObject *code = pt_frame_place_code(frame);
    const unsigned char *instruction = pt_frame_place_instruction(frame);
    if (!note_leave(frame)) {
        if (is_generator(code))
            pt_event_with_id(PT_KIND_RESUME, code, (PyObject *)code);
        else if (!value && is_at_resume(instruction))
            return;
    }
    if (value)
        pt_event_leave(leave_kind(code, instruction), code, (PyObject *)code);
    else
        pt_event_with_id(PT_KIND_UNWIND, code, (PyObject *)code);
}

static int on_event(PyObject *unused, PyFrameObject *frame, int what, PyObject *argument)
{
    (void)unused;
    switch (what) {
    case PyTrace_CALL: {
        PyCodeObject *code = pt_frame_place_code(frame);
        note_enter(frame);
        pt_event_with_id(enter_kind(pt_frame_place_instruction(frame)), code, (PyObject *)code);
        break;
    }
    case PyTrace_RETURN:
        on_leave(frame, argument);
        break;
    case PyTrace_C_CALL:
        if (PyCFunction_Check(argument))
            pt_event_with_id(PT_KIND_C_CALL, ((PyCFunctionObject *)argument)->m_ml, argument);
        break;
    case PyTrace_C_RETURN:
    case PyTrace_C_EXCEPTION:
        if (PyCFunction_Check(argument))
            pt_event_leave(what == PyTrace_C_RETURN ? PT_KIND_C_RETURN : PT_KIND_C_RAISE,
                           ((PyCFunctionObject *)argument)->m_ml, argument);
        break;
    default:
        break;
    }
    return 0;
}

static int on_event_without_c(PyObject *unused, PyFrameObject *frame, int what, PyObject *argument)
{
    return what == PyTrace_CALL || what == PyTrace_RETURN ? on_event(unused, frame, what, argument) : 0;
}

/* --- Threads ----------------------------------------------------------------------------------------------------- */

/* The number of the newest thread state when they were last looked at. A thread is hooked once: if its program takes the
 * hook over, it is gone. */
static uint64_t newest_seen;

static bool is_ours(const PyThreadState *thread)
{
    return thread->c_profilefunc == on_event || thread->c_profilefunc == on_event_without_c;
}

static void note_unless_ours(const PyThreadState *thread)
{
    if (pt_session->state != PT_SESSION_RECORDING)
        return;
    if (!is_ours(thread))
        pt_session_note(PT_PROCESS_NOTE_HOOK_REPLACED);
    if (pt_hook_trace_is_lost(thread))
        pt_session_note(PT_PROCESS_NOTE_TRACE_TAKEN);
}

int pt_hook_reserve(bool c_calls)
{
    (void)c_calls;
    const PyThreadState *thread = PyThreadState_Get();
    if (thread->c_profilefunc && !is_ours(thread))
        PyErr_SetString(PyExc_RuntimeError, "another profiler is active in this thread (sys.setprofile)");
    else if (pt_hook_trace_is_taken(thread))
        PyErr_SetString(PyExc_RuntimeError, "a debugger or the like is active in this thread (sys.settrace), in whose "
                                            "place lines, opcodes and exceptions would be recorded");
    else
        return 0;
    return -1;
}

bool pt_hook_is_alone(void)
{
    const PyThreadState *thread = PyThreadState_Get();
    return !thread->c_profilefunc && !thread->c_tracefunc;
}

int pt_hook_rehearse(PyObject *const *codes, size_t count, bool c_calls)
{
    (void)codes, (void)count; /* the thread runs nothing else */
    pt_thread_tracing_set_profile(PyThreadState_Get(), c_calls ? on_event : on_event_without_c);
    return 0;
}

void pt_hook_rehearse_end(PyObject *const *codes, size_t count)
{
    (void)codes, (void)count;
    pt_thread_tracing_set_profile(PyThreadState_Get(), NULL);
}

/* Threads that C code made, and that may be gone by now. */
static void note_unseen(void)
{
    if (pt_session->state == PT_SESSION_RECORDING && pt_thread_ids_newest() > newest_seen)
        pt_session_note(PT_PROCESS_NOTE_LATE_THREADS);
}

/* A thread that had a profile function before ours keeps it, as does one that has replaced ours since. */
static void hook_new_threads(Py_tracefunc function)
{
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Main());
    for (; thread; thread = PyThreadState_Next(thread)) {
        if (thread->id > newest_seen) {
            if (!thread->c_profilefunc)
                pt_thread_tracing_set_profile(thread, function);
            pt_hook_trace_start(thread);
        }
        note_unless_ours(thread);
    }
    newest_seen = pt_thread_ids_newest();
}

int pt_hook_start(bool c_calls)
{
    Py_tracefunc function = c_calls ? on_event : on_event_without_c;
    newest_seen = 0;
    forget_entered();
    /* Asks the audit hooks. */
    if (pt_thread_start_wrap() < 0 || _PyEval_SetProfile(PyThreadState_Get(), function, NULL) < 0)
        return -1;
    hook_new_threads(function);
    return 0;
}

void pt_hook_note_open(const PyFrameObject *frame)
{
    note_enter(frame);
}

void pt_hook_reach_code(PyObject *code)
{
    (void)code; /* the hook is the thread's, whatever it runs */
}

void pt_hook_reach_new_thread(void)
{
    if (pt_session->state == PT_SESSION_RECORDING)
        hook_new_threads(pt_session->c_calls ? on_event : on_event_without_c);
}

void pt_hook_scan(void)
{
    note_unseen();
    pt_hook_reach_new_thread();
}

/* --- The end of a thread ----------------------------------------------------------------------------------------- */

#define WATCH_NAME "pytrace.hook"

/* A thread state drops its dict just before its profile function. Capsules of an earlier recording, and those that a
 * fork left behind, are not of this session. */
static void on_thread_end(PyObject *capsule)
{
    const PyThreadState *thread = PyCapsule_GetPointer(capsule, WATCH_NAME);
    if ((uintptr_t)PyCapsule_GetContext(capsule) != pt_session->serial)
        return;
    note_unless_ours(thread);
    note_unseen();
}

void pt_hook_watch_thread(void)
{
    PyObject *dict = PyThreadState_GetDict();
    PyObject *capsule = dict ? PyCapsule_New(PyThreadState_Get(), WATCH_NAME, on_thread_end) : NULL;
    /* Its destructor, which asks for the context, may run as soon as another one takes its place. */
    if (!capsule || PyCapsule_SetContext(capsule, (void *)(uintptr_t)pt_session->serial) < 0 ||
        PyDict_SetItemString(dict, WATCH_NAME, capsule) < 0)
        PyErr_Clear();
    Py_XDECREF(capsule);
}

void pt_hook_choose(PyObject *code, unsigned chosen)
{
    (void)code, (void)chosen; /* asked at each event */
}

void pt_hook_stop(void)
{
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    pt_thread_start_unwrap();
    note_unseen();
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Main());
    for (; thread; thread = PyThreadState_Next(thread)) {
        if (thread->id <= newest_seen)
            note_unless_ours(thread);
        if (is_ours(thread))
            pt_thread_tracing_set_profile(thread, NULL);
        pt_hook_trace_stop(thread);
    }
    forget_entered();
    PyErr_Restore(type, error, traceback);
}

#endif
