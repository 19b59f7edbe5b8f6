/* An independent witness: a log of what the interpreter tells its own profile function (from 3.12 on) or trace function
 * (before), to be compared with what the recorder wrote of the same run. Not a line of it is shared with the recorder.
 *
 *     judge_log.start(directory)      in all threads, and in those that begin later
 *     judge_log.stop()
 *
 * From 3.12 on sys.setprofile's slot is free beside the recorder, and tells of C functions too. Before, the recorder is
 * in that slot; sys.settrace's is free, and tells of Python functions alone.
 *
 * Each thread has a file PID.TID.N in the directory: a header, then an u32 an event: kind, and number of the function.
 * All threads and forked children append the meaning of the numbers to the file `functions`. Both are written as it
 * happens, so that the log of a process which is killed is as good as any other, and no descriptor stays open, so that
 * the program notices nothing. compare.py reads them. */
#include <Python.h>
#include <frameobject.h>

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "callable.h"

#define PROFILES (PY_VERSION_HEX >= 0x030C0000)

#if PY_VERSION_HEX < 0x030C0000
#define PyUnstable_Code_GetExtra              _PyCode_GetExtra
#define PyUnstable_Code_SetExtra              _PyCode_SetExtra
#define PyUnstable_Eval_RequestCodeExtraIndex _PyEval_RequestCodeExtraIndex
#endif

/* Kinds of events, and what may be added to one. */
enum { CALL, RETURN, UNWIND, C_CALL, C_RETURN, C_RAISE };
#define UNPAIRED 8u /* a leave of what was never entered */

#define NUMBER_SHIFT 4
#define FILE_SIZE    (UINT64_C(1) << 31) /* sparse; half a billion events */

struct header {
    uint64_t events;
    uint32_t ended; /* the thread has ended */
    uint32_t cut;   /* what follows is not in the log: one of the reasons below */
    uint64_t unpaired;
    uint32_t words[];
};

/* Somebody else took the slot; or the interpreter gave it up, at a thread's end, and something still ran after that. */
enum { CUT_BY_OTHERS = 1, CUT_AT_END };

/* What is open on a thread's stack: frames, and C functions with the lowest bit set. */
struct thread_log {
    struct header *header;
    uintptr_t *stack;
    size_t depth, capacity;
};

static struct {
    char directory[PATH_MAX];
    bool active;
    _Atomic uint32_t *next_number; /* shared with forked children */
    _Atomic uint32_t files;
    Py_ssize_t code_extra;
    pthread_key_t thread_end;
} judge = {.code_extra = -1};

static _Thread_local struct thread_log *own;

static _Noreturn void give_up(const char *what)
{
    perror(what);
    _exit(99);
}

/* --- Functions --------------------------------------------------------------------------------------------------- */

static void append_function(uint32_t number, char kind, PyObject *fields)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/functions", judge.directory);
    PyObject *text = PyUnicode_FromFormat("%u\x1f%c\x1f%U\x1e", number, kind, fields);
    PyObject *bytes = text ? PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace") : NULL;
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (!bytes || file < 0 || write(file, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes)) < 0)
        give_up(path);
    close(file);
    Py_DECREF(bytes);
    Py_DECREF(text);
}

/* A code object bears its number itself, so that one which takes the place of another in memory gets a new one. */
static uint32_t number_of_code(PyCodeObject *code)
{
    void *extra = NULL;
    PyUnstable_Code_GetExtra((PyObject *)code, judge.code_extra, &extra);
    if (extra)
        return (uint32_t)(uintptr_t)extra;
    uint32_t number = atomic_fetch_add(judge.next_number, 1);
    PyUnstable_Code_SetExtra((PyObject *)code, judge.code_extra, (void *)(uintptr_t)number);
#if PY_VERSION_HEX >= 0x030B0000
    PyObject *name = code->co_qualname;
#else
    PyObject *name = code->co_name;
#endif
    PyObject *fields = PyUnicode_FromFormat("%U\x1f%d\x1f%U", code->co_filename, code->co_firstlineno, name);
    const int generators = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR;
    append_function(number, code->co_flags & generators ? 'g' : 'p', fields);
    Py_DECREF(fields);
    return number;
}

