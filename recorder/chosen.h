/* What of the inside of functions is recorded: the lines and the instructions of those that patterns choose, and whether
 * exceptions are. By default nothing. Needs the GIL. */
#ifndef PT_CHOSEN_H
#define PT_CHOSEN_H

#include <Python.h>

#include <stdbool.h>

#include "names.h"

enum { PT_CHOSEN_LINES = 1, PT_CHOSEN_OPCODES = 2 };

/* Makes sure that `pattern` is a regular expression. Returns 0, or -1 with ValueError set, whose text names the option. */
int pt_chosen_check(const char *option, const char *pattern);

/* From now on this counts; patterns may be NULL or empty for none. Returns 0, or -1 with ValueError or MemoryError set:
 * then nothing is chosen. */
int pt_chosen_set(const char *lines, const char *opcodes, bool exceptions);

/* PT_CHOSEN_… of a Python function: a pattern is looked for in `module:qualname`, the qualified name alone, and the file. */
unsigned pt_chosen_of(const struct pt_name *name);

bool pt_chosen_exceptions(void);

/* Anything at all. */
bool pt_chosen_any(void);

#endif
