/* The text of a source file, if it is to be had: read as it lies there now, long after the recording perhaps. Untrusted,
 * as is the path, which comes from a trace: nothing but a regular file of a sane size is read, and lines are to be escaped
 * by whoever prints them. */
#ifndef PT_SOURCE_H
#define PT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "status.h"
#include "trace.h"

#define PT_SOURCE_SIZE_MAX (16u << 20)

/* Zeroed is a source without lines. Release with pt_source_release. */
struct pt_source {
    struct pt_buffer text;
    struct pt_buffer starts; /* size_t: where each line begins, and the end */
    size_t line_count;
    int64_t modified_ns; /* of the file, since 1970 */
};

/* Reads a file. PT_NOMEM; PT_IO: there is none, or none that is read here. */
PT_MUST_USE enum pt_status pt_source_read(struct pt_source *source, const char *path);
void pt_source_release(struct pt_source *source);

/* Line `number`, from 1 on, without its end; an empty one beyond the last. */
const char *pt_source_line(const struct pt_source *source, uint32_t number, size_t *size);

/* Whether this may be the text of `function`, of which lines up to `last` were run: there are as many lines, and its name
 * stands in one of them. */
bool pt_source_fits(const struct pt_source *source, const struct pt_function *function, uint32_t last);

#endif
