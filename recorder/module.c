#include "module.h"

#include <Python.h>

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "join.h"
#include "run.h"
#include "session.h"
#include "start_options.h"

#define DRAIN_PROGRAM "pytrace-drain"

/* --- Functions --------------------------------------------------------------------------------------------------- */

PyDoc_STRVAR(start_doc,
             "start($module, /, path, *, c_calls=True, lines=None, opcodes=None, exceptions=False, ring_size='1M',\n"
             "      max_threads=256, policy='block', flush_interval='1s', max_size=None, level=1, ring_dir=None,\n"
             "      argv=True, children=True, force=False)\n"
             "--\n"
             "\n"
             "Record every call in this process from here on, in all its threads and its child processes.\n"
             "\n"
             "The trace is written to `path`, in which %p and %t become the process id and the time.\n"
             "\n"
             "  c_calls         record calls of C functions, too\n"
             "  lines           record each line of the functions whose module:qualname or file this regular\n"
             "                  expression (POSIX extended) matches\n"
             "  opcodes         record each instruction of the functions that it matches\n"
             "  exceptions      record where exceptions are raised, and each function that they reach\n"
             "  ring_size       memory for each thread, between its hook and the drain process; rounded up to a\n"
             "                  power of two\n"
             "  max_threads     threads that can be recorded at the same time\n"
             "  policy          what a thread does whose ring is full: 'block' waits for the drain process, at\n"
             "                  most 100 ms in one go; 'drop' loses events, which are counted and shown\n"
             "  flush_interval  what a quiet thread did reaches the file within this time\n"
             "  max_size        the recording ends before the file grows beyond this; the program goes on\n"
             "  level           zstd level of the file\n"
             "  ring_dir        where that memory lies; by default /dev/shm if there is room, else beside the file\n"
             "  argv            note the command line in the file\n"
             "  children        record child processes, forked or executed, into the same file\n"
             "  force           replace an existing file\n"
             "\n"
             "Raises FileExistsError or another OSError, ValueError or TypeError for a wrong option, and\n"
             "RuntimeError if this process is already being recorded or cannot be.");

