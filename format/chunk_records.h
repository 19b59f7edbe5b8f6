/* From the records of a ring to entries in columns (SPEC.md 8.4; internal to the encoder).
 *
 * Records are what the recorded process wrote: each word is read once and checked before it is used. */
#ifndef PT_CHUNK_RECORDS_H
#define PT_CHUNK_RECORDS_H

#include "chunk.h"
#include "chunk_columns.h"

struct pt_chunk_ring {
    const uint64_t *words;
    uint64_t mask;
    uint64_t produced;
};

/* How far in a ring the encoder is; the fields are those of struct pt_chunk_source. */
struct pt_chunk_place {
    uint64_t position;
    uint64_t base_tick;
    uint64_t shift_ticks;
    uint64_t last_tick;
    bool based;
};

/* One chunk in the making. Zeroed once. */
struct pt_chunk_records {
    struct pt_chunk_place now; /* behind the last record taken */
    struct pt_chunk_place
        taken; /* behind the last entry: a rebase after it belongs to the next chunk, so that the tick of
                                    a chunk's last entry tells the upper bits for the records behind it */
    uint64_t first_tick;
    struct pt_buffer control; /* arguments of the control entry at hand */
    struct pt_chunk_columns columns;
};

/* Takes records until the chunk is full or all that is published was taken, and keeps `stack` with them. PT_CORRUPT:
 * the record behind `now` breaks the rules. PT_NOMEM, also for a stack without bounds: the columns are not to be
 * used. */
PT_MUST_USE enum pt_status pt_chunk_records_take(struct pt_chunk_records *records, struct pt_stack *stack,
                                                 const struct pt_chunk_ring *ring);

#endif
