/* Writing a trace file: blocks with sequence numbers, an index, an end. */
#ifndef PT_WRITER_H
#define PT_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "layout.h"
#include "meta.h"
#include "status.h"

struct pt_writer {
    int descriptor; /* borrowed */
    uint64_t offset;
    uint64_t sequence;
    struct pt_buffer
        index; /* entries of the INDEX block so far; given up (empty, `index_full`) when it would not fit in a block */
    bool index_full;
};

/* `descriptor` is open for writing at an empty file; it is borrowed. */
void pt_writer_init(struct pt_writer *writer, int descriptor);
void pt_writer_release(struct pt_writer *writer);

/* Appends one block in a single write where the system lets it. After PT_IO the file is cut back to the blocks before
 * (so that it stays valid) and the writer can be used again. */
PT_MUST_USE enum pt_status pt_writer_block(struct pt_writer *writer, enum pt_block_type type, const uint8_t *payload,
                                           uint32_t size, struct pt_error *error);

/* Writes INDEX and END; `end->index` and `end->blocks` are filled in here. */
PT_MUST_USE enum pt_status pt_writer_end(struct pt_writer *writer, struct pt_end *end, struct pt_error *error);

/* What INDEX and END will need at most, in bytes: for a recorder that must stay below a limit. */
uint64_t pt_writer_end_size(const struct pt_writer *writer);

#endif
