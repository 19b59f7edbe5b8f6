/* Sizes and times as people write them: "64K", "2G", "200ms", or plain numbers. */
#ifndef PT_QUANTITY_H
#define PT_QUANTITY_H

#include <Python.h>

/* Bytes from an int, a float or a text; nanoseconds from seconds as int or float, or a text. NaN with TypeError or
 * ValueError set, whose text names the option. */
double pt_quantity_size(PyObject *value, const char *option);
double pt_quantity_ns(PyObject *value, const char *option);

#endif
