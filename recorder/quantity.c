#include "quantity.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>

struct unit {
    const char *name;
    double factor;
};

static const struct unit size_units[] = {
    {"", 1.0},
    {"B", 1.0},
    {"K", 1024.0},
    {"KB", 1024.0},
    {"KIB", 1024.0},
    {"M", 1048576.0},
    {"MB", 1048576.0},
    {"MIB", 1048576.0},
    {"G", 1073741824.0},
    {"GB", 1073741824.0},
    {"GIB", 1073741824.0},
    {"T", 1099511627776.0},
    {"TB", 1099511627776.0},
    {"TIB", 1099511627776.0},
    {NULL, 0.0},
};

static const struct unit time_units[] = {
    {"", 1e9}, {"S", 1e9}, {"MS", 1e6}, {"US", 1e3}, {"NS", 1.0}, {"M", 60e9}, {"MIN", 60e9}, {NULL, 0.0},
};

/* A number and a unit, in any case, with or without a space between. NaN if it is neither. */
static double parse_text(const char *text, const struct unit *units)
{
    if (!isdigit((unsigned char)*text) && *text != '.')
        return NAN;
    char *end;
    double number = PyOS_string_to_double(text, &end, NULL);
    if (PyErr_Occurred()) {
        PyErr_Clear();
        return NAN;
    }
    while (*end == ' ')
        end++;
    for (const struct unit *unit = units; unit->name; unit++)
        if (PyOS_stricmp(unit->name, end) == 0)
            return number * unit->factor;
    return NAN;
}

/* Sets the exception and returns NaN where the value is no number with one of `units`. */
static double parse_quantity(PyObject *value, const char *option, const struct unit *units, const char *example)
{
    double result = NAN;
    if (PyUnicode_Check(value)) {
        const char *text = PyUnicode_AsUTF8(value);
        result = text ? parse_text(text, units) : NAN;
        if (isnan(result) && !PyErr_Occurred())
            PyErr_Format(PyExc_ValueError, "%s: %R is not understood; write something like %s", option, value, example);
    } else if (!PyBool_Check(value) && (PyLong_Check(value) || PyFloat_Check(value))) {
        result = PyFloat_AsDouble(value) * units[0].factor;
        if (isnan(result) && !PyErr_Occurred())
            PyErr_Format(PyExc_ValueError, "%s: %R is not a number", option, value);
    } else {
        PyErr_Format(PyExc_TypeError, "%s must be a number or a str, not %s", option, Py_TYPE(value)->tp_name);
    }
    return PyErr_Occurred() ? NAN : result;
}

double pt_quantity_size(PyObject *value, const char *option)
{
    return parse_quantity(value, option, size_units, "\"1M\"");
}

double pt_quantity_ns(PyObject *value, const char *option)
{
    return parse_quantity(value, option, time_units, "\"1s\" or \"200ms\"");
}
