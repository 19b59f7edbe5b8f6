#include "start_options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "chosen.h"
#include "layout.h"
#include "quantity.h"

#define LEVEL_MAX             22
#define FLUSH_INTERVAL_MIN_NS 1000000.0       /* 1 ms */
#define FLUSH_INTERVAL_MAX_NS 3600000000000.0 /* an hour */
#define MAX_SIZE_MIN          (UINT64_C(64) << 10)

/* --- Kinds of options -------------------------------------------------------------------------------------------- */

static int parse_flag(PyObject *value, const char *option, bool *result)
{
    if (!PyBool_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be True or False, not %s", option, Py_TYPE(value)->tp_name);
        return -1;
    }
    *result = value == Py_True;
    return 0;
}

static int parse_whole(PyObject *value, const char *option, long least, long greatest, long *result)
{
    if (!PyLong_Check(value) || PyBool_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be an int, not %s", option, Py_TYPE(value)->tp_name);
        return -1;
    }
    int overflow;
    long number = PyLong_AsLongAndOverflow(value, &overflow);
    if (overflow || number < least || number > greatest) {
        PyErr_Format(PyExc_ValueError, "%s must be from %ld to %ld, not %S", option, least, greatest, value);
        return -1;
    }
    *result = number;
    return 0;
}

static int parse_ring_size(PyObject *value, uint64_t *result)
{
    double size = pt_quantity_size(value, "ring_size");
    if (isnan(size))
        return -1;
    if (size < PT_ARENA_RING_MIN || size > PT_ARENA_RING_MAX) {
        PyErr_Format(PyExc_ValueError, "ring_size must be from 16K to 1G, not %S", value);
        return -1;
    }
    for (*result = PT_ARENA_RING_MIN; (double)*result < size;)
        *result *= 2;
    return 0;
}

static int parse_max_size(PyObject *value, uint64_t *result)
{
    *result = 0;
    if (value == Py_None)
        return 0;
    double size = pt_quantity_size(value, "max_size");
    if (isnan(size))
        return -1;
    if (size < (double)MAX_SIZE_MIN || size >= 9.2e18) {
        PyErr_Format(PyExc_ValueError, "max_size must be at least 64K, not %S", value);
        return -1;
    }
    *result = (uint64_t)size;
    return 0;
}

static int parse_flush_interval(PyObject *value, uint64_t *result)
{
    double ns = pt_quantity_ns(value, "flush_interval");
    if (isnan(ns))
        return -1;
    if (ns < FLUSH_INTERVAL_MIN_NS || ns > FLUSH_INTERVAL_MAX_NS) {
        PyErr_Format(PyExc_ValueError, "flush_interval must be from 1ms to 60min, not %S", value);
        return -1;
    }
    *result = (uint64_t)ns;
    return 0;
}

/* Borrowed from `value`. */
static int parse_pattern(PyObject *value, const char *option, const char **result)
{
    Py_ssize_t size;
    *result = NULL;
    if (value == Py_None)
        return 0;
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be a str or None, not %s", option, Py_TYPE(value)->tp_name);
        return -1;
    }
    const char *text = PyUnicode_AsUTF8AndSize(value, &size);
    if (!text || strlen(text) != (size_t)size) {
        PyErr_Format(PyExc_ValueError, "%s holds characters that no name has: %A", option, value);
        return -1;
    }
    *result = text;
    return pt_chosen_check(option, text);
}

static int parse_policy(PyObject *value, bool *drop)
{
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "policy must be a str, not %s", Py_TYPE(value)->tp_name);
        return -1;
    }
    *drop = PyUnicode_CompareWithASCIIString(value, "drop") == 0;
    if (!*drop && PyUnicode_CompareWithASCIIString(value, "block") != 0) {
        PyErr_Format(PyExc_ValueError, "policy must be \"block\" or \"drop\", not %R", value);
        return -1;
    }
    return 0;
}

static int parse_clock(PyObject *value, enum pt_clock_choice *result)
{
    static const struct {
        const char *name;
        enum pt_clock_choice choice;
    } clocks[] = {
        {"tsc", PT_CLOCK_CHOICE_COUNTER},
        {"monotonic", PT_CLOCK_CHOICE_MONOTONIC},
        {"cpu", PT_CLOCK_CHOICE_CPU},
    };
    *result = PT_CLOCK_CHOICE_BEST;
    if (value == Py_None)
        return 0;
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "clock must be a str or None, not %s", Py_TYPE(value)->tp_name);
        return -1;
    }
    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        if (PyUnicode_CompareWithASCIIString(value, clocks[i].name) == 0) {
            *result = clocks[i].choice;
            return 0;
        }
    }
    PyErr_Format(PyExc_ValueError, "clock must be \"tsc\", \"monotonic\" or \"cpu\", not %R", value);
    return -1;
}

/* --- Paths ------------------------------------------------------------------------------------------------------- */

/* Appends `size` bytes to a path of `*used` bytes. False if it gets too long. */
static bool append(char *path, size_t *used, const char *text, size_t size)
{
    if (*used + size >= PATH_MAX)
        return false;
    memcpy(path + *used, text, size);
    *used += size;
    path[*used] = '\0';
    return true;
}

/* %p is the process id, %t the time, %% a percent sign; anything else stands for itself. */
static bool append_expanded(char *path, size_t *used, const char *pattern)
{
    for (const char *at = pattern; *at; at++) {
        char text[32];
        if (*at != '%' || (at[1] != 'p' && at[1] != 't' && at[1] != '%')) {
            if (!append(path, used, at, 1))
                return false;
            continue;
        }
        time_t now = time(NULL);
        struct tm local;
        at++;
        if (*at == 'p')
            snprintf(text, sizeof text, "%ld", (long)getpid());
        else if (*at == '%' || !localtime_r(&now, &local) || strftime(text, sizeof text, "%Y%m%d-%H%M%S", &local) == 0)
            strcpy(text, "%");
        if (!append(path, used, text, strlen(text)))
            return false;
    }
    return true;
}

