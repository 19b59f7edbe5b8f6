/* A file that appears whole or not at all: it is written under a temporary name beside its own. */
#ifndef PT_OUTPUT_FILE_H
#define PT_OUTPUT_FILE_H

#include <stdbool.h>

#include "status.h"

/* What is no regular file (a device, a pipe) is written as it is: there is nothing to protect. */
struct pt_output_file {
    int fd;
    char *path;
    char *temporary; /* NULL for what is written as it is */
    bool replace;
};

/* PT_MISUSE: it exists, and `replace` is not set. PT_IO, PT_NOMEM. On failure nothing is left to close. */
PT_MUST_USE enum pt_status pt_output_file_open(struct pt_output_file *file, const char *path, bool replace,
                                               struct pt_error *error);

/* Closes the file and, if `keep`, gives it its name; else it is removed. PT_IO: the disk is full, …; PT_MISUSE: somebody else has meanwhile
 * made a file of that name. */
PT_MUST_USE enum pt_status pt_output_file_close(struct pt_output_file *file, bool keep, struct pt_error *error);

#endif
