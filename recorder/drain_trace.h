/* The trace file as the drain writes it: created, locked while it is written, kept below its limit, ended. */
#ifndef PT_DRAIN_TRACE_H
#define PT_DRAIN_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "meta.h"
#include "status.h"
#include "writer.h"

struct pt_drain_trace {
    int descriptor; /* holds the lock that tells readers that the file grows */
    const char *path;
    struct pt_writer writer;
    struct pt_buffer scratch;
    uint64_t max_size;       /* 0: none */
    bool full;               /* a block would not fit below the limit: no chunk and no name is written any more */
    int trouble;             /* errno of the last write that failed, 0 once one has gone well again */
    uint64_t entities;       /* PROCESS and THREAD blocks so far: each may be followed by one that tells its end */
    uint64_t events;         /* in all chunks */
    uint64_t refused_events; /* in chunks that did not fit */
};

/* Creates the file; `force` replaces a regular file that nobody is writing to. PT_IO: EEXIST, EBUSY (it is being written by another recording) or
 * whatever the system says. Borrows `path`. */
PT_MUST_USE enum pt_status pt_drain_trace_create(struct pt_drain_trace *trace, const char *path, bool force,
                                                 uint64_t max_size, struct pt_error *error);

/* Writes a block. One that does not fit below the limit is left out, counted, and no error. PT_IO: nothing was written, try again later. */
PT_MUST_USE enum pt_status pt_drain_trace_write(struct pt_drain_trace *trace, enum pt_block_type type,
                                                const uint8_t *payload, uint32_t size);

PT_MUST_USE enum pt_status pt_drain_trace_header(struct pt_drain_trace *trace, const struct pt_header *header);
PT_MUST_USE enum pt_status pt_drain_trace_clock(struct pt_drain_trace *trace, const struct pt_clock *clock);
PT_MUST_USE enum pt_status pt_drain_trace_end(struct pt_drain_trace *trace, struct pt_end *end);

/* Room below the limit for chunks and names, in bytes; UINT64_MAX if there is no limit. */
uint64_t pt_drain_trace_room(const struct pt_drain_trace *trace);

void pt_drain_trace_close(struct pt_drain_trace *trace);
void pt_drain_trace_remove(struct pt_drain_trace *trace); /* the file too: nothing was recorded */

#endif
