#include "code_hash.h"

#include <string.h>

#include "digest.h"

#define NESTING_MAX 64 /* of tuples in constants: deeper ones count by their type */

static void add_constant(struct pt_digest *digest, PyObject *value, int nesting);

/* The characters as they lie in memory: no encoding to fail, and the width is part of the text's identity. */
static void add_text(struct pt_digest *digest, PyObject *text)
{
    pt_digest_add_bytes(digest, PyUnicode_DATA(text), (size_t)PyUnicode_GET_LENGTH(text) * PyUnicode_KIND(text));
}

static void add_float(struct pt_digest *digest, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    pt_digest_add(digest, bits);
}

static void add_int(struct pt_digest *digest, PyObject *value)
{
    int overflow;
    long long small = PyLong_AsLongLongAndOverflow(value, &overflow);
    pt_digest_add(digest, (uint64_t)small);
    pt_digest_add(digest, (uint64_t)overflow);
    if (overflow)
        pt_digest_add(digest, (uint64_t)PyObject_Hash(value)); /* that of numbers is not randomised */
}

static void add_tuple(struct pt_digest *digest, PyObject *tuple, int nesting)
{
    pt_digest_add(digest, (uint64_t)PyTuple_GET_SIZE(tuple));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++)
        add_constant(digest, PyTuple_GET_ITEM(tuple, i), nesting + 1);
}

/* The order of a set of texts differs from run to run, so the members are summed. */
static void add_frozenset(struct pt_digest *digest, PyObject *set, int nesting)
{
    uint64_t sum = 0;
    PyObject *iterator = PyObject_GetIter(set);
    PyObject *member;
    while (iterator && (member = PyIter_Next(iterator)) != NULL) {
        struct pt_digest one = {1};
        add_constant(&one, member, nesting + 1);
        sum += one.value;
        Py_DECREF(member);
    }
    Py_XDECREF(iterator);
    pt_digest_add(digest, sum);
}

static void add_nested_code(struct pt_digest *digest, PyCodeObject *code)
{
#if PY_VERSION_HEX >= 0x030B0000
    add_text(digest, code->co_qualname);
#else
    add_text(digest, code->co_name);
#endif
}

static void add_constant(struct pt_digest *digest, PyObject *value, int nesting)
{
    const char *type = Py_TYPE(value)->tp_name;
    pt_digest_add_bytes(digest, type, strlen(type));
    if (PyUnicode_CheckExact(value))
        add_text(digest, value);
    else if (PyLong_CheckExact(value) || PyBool_Check(value))
        add_int(digest, value);
    else if (PyBytes_CheckExact(value))
        pt_digest_add_bytes(digest, PyBytes_AS_STRING(value), (size_t)PyBytes_GET_SIZE(value));
    else if (PyFloat_CheckExact(value))
        add_float(digest, PyFloat_AS_DOUBLE(value));
    else if (PyComplex_CheckExact(value)) {
        add_float(digest, PyComplex_RealAsDouble(value));
        add_float(digest, PyComplex_ImagAsDouble(value));
    } else if (PyTuple_CheckExact(value) && nesting < NESTING_MAX)
        add_tuple(digest, value, nesting);
    else if (PyFrozenSet_CheckExact(value) && nesting < NESTING_MAX)
        add_frozenset(digest, value, nesting);
    else if (PyCode_Check(value))
        add_nested_code(digest, (PyCodeObject *)value);
    /* None, Ellipsis and whatever code.replace() was given: by type alone */
}

static void add_instructions(struct pt_digest *digest, PyCodeObject *code)
{
#if PY_VERSION_HEX >= 0x030B0000
    PyObject *bytes = PyCode_GetCode(code); /* without specialisation and instrumentation */
    if (bytes)
        pt_digest_add_bytes(digest, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    Py_XDECREF(bytes);
#else
    pt_digest_add_bytes(digest, PyBytes_AS_STRING(code->co_code), (size_t)PyBytes_GET_SIZE(code->co_code));
#endif
}

uint64_t pt_code_hash(PyCodeObject *code)
{
    struct pt_digest digest = {0};
    add_instructions(&digest, code);
    add_constant(&digest, code->co_names, 0);
#if PY_VERSION_HEX >= 0x030B0000
    add_constant(&digest, code->co_localsplusnames, 0);
#else
    add_constant(&digest, code->co_varnames, 0);
    add_constant(&digest, code->co_cellvars, 0);
    add_constant(&digest, code->co_freevars, 0);
#endif
    pt_digest_add(&digest, (uint64_t)code->co_argcount);
    pt_digest_add(&digest, (uint64_t)code->co_posonlyargcount);
    pt_digest_add(&digest, (uint64_t)code->co_kwonlyargcount);
    pt_digest_add(&digest, (uint64_t)code->co_flags);
    add_constant(&digest, code->co_consts, 0);
    PyErr_Clear();
    return digest.value ? digest.value : 1;
}
