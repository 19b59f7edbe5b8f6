#include "block.h"

#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#include "bytes.h"

uint32_t pt_block_crc(const uint8_t *bytes, size_t count)
{
    return (uint32_t)crc32_z(0, bytes, count);
}

/* A fuzzer hits no checksum by chance: builds for it let all of them pass, and come to what lies behind. */
static bool checksum_holds(uint32_t stored, const uint8_t *bytes, size_t count)
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    (void)stored, (void)bytes, (void)count;
    return true;
#else
    return stored == pt_block_crc(bytes, count);
#endif
}

void pt_block_encode(uint8_t *at, uint32_t type, uint32_t flags, uint64_t sequence, const uint8_t *payload,
                     uint32_t length)
{
    memcpy(at, PT_BLOCK_MAGIC, PT_BLOCK_MAGIC_BYTES);
    pt_bytes_store16(at + PT_BLOCK_OFF_TYPE, (uint16_t)type);
    pt_bytes_store16(at + PT_BLOCK_OFF_FLAGS, (uint16_t)flags);
    pt_bytes_store32(at + PT_BLOCK_OFF_LENGTH, length);
    pt_bytes_store64(at + PT_BLOCK_OFF_SEQUENCE, sequence);
    pt_bytes_store32(at + PT_BLOCK_OFF_PAYLOAD_CRC, pt_block_crc(payload, length));
    pt_bytes_store32(at + PT_BLOCK_OFF_HEADER_CRC, pt_block_crc(at, PT_BLOCK_OFF_HEADER_CRC));
}

enum pt_status pt_block_decode_header(const uint8_t *at, size_t available, struct pt_block *block)
{
    size_t magic = available < PT_BLOCK_MAGIC_BYTES ? available : PT_BLOCK_MAGIC_BYTES;
    if (memcmp(at, PT_BLOCK_MAGIC, magic) != 0)
        return PT_CORRUPT;
    if (available < PT_BLOCK_HEADER_SIZE)
        return PT_TRUNCATED;
    if (!checksum_holds(pt_bytes_load32(at + PT_BLOCK_OFF_HEADER_CRC), at, PT_BLOCK_OFF_HEADER_CRC))
        return PT_CORRUPT;
    block->type = pt_bytes_load16(at + PT_BLOCK_OFF_TYPE);
    block->flags = pt_bytes_load16(at + PT_BLOCK_OFF_FLAGS);
    block->length = pt_bytes_load32(at + PT_BLOCK_OFF_LENGTH);
    block->sequence = pt_bytes_load64(at + PT_BLOCK_OFF_SEQUENCE);
    block->payload_crc = pt_bytes_load32(at + PT_BLOCK_OFF_PAYLOAD_CRC);
    if (block->flags & ~PT_BLOCK_FLAG_OPTIONAL || block->length > PT_BLOCK_PAYLOAD_MAX)
        return PT_CORRUPT;
    return PT_OK;
}

enum pt_status pt_block_decode(const uint8_t *at, size_t available, struct pt_block *block)
{
    PT_TRY(pt_block_decode_header(at, available, block));
    if (block->length > available - PT_BLOCK_HEADER_SIZE)
        return PT_TRUNCATED;
    if (!checksum_holds(block->payload_crc, at + PT_BLOCK_HEADER_SIZE, block->length))
        return PT_CORRUPT;
    return PT_OK;
}

/* Why this is linear. A payload that passes its checksum is stepped over: all such payloads together are at most
 * `count` bytes. One that fails may be overlapped by the next candidate's, 32 bytes on, so that a hostile file could
 * have every byte checked two million times. In a file that was merely damaged, headers whose own checksum is right do
 * not lie inside each other's payloads (but for the few whose payload was cut short), so its failures sum up to about
 * `count` at most. The credit allows four times that; a candidate that exceeds what is left of it is passed over like
 * any other bytes. */
void pt_block_search_init(struct pt_block_search *search, const uint8_t *bytes, size_t count)
{
    *search = (struct pt_block_search){.bytes = bytes, .count = count, .credit = 4 * (uint64_t)count};
}

size_t pt_block_search_next(struct pt_block_search *search, size_t from, struct pt_block *block)
{
    while (from < search->count) {
        const uint8_t *at = memmem(search->bytes + from, search->count - from, PT_BLOCK_MAGIC, PT_BLOCK_MAGIC_BYTES);
        if (!at)
            break;
        size_t offset = (size_t)(at - search->bytes);
        size_t available = search->count - offset;
        if (pt_block_decode_header(at, available, block) == PT_OK &&
            block->length <= available - PT_BLOCK_HEADER_SIZE && block->length <= search->credit) {
            if (checksum_holds(block->payload_crc, at + PT_BLOCK_HEADER_SIZE, block->length))
                return offset;
            search->credit -= block->length;
        }
        from = offset + 1;
    }
    return search->count;
}