static struct {
    struct c_function {
        const PyMethodDef *method;
        const char *name; /* tells whether another one has taken its place in memory */
        uint32_t number;
    } entries[1 << 16];
    pthread_mutex_t mutex;
} c_functions = {.mutex = PTHREAD_MUTEX_INITIALIZER};

#if PROFILES
static uint32_t number_of_c(PyObject *function)
{
    const PyMethodDef *method = ((PyCFunctionObject *)function)->m_ml;
    const size_t mask = sizeof c_functions.entries / sizeof *c_functions.entries - 1;
    size_t index = ((uintptr_t)method * UINT64_C(0x9E3779B97F4A7C15)) >> 40 & mask;
    pthread_mutex_lock(&c_functions.mutex);
    while (c_functions.entries[index].method && c_functions.entries[index].method != method)
        index = (index + 1) & mask;
    struct c_function *entry = &c_functions.entries[index];
    if (!entry->method || entry->name != method->ml_name) {
        *entry = (struct c_function){method, method->ml_name, atomic_fetch_add(judge.next_number, 1)};
        PyObject *self = PyCFunction_GET_SELF(function);
        PyObject *fields =
            PyUnicode_FromFormat("%s\x1f%d\x1f%s", self ? Py_TYPE(self)->tp_name : "", 0, method->ml_name);
        append_function(entry->number, 'c', fields);
        Py_DECREF(fields);
    }
    uint32_t number = entry->number;
    pthread_mutex_unlock(&c_functions.mutex);
    return number;
}
#endif

/* --- Threads ----------------------------------------------------------------------------------------------------- */

static struct thread_log *open_log(void)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%ld.%ld.%u", judge.directory, (long)getpid(), (long)syscall(SYS_gettid),
             atomic_fetch_add(&judge.files, 1));
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, (off_t)FILE_SIZE) < 0)
        give_up(path);
    void *address = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
    struct thread_log *log = calloc(1, sizeof *log);
    if (address == MAP_FAILED || !log)
        give_up(path);
    close(file);
    log->header = address;
    pthread_setspecific(judge.thread_end, log);
    return own = log;
}

static void free_log(struct thread_log *log)
{
    munmap(log->header, FILE_SIZE);
    free(log->stack);
    free(log);
}

static void on_thread_end(void *log)
{
    ((struct thread_log *)log)->header->ended = 1;
    free_log(log);
}

static void before_fork(void)
{
    pthread_mutex_lock(&c_functions.mutex);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&c_functions.mutex);
}

/* The child is alone, and has a log of its own from its first event on. */
static void after_fork_in_child(void)
{
    after_fork();
    if (own)
        free_log(own);
    own = NULL;
    pthread_setspecific(judge.thread_end, NULL);
}

/* --- Events ------------------------------------------------------------------------------------------------------ */

static void append(struct thread_log *log, uint32_t kind, uint32_t number)
{
    struct header *header = log->header;
    if (header->cut)
        return;
    if (sizeof *header + (header->events + 1) * sizeof *header->words > FILE_SIZE)
        give_up("the log is full");
    header->words[header->events] = kind | number << NUMBER_SHIFT;
    header->unpaired += (kind & UNPAIRED) != 0;
    header->events++;
}

static void push(struct thread_log *log, uintptr_t entry)
{
    if (log->depth == log->capacity) {
        log->capacity = log->capacity ? log->capacity * 2 : 1024;
        log->stack = realloc(log->stack, log->capacity * sizeof *log->stack);
        if (!log->stack)
            give_up("realloc");
    }
    log->stack[log->depth++] = entry;
}

/* A frame object belongs to one activation. It was entered if it is the innermost one on the stack, or if it was open
 * when the log began. */
