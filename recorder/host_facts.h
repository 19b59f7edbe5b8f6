/* What a trace's header tells of the process that is recorded. */
#ifndef PT_HOST_FACTS_H
#define PT_HOST_FACTS_H

#include <Python.h>

#include <stdbool.h>

#include "settings.h"

struct pt_host_facts {
    PyObject *texts;   /* bytes objects that the settings point into */
    const char **argv; /* argc of them */
    char python[32];
};

/* Fills the host's part of `settings`, with the command line only if `argv`. Returns 0, or -1 with MemoryError set.
 * Release it in both cases, once the settings are no longer used. */
int pt_host_facts_init(struct pt_host_facts *facts, struct pt_settings *settings, bool argv);
void pt_host_facts_release(struct pt_host_facts *facts);

/* What the interpreter that is starting was told to run, as the header's `program` has it: UTF-8, zero padded. Of a path that
 * is too long, the end. While site runs, when sys.argv is not there yet. Leaves no exception. */
void pt_host_facts_program(char *out, size_t size);

/* Locked memory (mlockall) is filled at once, sparse or not: then a sensible number of rings, else `wanted`. */
uint32_t pt_host_facts_max_threads(uint32_t wanted);

#endif
