/* Opening, step 2, the short way: END and INDEX tell where the blocks are. They are believed only if every block stands
 * where they say, header and all; anything else is for the search to make sense of (trace_scan.c). */
#include "bytes.h"
#include "trace_private.h"

#include <stdlib.h>
#include <unistd.h>

/* The block at `offset`, if it is a valid one of `type` that ends at `end`. */
static bool is_block(const struct pt_trace_private *own, uint64_t offset, uint64_t end, enum pt_block_type type,
                     struct pt_block *block)
{
    return offset < end && pt_block_decode(own->bytes + offset, end - offset, block) == PT_OK && block->type == type &&
           offset + PT_BLOCK_HEADER_SIZE + block->length == end;
}

/* The last bytes of the file are the length of the END. */
static bool find_end(const struct pt_trace_private *own, uint64_t *offset, struct pt_block *block)
{
    const uint32_t length = pt_bytes_load32(own->bytes + own->size - PT_END_LENGTH_SIZE);
    if (length > own->size)
        return false;
    *offset = own->size - length;
    return is_block(own, *offset, own->size, PT_BLOCK_END, block);
}

static bool find_index(const struct pt_trace_private *own, uint64_t end_offset, const struct pt_block *end_block,
                       uint64_t *offset, struct pt_block *block)
{
    struct pt_end end = {0};
    if (pt_end_decode(&end, own->bytes + end_offset + PT_BLOCK_HEADER_SIZE, end_block->length) != PT_OK)
        return false;
    *offset = end.index;
    const bool is_there = end.index < end_offset && is_block(own, end.index, end_offset, PT_BLOCK_INDEX, block) &&
                          block->sequence + 1 == end_block->sequence && end.blocks == end_block->sequence &&
                          block->length == block->sequence * PT_INDEX_ENTRY_SIZE;
    pt_end_release(&end);
    return is_there;
}

static bool describes(const uint8_t *entry, const struct pt_chunk_info *info)
{
    return pt_bytes_load32(entry + PT_INDEX_OFF_THREAD) == info->thread &&
           pt_bytes_load64(entry + PT_INDEX_OFF_FIRST_TICK) == info->first_tick &&
           pt_bytes_load64(entry + PT_INDEX_OFF_LAST_TICK) == info->last_tick &&
           pt_bytes_load32(entry + PT_INDEX_OFF_EVENTS) == info->events;
}

/* Reads without mapping what is around: for a few bytes here and there that is much cheaper. */
static bool peek(const struct pt_trace_private *own, uint64_t offset, uint8_t *out, size_t size)
{
    return pread(own->descriptor, out, size, (off_t)offset) == (ssize_t)size;
}

/* A chunk's payload is left for later. */
static bool take_chunk(struct pt_trace_private *own, const uint8_t *entry, const uint8_t *payload,
                       struct pt_trace_block *out)
{
    out->unchecked = pt_memory_take(&own->memory, sizeof *out->unchecked);
    return out->unchecked && pt_chunk_info_decode(out->unchecked, payload, out->block.length) == PT_OK &&
           describes(entry, out->unchecked);
}

/* Block `number` stands where the index says, between `offset` and `limit`, and is what it says. */
static bool take_entry(struct pt_trace_private *own, const uint8_t *entry, uint64_t number, uint64_t offset,
                       uint64_t limit, struct pt_trace_block *out)
{
    struct pt_block *block = &out->block;
    uint8_t head[PT_BLOCK_HEADER_SIZE + PT_CHUNK_FIXED_SIZE];
    *out = (struct pt_trace_block){.offset = offset};
    if (pt_bytes_load64(entry + PT_INDEX_OFF_OFFSET) != offset || offset >= limit ||
        !peek(own, offset, head, sizeof head) || pt_block_decode_header(head, limit - offset, block) != PT_OK ||
        block->length > limit - offset - PT_BLOCK_HEADER_SIZE || block->sequence != number ||
        block->type != pt_bytes_load32(entry + PT_INDEX_OFF_TYPE))
        return false;
    if (block->type == PT_BLOCK_CHUNK)
        return take_chunk(own, entry, head + PT_BLOCK_HEADER_SIZE, out);
    return pt_block_crc(own->bytes + offset + PT_BLOCK_HEADER_SIZE, block->length) == block->payload_crc;
}

enum pt_status pt_trace_find_blocks(struct pt_trace *trace)
{
    struct pt_trace_private *own = trace->private;
    struct pt_trace_block end = {0}, index = {0};
    if (own->size < PT_BLOCK_HEADER_SIZE || !find_end(own, &end.offset, &end.block) ||
        !find_index(own, end.offset, &end.block, &index.offset, &index.block))
        return PT_END;
    const uint64_t count = index.block.sequence;
    struct pt_trace_block *blocks = pt_memory_grow(&own->memory, NULL, 0, count + 2, sizeof *blocks);
    if (!blocks)
        return PT_NOMEM;
    const uint8_t *entry = own->bytes + index.offset + PT_BLOCK_HEADER_SIZE;
    uint64_t offset = 0, number = 0;
    size_t unloaded = 0;
    for (; number < count; number++, entry += PT_INDEX_ENTRY_SIZE) {
        if (!take_entry(own, entry, number, offset, index.offset, &blocks[number]))
            break;
        offset += PT_BLOCK_HEADER_SIZE + blocks[number].block.length;
        pt_trace_unload_behind(trace, offset, &unloaded);
    }
    if (number < count || offset != index.offset) {
        free(blocks);
        return PT_END;
    }
    blocks[count] = index;
    blocks[count + 1] = end;
    own->blocks = blocks;
    own->block_count = count + 2;
    return PT_OK;
}
