/* Block headers (SPEC.md 2.1): the 32 bytes that make every block findable and checkable by itself. */
#ifndef PT_BLOCK_H
#define PT_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "layout.h"
#include "status.h"

struct pt_block {
    uint32_t type; /* enum pt_block_type, or one that this build does not know */
    uint32_t flags;
    uint32_t length; /* payload bytes */
    uint64_t sequence;
    uint32_t payload_crc;
};

uint32_t pt_block_crc(const uint8_t *bytes, size_t count);

/* Writes the header of a block whose payload is `payload` to `at` (PT_BLOCK_HEADER_SIZE bytes). */
void pt_block_encode(uint8_t *at, uint32_t type, uint32_t flags, uint64_t sequence, const uint8_t *payload,
                     uint32_t length);

/* Reads the header at `at`, of which `available` bytes are there, payload included. PT_TRUNCATED if header or payload
 * end too soon, PT_CORRUPT if magic, checksums, flags or length are wrong. The payload is checked too, and follows the
 * header. */
PT_MUST_USE enum pt_status pt_block_decode(const uint8_t *at, size_t available, struct pt_block *block);

/* The same for the header alone: PT_OK says nothing about the payload, not even that it is there. */
PT_MUST_USE enum pt_status pt_block_decode_header(const uint8_t *at, size_t available, struct pt_block *block);

/* A search for valid blocks in `count` bytes. `credit` is how many bytes of payload may still be checked in vain: it
 * keeps the whole search linear, however many headers promise payloads that are not theirs. */
struct pt_block_search {
    const uint8_t *bytes;
    size_t count;
    uint64_t credit;
};

void pt_block_search_init(struct pt_block_search *search, const uint8_t *bytes, size_t count);

/* Finds the next valid block at `from` or behind it and fills `block`; returns its offset, or `count` if there is none.
 */
size_t pt_block_search_next(struct pt_block_search *search, size_t from, struct pt_block *block);

#endif
