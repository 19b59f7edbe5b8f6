/* From the payload of a chunk back to its columns (SPEC.md 5). Every byte is hostile until it was checked here. */
#include "chunk.h"

#include <string.h>
#include <zstd.h>

#include "bytes.h"
#include "chunk_keyframe.h"
#include "record.h"
#include "varint.h"

/* --- Decompression ------------------------------------------------------------------------------------------------ */

/* The next frame, to where it belongs in chunk->raw. What it claims is checked against what is left of raw_bytes. */
static enum pt_status decompress_frame(struct pt_chunk *chunk, const uint8_t **frame, size_t *size)
{
    const size_t left = chunk->info.raw_bytes - chunk->raw.size;
    const size_t packed = ZSTD_findFrameCompressedSize(*frame, *size);
    if (ZSTD_isError(packed))
        return PT_CORRUPT;
    const unsigned long long count = ZSTD_getFrameContentSize(*frame, packed);
    if (count > left) /* which an unknown size is, too */
        return PT_CORRUPT;
    if (ZSTD_decompressDCtx(chunk->zstd, chunk->raw.data + chunk->raw.size, count, *frame, packed) != count)
        return PT_CORRUPT;
    chunk->raw.size += count;
    *frame += packed;
    *size -= packed;
    return PT_OK;
}

/* Into exactly info.raw_bytes bytes, which were checked against their cap: all memory that this takes, for zstd works
 * straight into the destination and needs no window of its own. */
static enum pt_status decompress(struct pt_chunk *chunk, const uint8_t *frames, size_t size)
{
    if (!chunk->zstd)
        chunk->zstd = ZSTD_createDCtx();
    if (!chunk->zstd)
        return PT_NOMEM;
    chunk->raw.size = 0;
    PT_TRY(pt_buffer_reserve(&chunk->raw, (size_t)chunk->info.raw_bytes + chunk->info.entries));
    while (size > 0)
        PT_TRY(decompress_frame(chunk, &frames, &size));
    return chunk->raw.size == chunk->info.raw_bytes ? PT_OK : PT_CORRUPT;
}

/* Where the parts begin that are not used as they are. */
struct parts {
    const uint32_t *symbols; /* with classes */
    const uint8_t *keyframe;
    const uint8_t *groups; /* sizes */
    const uint8_t *times;  /* by groups */
};

static struct parts point_to_parts(struct pt_chunk *chunk)
{
    struct parts parts;
    const struct pt_chunk_info *info = &chunk->info;
    const uint8_t *at = chunk->raw.data;
    parts.symbols = (const uint32_t *)(const void *)at; /* the first part of an allocation: aligned */
    at += 4 * (size_t)info->symbols;
    parts.keyframe = at;
    at += info->keyframe_bytes;
    chunk->codes = info->code_width == 1 ? at : NULL;
    chunk->codes16 = info->code_width == 1 ? NULL : at;
    at += (size_t)info->code_width * info->entries;
    chunk->wide = at;
    at += info->wide_bytes;
    chunk->arguments = at;
    at += info->argument_bytes;
    parts.groups = at;
    at += PT_CHUNK_GROUPS_BYTES;
    parts.times = at;
    return parts;
}

/* --- Symbols ------------------------------------------------------------------------------------------------------ */

static bool is_known(uint32_t symbol)
{
    const uint32_t with_id = 1u << PT_KIND_START | 1u << PT_KIND_RESUME | 1u << PT_KIND_THROW | 1u << PT_KIND_C_CALL |
                             1u << PT_KIND_OPEN | 1u << PT_KIND_UNWIND | 1u << PT_KIND_LINE | 1u << PT_KIND_OPCODE |
                             1u << PT_KIND_EXCEPTION | 1u << PT_KIND_CONTROL;
    const uint32_t without_id = 1u << PT_KIND_RETURN | 1u << PT_KIND_YIELD | 1u << PT_KIND_C_RETURN |
                                1u << PT_KIND_C_RAISE | 1u << PT_KIND_CLOSE;
    return ((with_id | (pt_record_id(symbol) == 0 ? without_id : 0)) >> pt_record_kind(symbol) & 1) != 0;
}

/* Sorts `count` symbols of `from`, by way of `to`, by `bits` bits from `shift` on. */
static void sort_by_digit(const uint32_t *from, uint32_t *to, size_t count, unsigned shift)
{
    uint32_t starts[1024 + 1] = {0};
    for (size_t i = 0; i < count; i++)
        starts[(from[i] >> shift & 1023) + 1]++;
    for (unsigned digit = 0; digit < 1024; digit++)
        starts[digit + 1] += starts[digit];
    for (size_t i = 0; i < count; i++)
        to[starts[from[i] >> shift & 1023]++] = from[i];
}

/* Symbols are known kinds and no two are alike, but for their classes. A radix sort: its cost does not depend on what
 * the bytes are. */
