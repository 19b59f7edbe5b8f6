#include "host_facts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "first_frame.h"
#include "hook.h"

#define LOCKED_MAX_THREADS 16u

/* The text of `object` in UTF-8, lone surrogates escaped; "" for what is no text. Kept by `facts`. NULL without memory.
 */
static const char *keep_text(struct pt_host_facts *facts, PyObject *object)
{
    if (!object || !PyUnicode_Check(object))
        return "";
    PyObject *bytes = PyUnicode_AsEncodedString(object, "utf-8", "backslashreplace");
    const char *text = bytes && PyList_Append(facts->texts, bytes) == 0 ? PyBytes_AS_STRING(bytes) : NULL;
    Py_XDECREF(bytes);
    return text;
}

static PyObject *list_item(PyObject *list, Py_ssize_t index)
{
    return list && PyList_Check(list) && index < PyList_GET_SIZE(list) ? PyList_GET_ITEM(list, index) : NULL;
}

/* What comes after "-m" on the interpreter's own command line, while sys.argv[0] is not the module's file yet. */
static PyObject *module_argument(PyObject *orig_argv)
{
    for (Py_ssize_t i = 0; list_item(orig_argv, i); i++)
        if (PyUnicode_Check(list_item(orig_argv, i)) &&
            PyUnicode_CompareWithASCIIString(list_item(orig_argv, i), "-m") == 0)
            return list_item(orig_argv, i + 1);
    return NULL;
}

int pt_host_facts_init(struct pt_host_facts *facts, struct pt_settings *settings, bool argv)
{
    memset(facts, 0, sizeof *facts);
    if ((facts->texts = PyList_New(0)) == NULL)
        return -1;

    PyObject *sys_argv = PySys_GetObject("argv");
    PyObject *orig_argv = PySys_GetObject("orig_argv"); /* from 3.10 on */
    PyObject *program = list_item(sys_argv, 0);
    if (program && PyUnicode_Check(program) && PyUnicode_CompareWithASCIIString(program, "-m") == 0)
        program = module_argument(orig_argv);

    const char *version = Py_GetVersion();
    size_t length = strcspn(version, " ");
    memcpy(facts->python, version, length < sizeof facts->python ? length : sizeof facts->python - 1);

    settings->pid = (uint64_t)getpid();
    settings->python = facts->python;
    settings->hook = pt_hook_name;
    if ((settings->program = keep_text(facts, program)) == NULL)
        return -1;
    if (!argv)
        return 0;

    PyObject *command = orig_argv && PyList_Check(orig_argv) ? orig_argv : sys_argv;
    size_t count = command && PyList_Check(command) ? (size_t)PyList_GET_SIZE(command) : 0;
    if ((facts->argv = calloc(count + 1, sizeof *facts->argv)) == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < count; i++)
        if ((facts->argv[i] = keep_text(facts, PyList_GET_ITEM(command, (Py_ssize_t)i))) == NULL)
            return -1;
    settings->argv = facts->argv;
    settings->argc = count;
    settings->executable = keep_text(facts, PySys_GetObject("executable"));
    return settings->executable ? 0 : -1;
}

/* The end of a text that is too long, from a whole path component on if there is one, behind an ellipsis. */
static void put_end(char *out, size_t size, const char *text, size_t length)
{
    static const char ellipsis[] = "…";
    const size_t mark = sizeof ellipsis - 1;
    const char *end = text + length;
    const char *from = end - (size - mark);
    const char *slash = memchr(from, '/', (size_t)(end - from));
    if (slash)
        from = slash;
    while (from < end && ((unsigned char)*from & 0xC0) == 0x80)
        from++; /* the rest of a character that was cut in two */
    memcpy(out, ellipsis, mark);
    memcpy(out + mark, from, (size_t)(end - from));
}

void pt_host_facts_program(char *out, size_t size)
{
    const PyConfig *config = pt_first_frame_config();
    const wchar_t *program = config->run_module        ? config->run_module
                             : config->argv.length > 0 ? config->argv.items[0]
                                                       : L"";
    PyObject *text = PyUnicode_FromWideChar(program, -1);
    PyObject *bytes = text ? PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace") : NULL;
    memset(out, 0, size);
    if (bytes) {
        const size_t length = (size_t)PyBytes_GET_SIZE(bytes);
        if (length > size)
            put_end(out, size, PyBytes_AS_STRING(bytes), length);
        else
            memcpy(out, PyBytes_AS_STRING(bytes), length);
    }
    Py_XDECREF(text);
    Py_XDECREF(bytes);
    PyErr_Clear();
}

void pt_host_facts_release(struct pt_host_facts *facts)
{
    Py_CLEAR(facts->texts);
    free(facts->argv);
    facts->argv = NULL;
}

/* VmLck of /proc/self/status, by plain system calls: a FILE would allocate its buffer in locked memory. */
static bool memory_is_locked(void)
{
    char status[4096];
    int descriptor = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t size = descriptor >= 0 ? read(descriptor, status, sizeof status - 1) : -1;
    if (descriptor >= 0)
        close(descriptor);
    if (size <= 0)
        return false;
    status[size] = '\0';
    const char *line = strstr(status, "VmLck:");
    return line && strtoul(line + strlen("VmLck:"), NULL, 10) > 0;
}

uint32_t pt_host_facts_max_threads(uint32_t wanted)
{
    return wanted > LOCKED_MAX_THREADS && memory_is_locked() ? LOCKED_MAX_THREADS : wanted;
}
