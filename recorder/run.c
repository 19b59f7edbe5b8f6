/* How the program is run.
 *
 * Imitating what python does with a script (sys.path[0], __main__, -m, archives, -i, SystemExit, a KeyboardInterrupt that must end in a
 * signal, statuses of finalisation …) would be right for one version and nearly right for the others. So we let the interpreter do it:
 * its configuration is rewritten to what the program's own command line would have made of it, the frames of `-m pytrace`
 * are taken off the stack, and Py_RunMain is called once more. It never comes back to those frames.
 *
 * Recording starts with the program's first frame (first_frame.h): that is the first to be seen, entered as any other. */

#include <Python.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "first_frame.h"
#include "run.h"
#include "session.h"

/* Exported, but declared by internal headers only. */
#if PY_VERSION_HEX >= 0x030C0100
PyAPI_FUNC(void) _PyInterpreterState_SetNotRunningMain(PyInterpreterState *interp);
#endif

/* A program that embeds the interpreter may be linked without it. Such a one is recorded, too, but not by way of us. */
#pragma weak Py_RunMain

/* For when its first frame has come. One process runs one program. */
static struct {
    PyObject *options; /* keywords of start() */
    bool keep_going;
} program;

/* The line for whoever started the recorder: what is wrong, without the errno in front. */
static void report(const char *prefix)
{
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    PyObject *filename = PyObject_GetAttrString(error, "filename");
    PyObject *strerror = filename ? PyObject_GetAttrString(error, "strerror") : NULL;
    PyErr_Clear();
    if (filename && filename != Py_None && PyErr_GivenExceptionMatches(error, PyExc_FileExistsError))
        PySys_FormatStderr("pytrace: %s%S exists already; --force replaces it\n", prefix, filename);
    else if (filename && filename != Py_None && strerror)
        PySys_FormatStderr("pytrace: %s%S: %S\n", prefix, filename, strerror);
    else
        PySys_FormatStderr("pytrace: %s%S\n", prefix, error);
    Py_XDECREF(filename);
    Py_XDECREF(strerror);
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(traceback);
}

static void start(void)
{
    if (pt_session_start(program.options, true) < 0) {
        report(program.keep_going ? "not recording: " : "");
        if (!program.keep_going)
            Py_Exit(2);
    }
    Py_CLEAR(program.options);
}

/* --- Becoming an interpreter that was started for the program ------------------------------------------------------------- */

/* What start-up puts into sys.modules["__main__"]; Py_RunMain fills in the rest. Returns a borrowed reference to its globals. */
static PyObject *renew_main(void)
{
    PyObject *globals = NULL, *loader = NULL, *annotations = NULL;
    PyObject *bootstrap = PyImport_ImportModule("_frozen_importlib");
    PyObject *builtins = PyImport_ImportModule("builtins");
    PyObject *module = PyModule_New("__main__");
    if (!bootstrap || !builtins || !module)
        goto cleanup;

#if PY_VERSION_HEX < 0x030E0000
    annotations = PyDict_New();
    if (!annotations || PyObject_SetAttrString(module, "__annotations__", annotations) < 0)
        goto cleanup;
#endif
    loader = PyObject_GetAttrString(bootstrap, "BuiltinImporter");
    if (!loader || PyObject_SetAttrString(module, "__builtins__", builtins) < 0 ||
        PyObject_SetAttrString(module, "__loader__", loader) < 0 ||
        PyDict_SetItemString(PyImport_GetModuleDict(), "__main__", module) < 0)
        goto cleanup;
    globals = PyModule_GetDict(module);

cleanup:
    Py_XDECREF(module);
    Py_XDECREF(builtins);
    Py_XDECREF(bootstrap);
    Py_XDECREF(loader);
    Py_XDECREF(annotations);
    return globals;
}

static int set_config_string(PyConfig *config, wchar_t **field, PyObject *text)
{
    wchar_t *wide = text ? PyUnicode_AsWideCharString(text, NULL) : NULL;
    if (text && !wide)
        return -1;
    PyStatus status = PyConfig_SetString(config, field, wide);
    PyMem_Free(wide);
    if (PyStatus_Exception(status)) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

/* The fields that Py_RunMain decides by, as the command line `python program args…` would have set them. */
static int configure(PyConfig *config, const char *kind, PyObject *target, PyObject *argv)
{
    PyObject *script = NULL, *command = NULL, *module = NULL;
    if (strcmp(kind, "module") == 0)
        module = target;
    else if (strcmp(kind, "command") == 0)
        command = target;
    else if (PyUnicode_CompareWithASCIIString(target, "-") != 0)
        script = target;
    if (set_config_string(config, &config->run_filename, script) < 0 ||
        set_config_string(config, &config->run_command, command) < 0 ||
        set_config_string(config, &config->run_module, module) < 0)
        return -1;

    /* Of argv, Py_RunMain only looks at the first: it decides over sys.path[0]. */
    if (set_config_string(config, &config->argv.items[0], PyList_GET_ITEM(argv, 0)) < 0)
        return -1;
    return PySys_SetObject("argv", argv);
}

/* A program that walks its stack (traceback.print_stack, warnings with a stacklevel) finds its own frames only, and may recurse as
 * deep as ever. The frames below stay in memory, held by C calls that are never returned to. */
static void forget_frames(PyThreadState *tstate)
{
#if PY_VERSION_HEX >= 0x030F0000
    tstate->current_frame =
        tstate->base_frame; /* where profilers that look on from outside expect every stack to end */
    tstate->py_recursion_remaining = tstate->py_recursion_limit;
#elif PY_VERSION_HEX >= 0x030D0000
    tstate->current_frame = NULL;
    tstate->py_recursion_remaining = tstate->py_recursion_limit;
#if PY_VERSION_HEX < 0x030E0000 /* later versions measure the C stack itself */
    tstate->c_recursion_remaining = Py_C_RECURSION_LIMIT;
#endif
#elif PY_VERSION_HEX >= 0x030C0000
    tstate->cframe = &tstate->root_cframe;
    tstate->py_recursion_remaining = tstate->py_recursion_limit;
    tstate->c_recursion_remaining = C_RECURSION_LIMIT;
#elif PY_VERSION_HEX >= 0x030B0000
    tstate->cframe = &tstate->root_cframe;
    tstate->recursion_remaining = tstate->recursion_limit;
#else
    tstate->frame = NULL;
    tstate->recursion_depth = 0;
#endif
}

PyObject *pt_run(PyObject *module, PyObject *args, PyObject *kwargs)
{
    (void)module;
    const char *kind;
    PyObject *target, *argv, *orig_argv;
    int keep_going;
    if (!PyArg_ParseTuple(args, "sUO!Op:run", &kind, &target, &PyList_Type, &argv, &orig_argv, &keep_going))
        return NULL;

    PyThreadState *tstate = PyThreadState_Get();
    if (configure(pt_first_frame_config(), kind, target, argv) < 0)
        return NULL;
    if (orig_argv != Py_None && PySys_SetObject("orig_argv", orig_argv) < 0)
        return NULL;
    PyObject *globals = renew_main();
    if (!globals)
        return NULL;
    Py_XINCREF(kwargs);
    program.options = kwargs;
    program.keep_going = keep_going;

    PyGC_Collect(); /* what the modules of `-m pytrace` leave behind is not to be collected in the program's time */
#if PY_VERSION_HEX >= 0x030C0100
    _PyInterpreterState_SetNotRunningMain(tstate->interp); /* Py_RunMain insists on being the only one */
#endif
    forget_frames(tstate);
    pt_first_frame_await(globals, start);
    exit(Py_RunMain());
}
