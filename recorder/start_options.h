/* The keywords of `pytrace.start`, checked and turned into settings. */
#ifndef PT_START_OPTIONS_H
#define PT_START_OPTIONS_H

#include <Python.h>

#include <limits.h>
#include <stdbool.h>

#include "settings.h"

struct pt_start_options {
    struct pt_settings
        settings; /* texts point into this struct, or belong to the keywords; those about the host (host_facts.h) are still empty */
    bool argv; /* the command line may be told */
    char output[PATH_MAX];
    char ring_dir[PATH_MAX];
};

/* `keywords` is a dict; "path" must be in it. Returns 0, or -1 with TypeError, ValueError or OSError set, whose text
 * names the option. */
int pt_start_options_parse(struct pt_start_options *options, PyObject *keywords);

/* A dict of keywords from the arguments of start() and recording(), the path being the only one that may come without
 * its name. Returns a new reference, or NULL with TypeError set. `function` is its name for the message. */
PyObject *pt_start_options_collect(const char *function, PyObject *arguments, PyObject *keywords);

#endif
