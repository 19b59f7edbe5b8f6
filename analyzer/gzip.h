/* Bytes on their way to a screen, compressed as gzip does. */
#ifndef PT_GZIP_H
#define PT_GZIP_H

#include <stddef.h>
#include <zlib.h>

#include "screen.h"
#include "status.h"

/* Zeroed, then pt_gzip_open. Release in any case. */
struct pt_gzip {
    struct pt_screen *screen;
    z_stream stream;
};

/* PT_NOMEM. */
PT_MUST_USE enum pt_status pt_gzip_open(struct pt_gzip *gzip, struct pt_screen *screen);

/* At most 4 GiB in one go. Whether it could be written, the screen knows. */
void pt_gzip_write(struct pt_gzip *gzip, const void *bytes, size_t size);
/* Writes what is still held back. */
void pt_gzip_finish(struct pt_gzip *gzip);
void pt_gzip_release(struct pt_gzip *gzip);

#endif