static enum pt_status take_symbols(struct pt_chunk *chunk, const uint32_t *classed)
{
    const size_t count = chunk->info.symbols;
    PT_TRY(pt_buffer_reserve(&chunk->ordered, count * sizeof(uint32_t) + chunk->info.entries));
    uint32_t *symbols = (uint32_t *)(void *)chunk->ordered.data;
    chunk->symbols = symbols;
    for (size_t i = 0; i < count; i++) {
        symbols[i] = classed[i] & ((1u << PT_CHUNK_CLASS_SHIFT) - 1);
        if (!is_known(symbols[i]))
            return PT_CORRUPT;
    }
    if (count < 2)
        return PT_OK;
    PT_TRY(pt_buffer_reserve(&chunk->scratch, 2 * count * sizeof(uint32_t)));
    uint32_t *one = (uint32_t *)(void *)chunk->scratch.data;
    uint32_t *other = one + count;
    sort_by_digit(chunk->symbols, one, count, 0);
    sort_by_digit(one, other, count, 10);
    sort_by_digit(other, one, count, 20);
    for (size_t i = 1; i < count; i++)
        if (one[i - 1] == one[i])
            return PT_CORRUPT;
    return PT_OK;
}

/* --- Codes ---------------------------------------------------------------------------------------------------------- */

static uint32_t code_at(const struct pt_chunk *chunk, size_t i)
{
    return chunk->info.code_width == 1 ? chunk->codes[i] : pt_bytes_load16(chunk->codes16 + 2 * i);
}

static uint32_t greatest_code(const struct pt_chunk *chunk)
{
    const size_t entries = chunk->info.entries;
    uint32_t greatest = 0;
    if (chunk->info.code_width == 1) {
        uint8_t most = 0;
        for (size_t i = 0; i < entries; i++)
            most = chunk->codes[i] > most ? chunk->codes[i] : most;
        greatest = most;
    } else {
        uint16_t most = 0;
        for (size_t i = 0; i < entries; i++) {
            uint16_t code = pt_bytes_load16(chunk->codes16 + 2 * i);
            most = code > most ? code : most;
        }
        greatest = most;
    }
    return greatest;
}

/* --- Times -------------------------------------------------------------------------------------------------------- */

/* Reads no further than `entries` bytes behind the times, which are there (decompress), even if the sizes of the groups
 * are not those that the codes make; that is found at the end. */
static enum pt_status order_times(struct pt_chunk *chunk, const struct parts *parts)
{
    const size_t symbols = chunk->info.symbols;
    const size_t entries = chunk->info.entries;
    const uint8_t *next[PT_CHUNK_GROUPS];
    uint64_t sum = 0;
    PT_TRY(pt_buffer_reserve(&chunk->scratch, symbols));
    uint8_t *classes = chunk->scratch.data;
    uint8_t *times = chunk->ordered.data + symbols * sizeof(uint32_t);
    for (size_t i = 0; i < symbols; i++)
        classes[i] = (uint8_t)(parts->symbols[i] >> PT_CHUNK_CLASS_SHIFT);
    for (unsigned group = 0; group < PT_CHUNK_GROUPS; group++) {
        next[group] = parts->times + sum;
        sum += pt_bytes_load32(parts->groups + sizeof(uint32_t) * group);
        if (sum > entries)
            return PT_CORRUPT;
    }
    uint32_t previous = 0;
    for (size_t i = 0; i < entries; i++) {
        const uint32_t class = classes[code_at(chunk, i)];
        times[i] = *next[previous << PT_CHUNK_CLASS_BITS | class]++;
        previous = class;
    }
    chunk->times = times;
    /* Each group must have been used up: it ends where the next one began. */
    const uint8_t *begin = parts->times;
    for (unsigned group = 0; group < PT_CHUNK_GROUPS; group++) {
        begin += pt_bytes_load32(parts->groups + sizeof(uint32_t) * group);
        if (next[group] != begin)
            return PT_CORRUPT;
    }
    return begin == parts->times + entries ? PT_OK : PT_CORRUPT;
}

/* All times add up to last tick, and the wide part holds exactly what they need. */
static enum pt_status check_times(const struct pt_chunk *chunk)
{
    const struct pt_chunk_info *info = &chunk->info;
    const uint8_t *const end = chunk->wide + info->wide_bytes;
    const uint64_t span = info->last_tick - info->first_tick;
    uint64_t sum = 0;
    uint32_t escapes = 0;
    for (size_t i = 0; i < info->entries; i++) {
        sum += chunk->times[i];
        escapes += chunk->times[i] == PT_CHUNK_TIME_ESCAPE;
    }
    const uint8_t *at = chunk->wide;
    for (; escapes > 0; escapes--) {
        uint64_t ticks;
        PT_TRY(pt_varint_decode(&at, end, &ticks));
        if (sum > span || ticks > span - sum)
            return PT_CORRUPT;
        sum += ticks;
    }
    return sum == span && at == end ? PT_OK : PT_CORRUPT;
}

