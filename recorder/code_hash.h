/* What a function does, as a number: the same for the same code wherever it stands (SPEC.md 4.3, hash). */
#ifndef PT_CODE_HASH_H
#define PT_CODE_HASH_H

#include <Python.h>

#include <stdint.h>

/* Covers instructions, names, arguments, flags and constants; neither file nor lines. Equal only within one version of
 * Python. Runs no Python code; never 0. */
uint64_t pt_code_hash(PyCodeObject *code);

#endif
