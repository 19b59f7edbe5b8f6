/* Any bytes as a chunk payload. With an even first byte the rest is taken as it is; with an odd one, the rest is a fixed header and the bytes
 * behind it are compressed first, so that mutations reach past zstd. */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "bytes.h"
#include "chunk.h"
#include "fuzz.h"

static void walk(struct pt_chunk *chunk)
{
    struct pt_stack stack = {0};
    struct pt_chunk_cursor cursor;
    struct pt_chunk_entry entry;
    struct pt_chunk_lost lost;
    uint32_t entries = 0;
    pt_chunk_cursor_init(&cursor, chunk);
    while (pt_chunk_cursor_next(&cursor, &entry)) {
        entries++;
        if (entry.kind == PT_KIND_CONTROL && entry.id == PT_CONTROL_LOST &&
            pt_chunk_lost_decode(&lost, entry.arguments, entry.argument_bytes) != PT_OK)
            break;
        if (pt_chunk_entry_apply(&entry, &stack) != PT_OK)
            break;
    }
    if (entries > chunk->info.entries)
        abort();
    pt_stack_release(&stack);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pt_chunk chunk; /* kept: decoding into a used one must be as safe as into a new one */
    if (size < 1)
        return 0;
    if (!(data[0] & 1)) {
        if (pt_chunk_decode(&chunk, data + 1, size - 1) == PT_OK)
            walk(&chunk);
        return 0;
    }
    data++, size--;
    if (size < PT_CHUNK_FIXED_SIZE)
        return 0;
    size_t raw = size - PT_CHUNK_FIXED_SIZE;
    size_t bound = ZSTD_compressBound(raw);
    uint8_t *payload = malloc(PT_CHUNK_FIXED_SIZE + bound);
    if (!payload)
        return 0;
    memcpy(payload, data, PT_CHUNK_FIXED_SIZE);
    pt_bytes_store32(payload + PT_CHUNK_OFF_RAW_BYTES, (uint32_t)raw);
    size_t packed = ZSTD_compress(payload + PT_CHUNK_FIXED_SIZE, bound, data + PT_CHUNK_FIXED_SIZE, raw, 1);
    if (pt_chunk_decode(&chunk, payload, PT_CHUNK_FIXED_SIZE + packed) == PT_OK)
        walk(&chunk);
    free(payload);
    return 0;
}
