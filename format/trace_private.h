/* What an open trace holds besides what it shows, and the steps of opening one, in order. Internal to trace_*.c and
 * check_*.c. */
#ifndef PT_TRACE_PRIVATE_H
#define PT_TRACE_PRIVATE_H

#include "block.h"
#include "memory.h"
#include "table.h"
#include "trace.h"

#define PT_TRACE_DAMAGES_MAX 1000
#define PT_TRACE_WINDOW      ((size_t)64 << 10) /* what the kernel maps at a fault, at most (fault_around_bytes) */
#define PT_TRACE_STRIDE      ((size_t)4 << 20)  /* of the file that may be resident while it is walked through */

struct pt_trace_block {
    uint64_t offset;
    struct pt_block block;
    struct pt_chunk_info *unchecked; /* of a chunk whose payload was not looked at: what its header says; else NULL */
};

struct pt_trace_private {
    int descriptor;
    const uint8_t *bytes; /* the file, mapped; NULL if it is empty */
    size_t size;
    struct pt_memory memory;

    struct pt_trace_block *blocks; /* the valid ones, up to the END */
    size_t block_count;
    size_t recovered_count; /* blocks out of the arena; serial numbers may go as far as there are blocks */

    uint32_t *next_ids; /* by process serial − 1: one more than the greatest id of its own, 0 if it defines none */
    size_t next_id_count;
    struct pt_table strings; /* by content: each text once */
    struct pt_table names;   /* by content: numbers of functions */
    struct pt_table ids;     /* by process and id: number of the function + 1 */

    uint64_t damages;    /* all of them, also those that were not kept */
    uint64_t torn_bytes; /* of a last block that is being written, or whose events the arena has: no damage */
    uint64_t repeated_chunks;
    uint64_t untold_lost; /* events that the arena counts as lost, but no chunk does */
    uint64_t made_up_threads;
    uint64_t start_tick;
    uint64_t end_tick;
};

/* Notes bytes (or chunks) that are no good. Never fails: what does not fit is counted. */
void pt_trace_damage_add(struct pt_trace *trace, uint64_t offset, uint64_t length, enum pt_status status,
                         const char *format, ...) __attribute__((format(printf, 5, 6)));

const char *pt_trace_block_name(uint32_t type);

/* 1. Maps the file. PT_IO, PT_TRUNCATED (empty). */
PT_MUST_USE enum pt_status pt_trace_map(struct pt_trace *trace, struct pt_error *error);

/* Gives the memory of the file's bytes from `from` to `to` back; they are read again should they be asked for. A reader
 * that walks through the file calls the second one with the place where it is. */
void pt_trace_unload(const struct pt_trace *trace, size_t from, size_t to);
void pt_trace_unload_behind(const struct pt_trace *trace, size_t at, size_t *unloaded);

/* 2. Finds the blocks by END and INDEX, if both are there and right; the payloads of chunks are not
 * looked at. PT_END: the blocks are to be searched for. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_trace_find_blocks(struct pt_trace *trace);

/* Or searches for them, and notes what lies between them and which are missing. PT_CORRUPT, PT_TRUNCATED (no block at
 * all), PT_NOMEM. */
PT_MUST_USE enum pt_status pt_trace_scan(struct pt_trace *trace, struct pt_error *error);

/* 3. Decodes all of them. PT_UNSUPPORTED, PT_NOMEM. */
PT_MUST_USE enum pt_status pt_trace_take_all(struct pt_trace *trace, struct pt_error *error);

/* Decodes one, out of the file or (`offset` is PT_ERROR_NO_OFFSET) out of the arena. `payload` is borrowed for good.
 * `unchecked`, which may be NULL, is as in struct pt_trace_block. A block that breaks the rules becomes damage. PT_UNSUPPORTED, PT_NOMEM. */
PT_MUST_USE enum pt_status pt_trace_take(struct pt_trace *trace, uint64_t offset, const struct pt_block *block,
                                         const uint8_t *payload, const struct pt_chunk_info *unchecked,
                                         struct pt_error *error);

/* 4. Brings each thread's chunks in order, drops those that are there twice, marks gaps; gives threads that only chunks
 * tell of a record. May be called again after more chunks. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_trace_order(struct pt_trace *trace);

/* 5. Is the drain still at work on the file? Is the file of another size than when it was mapped? Can the drain be
 * expected to finish soon, because all that it records is dead? */
bool pt_trace_locked(const struct pt_trace *trace);
bool pt_trace_grown(const struct pt_trace *trace);
bool pt_trace_ending(const struct pt_trace *trace);

/* 6. Notes gaps as damage and sums up. Once. */
void pt_trace_settle(struct pt_trace *trace);

/* Fixes start and end tick, once all else is known. */
void pt_trace_find_ends(struct pt_trace *trace);

/* Functions: sets up number 0, and takes a NAMES payload. */
PT_MUST_USE enum pt_status pt_trace_functions_init(struct pt_trace *trace);
PT_MUST_USE enum pt_status pt_trace_functions_add(struct pt_trace *trace, const uint8_t *payload, size_t size);
void pt_trace_functions_release(struct pt_trace *trace);

/* Whether the serial number of a process or thread can be true in a file of so many blocks. */
bool pt_trace_serial_fits(const struct pt_trace *trace, uint64_t serial);

#endif