/* An absolute path in `result`: the drain process lives in another directory. */
static int parse_path(PyObject *value, const char *option, bool expand, char result[PATH_MAX])
{
    PyObject *bytes = NULL;
    if (!PyUnicode_FSConverter(value, &bytes)) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "%s must be a path, not %s", option, Py_TYPE(value)->tp_name);
        return -1;
    }
    const char *text = PyBytes_AS_STRING(bytes);
    size_t used = 0;
    int error = 0;
    result[0] = '\0';
    if (text[0] == '\0') {
        error = ENOENT;
    } else if (text[0] != '/') {
        if (!getcwd(result, PATH_MAX))
            error = errno;
        used = strlen(result);
        if (!error && !append(result, &used, "/", 1))
            error = ENAMETOOLONG;
    }
    if (!error && !(expand ? append_expanded(result, &used, text) : append(result, &used, text, strlen(text))))
        error = ENAMETOOLONG;
    Py_DECREF(bytes);
    if (error) {
        errno = error;
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, value);
        return -1;
    }
    return 0;
}

/* --- All of them ------------------------------------------------------------------------------------------------- */

static int parse_option(struct pt_start_options *options, const char *name, PyObject *value)
{
    struct pt_settings *settings = &options->settings;
    long number = 0;
    int result;
    if (strcmp(name, "path") == 0) {
        settings->output = options->output;
        return parse_path(value, "path", true, options->output);
    }
    if (strcmp(name, "c_calls") == 0)
        return parse_flag(value, name, &settings->c_calls);
    if (strcmp(name, "lines") == 0)
        return parse_pattern(value, name, &settings->lines);
    if (strcmp(name, "opcodes") == 0)
        return parse_pattern(value, name, &settings->opcodes);
    if (strcmp(name, "exceptions") == 0)
        return parse_flag(value, name, &settings->exceptions);
    if (strcmp(name, "argv") == 0)
        return parse_flag(value, name, &options->argv);
    if (strcmp(name, "children") == 0)
        return parse_flag(value, name, &settings->children);
    if (strcmp(name, "force") == 0)
        return parse_flag(value, name, &settings->force);
    if (strcmp(name, "policy") == 0)
        return parse_policy(value, &settings->drop);
    if (strcmp(name, "clock") == 0)
        return parse_clock(value, &settings->clock);
    if (strcmp(name, "ring_size") == 0)
        return parse_ring_size(value, &settings->ring_size);
    if (strcmp(name, "max_size") == 0)
        return parse_max_size(value, &settings->max_size);
    if (strcmp(name, "flush_interval") == 0)
        return parse_flush_interval(value, &settings->flush_interval_ns);
    if (strcmp(name, "max_threads") == 0) {
        result = parse_whole(value, name, 1, PT_ARENA_SLOTS_MAX, &number);
        settings->max_threads = (uint32_t)number;
        return result;
    }
    if (strcmp(name, "level") == 0) {
        result = parse_whole(value, name, 1, LEVEL_MAX, &number);
        settings->level = (int)number;
        return result;
    }
    if (strcmp(name, "ring_dir") == 0) {
        settings->ring_dir = value == Py_None ? NULL : options->ring_dir;
        return value == Py_None ? 0 : parse_path(value, name, false, options->ring_dir);
    }
    PyErr_Format(PyExc_TypeError, "there is no option '%s'", name);
    return -1;
}

int pt_start_options_parse(struct pt_start_options *options, PyObject *keywords)
{
    memset(options, 0, sizeof *options);
    options->argv = true;
    options->settings = (struct pt_settings){
        .c_calls = true,
        .children = true,
        .ring_size = PT_SETTINGS_RING_SIZE,
        .max_threads = PT_SETTINGS_MAX_THREADS,
        .flush_interval_ns = PT_SETTINGS_FLUSH_INTERVAL_NS,
        .level = PT_SETTINGS_LEVEL,
    };
    Py_ssize_t position = 0;
    PyObject *key, *value;
    while (PyDict_Next(keywords, &position, &key, &value)) {
        const char *name = PyUnicode_AsUTF8(key);
        if (!name || parse_option(options, name, value) < 0)
            return -1;
    }
    if (!options->settings.output) {
        PyErr_SetString(PyExc_TypeError, "path is missing");
        return -1;
    }
    return 0;
}

PyObject *pt_start_options_collect(const char *function, PyObject *arguments, PyObject *keywords)
{
    if (PyTuple_GET_SIZE(arguments) > 1) {
        PyErr_Format(PyExc_TypeError, "%s() takes the path, and options by their names; %zd values were given",
                     function, PyTuple_GET_SIZE(arguments));
        return NULL;
    }
    PyObject *result = keywords ? PyDict_Copy(keywords) : PyDict_New();
    if (!result || PyTuple_GET_SIZE(arguments) == 0)
        return result;
    if (keywords && PyDict_GetItemString(keywords, "path")) {
        PyErr_Format(PyExc_TypeError, "%s() got the path twice", function);
        Py_DECREF(result);
        return NULL;
    }
    if (PyDict_SetItemString(result, "path", PyTuple_GET_ITEM(arguments, 0)) < 0)
        Py_CLEAR(result);
    return result;
}
