/* From the pointer that stands for a function to its id. For threads that are attached to the interpreter.
 *
 * A pointer is reused once its object is gone: code objects are struck off when they die (code_watch.h), C functions
 * whose PyMethodDef may die with them are kept alive by a reference until the recording ends. */
#ifndef PT_FUNCTIONS_H
#define PT_FUNCTIONS_H

#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

#include "function_name.h"

/* The id of the function with this key: described and published at first sight. `function` is the code object, or the
 * PyCFunction or method descriptor; `globals` those of the code's frame. PT_ID_UNKNOWN for what cannot have an id, or
 * not now: do not remember it. */
uint32_t pt_functions_id(const void *key, PyObject *function, PyObject *globals);

/* The id of a raise site. PT_ID_UNKNOWN as above. */
uint32_t pt_functions_raise_site(const struct pt_raise_site *site);

/* PT_CHOSEN_… (chosen.h) of a code object that has an id. */
unsigned pt_functions_chosen(const void *code);

/* Calls `visit` for each code object of which anything is chosen. */
void pt_functions_visit_chosen(void (*visit)(const void *code));

/* The same if it is known, else PT_ID_UNKNOWN. */
uint32_t pt_functions_find(const void *key);

/* The object behind `key` is gone. At any time, from any thread. Runs no Python code. */
void pt_functions_forget(const void *key);

/* Forgets all and drops the references, which may run Python code. */
void pt_functions_clear(void);

/* Forgets all without touching memory management, for the child of a fork; references that were held stay. */
void pt_functions_forget_all(void);

/* Around a fork, in both processes. */
void pt_functions_lock(void);
void pt_functions_unlock(void);

#endif
