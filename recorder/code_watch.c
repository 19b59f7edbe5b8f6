#include "code_watch.h"

#include "functions.h"

#if PY_VERSION_HEX >= 0x030C0000

static int watcher = -1;

static int on_event(PyCodeEvent event, PyCodeObject *code)
{
    if (event == PY_CODE_EVENT_DESTROY)
        pt_functions_forget(code);
    return 0;
}

void pt_code_watch_start(void)
{
    if (watcher < 0)
        watcher = PyCode_AddWatcher(on_event);
    if (watcher < 0)
        PyErr_Clear(); /* all eight are taken */
}

/* Without a GIL the watcher stays for ever: while it is cleared, a thread whose code dies might already have found it
 * there, and would call nothing. */
void pt_code_watch_stop(void)
{
#ifndef Py_GIL_DISABLED
    if (watcher >= 0 && PyCode_ClearWatcher(watcher) < 0)
        PyErr_Clear();
    watcher = -1;
#endif
}

bool pt_code_watch_add(PyCodeObject *code)
{
    (void)code; /* a watcher sees all */
    return watcher >= 0;
}

#else

/* A slot in the extra data of code objects, for ever: an interpreter never takes one back. What is stored there is the
 * address of the code object itself, as the free function is not told whose extra it frees. It is called with NULL
 * where nothing was stored. */
static Py_ssize_t extra_index = -1;

static void on_free(void *extra)
{
    if (extra)
        pt_functions_forget(extra);
}

void pt_code_watch_start(void)
{
    if (extra_index < 0)
        extra_index = _PyEval_RequestCodeExtraIndex(on_free);
}

void pt_code_watch_stop(void)
{
}

/* As the interpreter has it, up to 3.11. */
struct extra {
    Py_ssize_t size;
    void *values[];
};

/* Where nobody had stored anything before, the interpreter makes room for all that might, and would later call their
 * free functions for this code, too; not all of these expect that, or live as long. */
bool pt_code_watch_add(PyCodeObject *code)
{
    const bool first = code->co_extra == NULL;
    if (extra_index < 0)
        return false;
    if (_PyCode_SetExtra((PyObject *)code, extra_index, code) < 0) {
        PyErr_Clear();
        return false;
    }
    if (first)
        ((struct extra *)code->co_extra)->size = extra_index + 1;
    return true;
}

#endif