/* --- Entries ------------------------------------------------------------------------------------------ */

/* What the LOST entries of a chunk sum up to. */
struct losses {
    uint64_t count;
    uint64_t pushed;
};

/* The arguments of one control entry at `*at`. */
static enum pt_status check_control(const struct pt_chunk *chunk, uint32_t subtype, const uint8_t **at,
                                    const uint8_t *end, struct losses *losses)
{
    uint64_t size;
    PT_TRY(pt_varint_decode(at, end, &size));
    if (size > PT_CHUNK_ARGUMENTS_MAX || size > (uint64_t)(end - *at))
        return PT_CORRUPT;
    const uint8_t *argument = *at;
    *at += size;
    if (subtype == PT_CONTROL_LOST) {
        struct pt_chunk_lost told;
        PT_TRY(pt_chunk_lost_decode(&told, argument, (uint32_t)size));
        losses->count += told.count;
        losses->pushed += told.pushed;
    }
    if (subtype == PT_CONTROL_SWITCH) {
        struct pt_chunk_keyframe to;
        PT_TRY(pt_chunk_switch_decode(&to, argument, (uint32_t)size, chunk->info.first_tick));
    }
    /* All arguments are varints; those subtypes that have a meaning have at least one. */
    if (size == 0 && (subtype == PT_CONTROL_STALL || subtype == PT_CONTROL_BACKSTEP))
        return PT_CORRUPT;
    while (argument < *at) {
        uint64_t value;
        PT_TRY(pt_varint_decode(&argument, *at, &value));
    }
    return PT_OK;
}

/* There are as many events as the header tells, and each control entry has its arguments. */
static enum pt_status check_entries(const struct pt_chunk *chunk)
{
    const struct pt_chunk_info *info = &chunk->info;
    const uint8_t *arguments = chunk->arguments;
    const uint8_t *const end = arguments + info->argument_bytes;
    struct losses losses = {0};
    uint32_t others = 0; /* entries that are no events */
    uint32_t other_symbols = 0;

    for (size_t i = 0; i < info->symbols; i++)
        other_symbols += !pt_chunk_symbol_is_event(chunk->symbols[i]);
    /* Most chunks hold nothing but events: then there is nothing to look for. */
    for (size_t i = 0; other_symbols > 0 && i < info->entries; i++) {
        const uint32_t symbol = chunk->symbols[code_at(chunk, i)];
        if (pt_chunk_symbol_is_event(symbol))
            continue;
        others++;
        if (pt_record_kind(symbol) == PT_KIND_CONTROL)
            PT_TRY(check_control(chunk, pt_record_id(symbol), &arguments, end, &losses));
    }
    /* An entry of a few bytes can push many frames: without a bound on their sum a small file would take hours. */
    if (losses.count != info->lost || losses.pushed > PT_LOST_PUSHED_MAX)
        return PT_CORRUPT;
    return others == info->entries - info->events && arguments == end ? PT_OK : PT_CORRUPT;
}

/* --- The whole ---------------------------------------------------------------------------------------------------- */

static enum pt_status decode(struct pt_chunk *chunk, const uint8_t *payload, size_t size)
{
    PT_TRY(pt_chunk_info_decode(&chunk->info, payload, size));
    PT_TRY(decompress(chunk, payload + PT_CHUNK_FIXED_SIZE, size - PT_CHUNK_FIXED_SIZE));
    const struct parts parts = point_to_parts(chunk);
    PT_TRY(take_symbols(chunk, parts.symbols));
    PT_TRY(pt_chunk_keyframe_decode(&chunk->keyframe, &chunk->info, parts.keyframe));
    if (chunk->info.entries > 0 && greatest_code(chunk) >= chunk->info.symbols)
        return PT_CORRUPT;
    PT_TRY(order_times(chunk, &parts));
    PT_TRY(check_times(chunk));
    return check_entries(chunk);
}

enum pt_status pt_chunk_decode(struct pt_chunk *chunk, const uint8_t *payload, size_t size)
{
    enum pt_status status = decode(chunk, payload, size);
    if (status != PT_OK) {
        chunk->info = (struct pt_chunk_info){0};
        chunk->keyframe.depth = 0;
        chunk->keyframe.count = 0;
    }
    /* The parts of a payload that is all there end where its header says: one that ends too soon inside is damaged. */
    return status == PT_TRUNCATED && size >= PT_CHUNK_FIXED_SIZE ? PT_CORRUPT : status;
}

void pt_chunk_release(struct pt_chunk *chunk)
{
    ZSTD_freeDCtx(chunk->zstd);
    pt_buffer_release(&chunk->raw);
    pt_buffer_release(&chunk->ordered);
    pt_buffer_release(&chunk->scratch);
    *chunk = (struct pt_chunk){0};
}
