/* The fixed header of a chunk (SPEC.md 5.1). */
#include "bytes.h"
#include "chunk.h"

void pt_chunk_info_encode(uint8_t *at, const struct pt_chunk_info *info)
{
    pt_bytes_store32(at + PT_CHUNK_OFF_THREAD, info->thread);
    pt_bytes_store32(at + PT_CHUNK_OFF_SLOT, info->slot);
    pt_bytes_store32(at + PT_CHUNK_OFF_GENERATION, info->generation);
    pt_bytes_store32(at + PT_CHUNK_OFF_FLAGS, info->flags);
    pt_bytes_store64(at + PT_CHUNK_OFF_FIRST_POSITION, info->first_position);
    pt_bytes_store32(at + PT_CHUNK_OFF_WORDS, info->words);
    pt_bytes_store32(at + PT_CHUNK_OFF_ENTRIES, info->entries);
    pt_bytes_store64(at + PT_CHUNK_OFF_FIRST_TICK, info->first_tick);
    pt_bytes_store64(at + PT_CHUNK_OFF_LAST_TICK, info->last_tick);
    pt_bytes_store32(at + PT_CHUNK_OFF_EVENTS, info->events);
    pt_bytes_store32(at + PT_CHUNK_OFF_DEPTH, info->depth);
    pt_bytes_store32(at + PT_CHUNK_OFF_KEYFRAME_BYTES, info->keyframe_bytes);
    pt_bytes_store32(at + PT_CHUNK_OFF_SYMBOLS, info->symbols);
    pt_bytes_store32(at + PT_CHUNK_OFF_WIDE_BYTES, info->wide_bytes);
    pt_bytes_store32(at + PT_CHUNK_OFF_ARGUMENT_BYTES, info->argument_bytes);
    pt_bytes_store64(at + PT_CHUNK_OFF_LOST, info->lost);
    pt_bytes_store32(at + PT_CHUNK_OFF_CODE_WIDTH, info->code_width);
    pt_bytes_store32(at + PT_CHUNK_OFF_RAW_BYTES, info->raw_bytes);
}

static bool is_valid(const struct pt_chunk_info *info)
{
    if ((info->flags & ~PT_CHUNK_FLAG_LAST) != 0 || info->first_position + info->words < info->first_position)
        return false;
    if (info->entries > PT_CHUNK_ENTRIES_MAX || info->events > info->entries || info->symbols > PT_CHUNK_SYMBOLS_MAX)
        return false;
    if (info->first_tick > info->last_tick || info->keyframe_bytes == 0)
        return false;
    if (info->code_width != (info->symbols <= 256 ? 1 : 2))
        return false;
    uint64_t raw = UINT64_C(4) * info->symbols + info->keyframe_bytes + (uint64_t)info->code_width * info->entries +
                   info->wide_bytes + info->argument_bytes + PT_CHUNK_GROUPS_BYTES + info->entries;
    return raw == info->raw_bytes && raw <= PT_CHUNK_RAW_MAX;
}

enum pt_status pt_chunk_info_decode(struct pt_chunk_info *info, const uint8_t *payload, size_t size)
{
    if (size < PT_CHUNK_FIXED_SIZE)
        return PT_TRUNCATED;
    *info = (struct pt_chunk_info){
        .thread = pt_bytes_load32(payload + PT_CHUNK_OFF_THREAD),
        .slot = pt_bytes_load32(payload + PT_CHUNK_OFF_SLOT),
        .generation = pt_bytes_load32(payload + PT_CHUNK_OFF_GENERATION),
        .flags = pt_bytes_load32(payload + PT_CHUNK_OFF_FLAGS),
        .first_position = pt_bytes_load64(payload + PT_CHUNK_OFF_FIRST_POSITION),
        .words = pt_bytes_load32(payload + PT_CHUNK_OFF_WORDS),
        .entries = pt_bytes_load32(payload + PT_CHUNK_OFF_ENTRIES),
        .first_tick = pt_bytes_load64(payload + PT_CHUNK_OFF_FIRST_TICK),
        .last_tick = pt_bytes_load64(payload + PT_CHUNK_OFF_LAST_TICK),
        .events = pt_bytes_load32(payload + PT_CHUNK_OFF_EVENTS),
        .depth = pt_bytes_load32(payload + PT_CHUNK_OFF_DEPTH),
        .keyframe_bytes = pt_bytes_load32(payload + PT_CHUNK_OFF_KEYFRAME_BYTES),
        .symbols = pt_bytes_load32(payload + PT_CHUNK_OFF_SYMBOLS),
        .wide_bytes = pt_bytes_load32(payload + PT_CHUNK_OFF_WIDE_BYTES),
        .argument_bytes = pt_bytes_load32(payload + PT_CHUNK_OFF_ARGUMENT_BYTES),
        .lost = pt_bytes_load64(payload + PT_CHUNK_OFF_LOST),
        .code_width = pt_bytes_load32(payload + PT_CHUNK_OFF_CODE_WIDTH),
        .raw_bytes = pt_bytes_load32(payload + PT_CHUNK_OFF_RAW_BYTES),
    };
    return is_valid(info) ? PT_OK : PT_CORRUPT;
}
