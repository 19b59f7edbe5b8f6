#include "gzip.h"

#define WINDOW_GZIP (MAX_WBITS + 16) /* zlib's way to ask for gzip's header */

enum pt_status pt_gzip_open(struct pt_gzip *gzip, struct pt_screen *screen)
{
    gzip->screen = screen;
    return deflateInit2(&gzip->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_GZIP, MAX_MEM_LEVEL,
                        Z_DEFAULT_STRATEGY) == Z_OK
               ? PT_OK
               : PT_NOMEM;
}

/* All that was put in comes out, as far as `flush` says. */
static void run(struct pt_gzip *gzip, int flush)
{
    uint8_t out[16 * 1024];
    do {
        gzip->stream.next_out = out;
        gzip->stream.avail_out = sizeof out;
        deflate(&gzip->stream, flush);
        pt_screen_bytes(gzip->screen, out, sizeof out - gzip->stream.avail_out);
    } while (gzip->stream.avail_out == 0);
}

void pt_gzip_write(struct pt_gzip *gzip, const void *bytes, size_t size)
{
    gzip->stream.next_in = (Bytef *)(uintptr_t)bytes;
    gzip->stream.avail_in = (uInt)size;
    run(gzip, Z_NO_FLUSH);
}

void pt_gzip_finish(struct pt_gzip *gzip)
{
    run(gzip, Z_FINISH);
}

void pt_gzip_release(struct pt_gzip *gzip)
{
    if (gzip->screen)
        deflateEnd(&gzip->stream);
    *gzip = (struct pt_gzip){0};
}