static uint32_t leave_frame(struct thread_log *log, const PyFrameObject *frame)
{
    size_t depth = log->depth;
    while (depth > 0 && log->stack[depth - 1] & 1)
        depth--;
    if (depth > 0 && log->stack[depth - 1] != (uintptr_t)frame)
        return UNPAIRED;
    log->depth = depth > 0 ? depth - 1 : 0;
    return 0;
}

static int on_event(PyObject *unused, PyFrameObject *frame, int what, PyObject *argument)
{
    (void)unused;
    struct thread_log *log = own;
    if (what == PyTrace_CALL || what == PyTrace_RETURN) {
        if (!log)
            log = open_log();
        PyCodeObject *code = PyFrame_GetCode(frame);
        uint32_t number = number_of_code(code);
        Py_DECREF(code);
        if (what == PyTrace_CALL) {
            append(log, CALL, number);
            push(log, (uintptr_t)frame);
        } else {
            append(log, (argument ? RETURN : UNWIND) | leave_frame(log, frame), number);
        }
    }
#if PROFILES
    if ((what == PyTrace_C_CALL || what == PyTrace_C_RETURN || what == PyTrace_C_EXCEPTION) &&
        PyCFunction_Check(argument)) {
        if (!log)
            log = open_log();
        uint32_t number = number_of_c(argument);
        uintptr_t entry = (uintptr_t)((PyCFunctionObject *)argument)->m_ml | 1;
        if (what == PyTrace_C_CALL) {
            append(log, C_CALL, number);
            push(log, entry);
        } else {
            bool paired = log->depth > 0 && log->stack[log->depth - 1] == entry;
            log->depth -= paired;
            append(log, (what == PyTrace_C_RETURN ? C_RETURN : C_RAISE) | (paired ? 0 : UNPAIRED), number);
        }
    }
#endif
    return 0;
}

/* --- In every thread --------------------------------------------------------------------------------------------- */

#if PROFILES

static int tool; /* the recorder may have any other */

/* A thread that is logged has a dict until its end, which drops it before the profile function. */
static uint32_t reason_for_cut(const PyThreadState *thread)
{
    return thread->c_profilefunc || thread->dict ? CUT_BY_OTHERS : CUT_AT_END;
}

/* Called at the entry of every Python function. That of a thread's first one is past the profile function already. */
static PyObject *attach(PyObject *self, PyObject *const *arguments, size_t flags, PyObject *keywords)
{
    (void)self, (void)arguments, (void)flags, (void)keywords;
    const PyThreadState *thread = PyThreadState_Get();
    if (!judge.active || thread->c_profilefunc == on_event)
        Py_RETURN_NONE;
    if (own) {
        if (!own->header->cut)
            own->header->cut = reason_for_cut(thread);
    } else {
        PyThreadState_GetDict();
        PyEval_SetProfile(on_event, NULL);
        on_event(NULL, PyEval_GetFrame(), PyTrace_CALL, NULL);
    }
    Py_RETURN_NONE;
}

static int set_tool_events(PyObject *monitoring, bool on)
{
    static const char *const names[] = {"PY_START", "PY_RESUME", "PY_THROW"};
    PyObject *events = PyObject_GetAttrString(monitoring, "events");
    /* No built-in function: calling one raises RecursionError where the program is about to, and then the recorder, whose
     * turn is later, would be told nothing. */
    PyObject *callback = on ? pt_callable_new(attach) : Py_NewRef(Py_None);
    long bits = 0;
    for (size_t i = 0; events && callback && i < sizeof names / sizeof *names; i++) {
        PyObject *bit = PyObject_GetAttrString(events, names[i]);
        PyObject *before =
            bit ? PyObject_CallMethod(monitoring, "register_callback", "iOO", tool, bit, callback) : NULL;
        bits |= bit ? PyLong_AsLong(bit) : 0;
        Py_XDECREF(before);
        Py_XDECREF(bit);
    }
    Py_XDECREF(PyErr_Occurred() ? NULL : PyObject_CallMethod(monitoring, "set_events", "il", tool, on ? bits : 0));
    Py_XDECREF(callback);
    Py_XDECREF(events);
    return PyErr_Occurred() ? -1 : 0;
}