static PyObject *start(PyObject *module, PyObject *arguments, PyObject *keywords)
{
    (void)module;
    PyObject *options = pt_start_options_collect("start", arguments, keywords);
    int result = options ? pt_session_start(options, false) : -1;
    Py_XDECREF(options);
    if (result < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(stop_doc, "stop($module, /)\n"
                       "--\n"
                       "\n"
                       "End the recording, in this process and its children, and return when the file is complete.\n"
                       "\n"
                       "Raises RuntimeError if nothing is being recorded.");

static PyObject *stop(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    if (pt_session_stop() < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(is_recording_doc, "is_recording($module, /)\n"
                               "--\n"
                               "\n"
                               "Whether this process is being recorded.");

static PyObject *is_recording(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    return PyBool_FromLong(pt_session_is_recording());
}

PyDoc_STRVAR(check_options_doc, "check_options($module, /, path, **options)\n"
                                "--\n"
                                "\n"
                                "Raise what start() would raise for these options, and start nothing.");

static PyObject *check_options(PyObject *module, PyObject *arguments, PyObject *keywords)
{
    (void)module;
    struct pt_start_options checked;
    PyObject *options = pt_start_options_collect("check_options", arguments, keywords);
    int result = options ? pt_start_options_parse(&checked, options) : -1;
    Py_XDECREF(options);
    if (result < 0)
        return NULL;
    Py_RETURN_NONE;
}

#define WITH_KEYWORDS(function) (PyCFunction)(void (*)(void))(function), METH_VARARGS | METH_KEYWORDS

static PyMethodDef module_methods[] = {
    {"start", WITH_KEYWORDS(start), start_doc},
    {"stop", stop, METH_NOARGS, stop_doc},
    {"is_recording", is_recording, METH_NOARGS, is_recording_doc},
    {"check_options", WITH_KEYWORDS(check_options), check_options_doc},
    {"run", WITH_KEYWORDS(pt_run), NULL},
    {"join", pt_join, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

/* --- The context manager ----------------------------------------------------------------------------------------- */

struct recording {
    PyObject base;
    PyObject *options; /* a dict that nobody else sees */
};

static PyObject *recording_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    PyObject *options = pt_start_options_collect("recording", arguments, keywords);
    struct recording *self = options ? (struct recording *)type->tp_alloc(type, 0) : NULL;
    if (!self) {
        Py_XDECREF(options);
        return NULL;
    }
    self->options = options;
    return (PyObject *)self;
}

static int recording_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(((struct recording *)object)->options);
    return 0;
}

static int recording_clear(PyObject *object)
{
    Py_CLEAR(((struct recording *)object)->options);
    return 0;
}

static void recording_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    recording_clear(object);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyObject *recording_enter(PyObject *object, PyObject *unused)
{
    (void)unused;
    if (pt_session_start(((struct recording *)object)->options, false) < 0)
        return NULL;
    Py_INCREF(object);
    return object;
}

/* The block may have stopped the recording itself, or the size limit may have. */
static PyObject *recording_exit(PyObject *object, PyObject *arguments)
{
    (void)object, (void)arguments;
    if (pt_session->state != PT_SESSION_NONE && pt_session_stop() < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef recording_methods[] = {
    {"__enter__", recording_enter, METH_NOARGS, "Start recording."},
    {"__exit__", recording_exit, METH_VARARGS, "Stop recording; the file is complete then."},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(recording_doc, "recording(path, **options)\n"
                            "--\n"
                            "\n"
                            "A recording as a context manager, with the options of start().\n"
                            "\n"
                            "    with pytrace.recording('trace.bin'):\n"
                            "        work()");

static PyType_Slot recording_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t)recording_doc},
    {Py_tp_new, recording_new},
    {Py_tp_dealloc, recording_dealloc},
    {Py_tp_traverse, recording_traverse},
    {Py_tp_clear, recording_clear},
    {Py_tp_methods, recording_methods},
    {0, NULL},
};

static PyType_Spec recording_spec = {
    .name = "pytrace.recording",
    .basicsize = sizeof(struct recording),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = recording_slots,
};

/* --- The module -------------------------------------------------------------------------------------------------- */

static char drain_path[PATH_MAX];

bool pt_module_owns(const void *method)
{
    for (const PyMethodDef *own = module_methods; own->ml_name; own++)
        if (own == method)
            return true;
    for (const PyMethodDef *own = recording_methods; own->ml_name; own++)
        if (own == method)
            return true;
    return false;
}

const char *pt_module_drain_path(void)
{
    return drain_path;
}

/* At import: later the program may have changed its directory, or its root. */
static int find_drain(void)
{
    Dl_info info;
    char path[PATH_MAX];
    if (drain_path[0])
        return 0;
    if (!dladdr(module_methods, &info) || !realpath(info.dli_fname, path)) {
        PyErr_SetString(PyExc_ImportError, "pytrace cannot find the directory that it lies in");
        return -1;
    }
    char *slash = strrchr(path, '/');
    if ((size_t)(slash + 1 - path) + sizeof DRAIN_PROGRAM > sizeof drain_path) {
        PyErr_SetString(PyExc_ImportError, "the path of the directory that pytrace lies in is too long");
        return -1;
    }
    memcpy(slash + 1, DRAIN_PROGRAM, sizeof DRAIN_PROGRAM);
    strcpy(drain_path, path);
    return 0;
}

static int module_exec(PyObject *module)
{
    if (find_drain() < 0 || PyModule_AddStringConstant(module, "__version__", PYTRACE_VERSION) < 0)
        return -1;
    PyObject *type = PyType_FromSpec(&recording_spec);
    if (!type || PyModule_AddObject(module, "recording", type) < 0) {
        Py_XDECREF(type);
        return -1;
    }
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_exec},
#if PY_VERSION_HEX >= 0x030C0000
    /* To be told that a recording is the main interpreter's matter one has to be able to import the module. */
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "pytrace._core",
    .m_doc = "The recorder: hook, rings and the way to the drain process.",
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&module_definition);
}
