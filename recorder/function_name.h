/* What a function is called, for reports (SPEC.md 4.3): taken from the interpreter's objects without running any Python
 * code. */
#ifndef PT_FUNCTION_NAME_H
#define PT_FUNCTION_NAME_H

#include <Python.h>

#include "names.h"

#define PT_FUNCTION_NAME_TEXT_MAX 512

#define PT_FUNCTION_NAME_HELD 4

/* A name and what its texts are borrowed from. */
struct pt_function_name {
    struct pt_name name;
    PyObject *held[PT_FUNCTION_NAME_HELD];
    char qualname[PT_FUNCTION_NAME_TEXT_MAX];
    char label[PT_FUNCTION_NAME_TEXT_MAX];
};

/* `globals` may be NULL: then the module is not known. Free with _release. */
void pt_function_name_python(struct pt_function_name *result, PyCodeObject *code, PyObject *globals);

/* `function` is a PyCFunction or a method descriptor. The label is the one that cProfile prints, but without an address
 * in it. */
void pt_function_name_c(struct pt_function_name *result, PyObject *function);

/* Where an exception of this type was raised, or has come by (SPEC.md 4.3). */
struct pt_raise_site {
    PyCodeObject *code;
    int line;
    PyTypeObject *type;
};

void pt_function_name_raise_site(struct pt_function_name *result, const struct pt_raise_site *site);

void pt_function_name_release(struct pt_function_name *result);

#endif