static int attach_everywhere(void)
{
    PyObject *monitoring = PySys_GetObject("monitoring");
    PyObject *result = NULL;
    for (tool = 0; monitoring && !result && tool < 6; tool += !result) {
        PyErr_Clear();
        result = PyObject_CallMethod(monitoring, "use_tool_id", "is", tool, "judge");
    }
    Py_XDECREF(result);
    if (!result || set_tool_events(monitoring, true) < 0)
        return -1;
    PyEval_SetProfileAllThreads(on_event, NULL);
    return PyErr_Occurred() ? -1 : 0;
}

static int detach_everywhere(void)
{
    PyObject *monitoring = PySys_GetObject("monitoring");
    PyEval_SetProfileAllThreads(NULL, NULL);
    if (!monitoring || set_tool_events(monitoring, false) < 0)
        return -1;
    PyObject *result = PyObject_CallMethod(monitoring, "free_tool_id", "i", tool);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

#else

/* threading calls this as the trace function of a new thread, at the entry of its first function. */
static PyObject *attach(PyObject *self, PyObject *arguments)
{
    (void)self;
    PyFrameObject *frame;
    PyObject *event, *argument;
    if (!PyArg_ParseTuple(arguments, "O!UO", &PyFrame_Type, &frame, &event, &argument))
        return NULL;
    if (judge.active) {
        on_event(NULL, frame, PyTrace_CALL, NULL);
        PyEval_SetTrace(on_event, NULL);
    }
    Py_RETURN_NONE;
}

static PyMethodDef attach_method = {"attach", attach, METH_VARARGS, NULL};

static int settrace_in_threading(PyObject *function)
{
    PyObject *threading = PyImport_ImportModule("threading");
    PyObject *result = threading && function ? PyObject_CallMethod(threading, "settrace", "O", function) : NULL;
    Py_XDECREF(threading);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static int attach_everywhere(void)
{
    PyObject *callback = PyCFunction_New(&attach_method, NULL);
    int result = settrace_in_threading(callback);
    Py_XDECREF(callback);
    PyEval_SetTrace(on_event, NULL);
    return result;
}

static int detach_everywhere(void)
{
    if (own && PyThreadState_Get()->c_tracefunc != on_event)
        own->header->cut = CUT_BY_OTHERS;
    PyEval_SetTrace(NULL, NULL);
    return settrace_in_threading(Py_None);
}

#endif

/* --- The module -------------------------------------------------------------------------------------------------- */

static PyObject *start(PyObject *module, PyObject *directory)
{
    (void)module;
    const char *text = PyUnicode_AsUTF8(directory);
    if (!text)
        return NULL;
    snprintf(judge.directory, sizeof judge.directory, "%s", text);
    if (judge.code_extra < 0) {
        judge.code_extra = PyUnstable_Eval_RequestCodeExtraIndex(NULL);
        judge.next_number = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (judge.code_extra < 0 || judge.next_number == MAP_FAILED ||
            pthread_key_create(&judge.thread_end, on_thread_end) != 0 ||
            pthread_atfork(before_fork, after_fork, after_fork_in_child) != 0)
            give_up("start");
        atomic_store(judge.next_number, 1);
    }
    judge.active = true;
    if (attach_everywhere() < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *stop(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    judge.active = false;
    if (detach_everywhere() < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"start", start, METH_O, "start(directory): log into this directory"},
    {"stop", stop, METH_NOARGS, "stop(): end all logs"},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "judge_log", .m_methods = methods, .m_slots = slots};

PyMODINIT_FUNC PyInit_judge_log(void);

PyMODINIT_FUNC PyInit_judge_log(void)
{
    return PyModuleDef_Init(&definition);
}
