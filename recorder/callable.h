/* A callable object whose call is a C function, and nothing else: the shortest way from the interpreter to C. 3.12 and
 * later. Needs the GIL. */
#ifndef PT_CALLABLE_H
#define PT_CALLABLE_H

#include <Python.h>

/* A new reference; NULL with an exception set. Their type is made once, in the main interpreter, and never freed. */
PyObject *pt_callable_new(vectorcallfunc function);

#endif
