#include "chunk_columns.h"

#include <stdbool.h>
#include <string.h>

#include "bytes.h"
#include "record.h"

#define TABLE_BITS_MIN 10
#define SLOTS_A_SYMBOL 16  /* most symbols are found where they are first looked for */
#define PIECE_MIN      512 /* times: fewer are not worth a Huffman table of their own */

/* Entries of one class take much the same time when they follow one of the same class, so that a Huffman table for them
 * is worth its bytes. Leaves carry no id: for them the kind is all that is known. */
static uint32_t class_of(uint32_t symbol)
{
    switch (pt_record_kind(symbol)) {
    case PT_KIND_RETURN:
    case PT_KIND_YIELD:
    case PT_KIND_UNWIND:
        return 0;
    case PT_KIND_START:
    case PT_KIND_RESUME:
    case PT_KIND_THROW:
    case PT_KIND_OPEN:
        return 1;
    case PT_KIND_C_CALL:
        return 2;
    case PT_KIND_C_RETURN:
    case PT_KIND_C_RAISE:
        return 3;
    default:
        return 4;
    }
}

/* For as many symbols as the chunk before had. Should that be too few the chunk ends early, and the next one has more
 * room. */
static uint32_t table_bits_for(uint32_t symbol_count)
{
    uint32_t bits = TABLE_BITS_MIN;
    while (bits < PT_CHUNK_TABLE_BITS_MAX && 1u << bits < symbol_count * SLOTS_A_SYMBOL)
        bits++;
    return bits;
}

void pt_chunk_columns_begin(struct pt_chunk_columns *columns)
{
    columns->table_bits = table_bits_for(columns->symbol_count);
    columns->entries = 0;
    columns->symbol_count = 0;
    columns->wide_size = 0;
    columns->events = 0;
    columns->lost = 0;
    columns->pushed = 0;
    columns->last_class = 0;
    columns->arguments.size = 0;
    for (unsigned group = 0; group < PT_CHUNK_GROUPS; group++)
        columns->next[group] = columns->times[group];
    memset(columns->table, 0xFF, sizeof columns->table[0] << columns->table_bits);
}

void pt_chunk_columns_release(struct pt_chunk_columns *columns)
{
    pt_buffer_release(&columns->arguments);
}

static bool is_rare(uint32_t symbol)
{
    const uint32_t kind = pt_record_kind(symbol);
    return kind == PT_KIND_OPEN || kind == PT_KIND_UNWIND || kind == PT_KIND_CLOSE || kind > PT_KIND_EXCEPTION;
}

uint32_t pt_chunk_columns_code(struct pt_chunk_columns *columns, uint32_t symbol)
{
    const uint32_t slots = 1u << columns->table_bits;
    const uint64_t key = (uint64_t)is_rare(symbol) << PT_CHUNK_WORD_RARE | (uint64_t)symbol << PT_CHUNK_WORD_SYMBOL;
    uint32_t at = pt_chunk_columns_hash(symbol, columns->table_bits);
    /* Bounded probes: whoever chooses ids that collide gets small chunks, not a slow drain. */
    for (unsigned probe = 0; probe < PT_CHUNK_TABLE_PROBES; probe++) {
        const uint64_t word = columns->table[at];
        if ((word ^ key) >> PT_CHUNK_WORD_SYMBOL == 0)
            return (uint32_t)(word ^ key);
        if (word == UINT64_MAX) {
            if (columns->symbol_count == slots / 2)
                return PT_CHUNK_NO_CODE;
            const uint32_t code = columns->symbol_count++;
            const uint32_t class = class_of(symbol);
            columns->symbols[code] = symbol | class << PT_CHUNK_CLASS_SHIFT;
            columns->table[at] = key | class << PT_CHUNK_WORD_CLASS | code;
            return class << PT_CHUNK_WORD_CLASS | code;
        }
        at = (at + 1) & (slots - 1);
    }
    return PT_CHUNK_NO_CODE;
}

static uint32_t size_of(const struct pt_chunk_columns *columns, unsigned group)
{
    return (uint32_t)(columns->next[group] - columns->times[group]);
}

enum pt_status pt_chunk_columns_join(const struct pt_chunk_columns *columns, const struct pt_buffer *keyframe,
                                     struct pt_buffer *raw)
{
    const size_t entries = columns->entries;
    PT_TRY(pt_buffer_append(raw, columns->symbols, columns->symbol_count * sizeof columns->symbols[0]));
    PT_TRY(pt_buffer_append(raw, keyframe->data, keyframe->size));
    if (columns->symbol_count <= 256) {
        PT_TRY(pt_buffer_reserve(raw, entries));
        uint8_t *restrict narrow = raw->data + raw->size;
        for (size_t i = 0; i < entries; i++)
            narrow[i] = (uint8_t)columns->codes[i];
        raw->size += entries;
    } else {
        PT_TRY(pt_buffer_append(raw, columns->codes, entries * sizeof columns->codes[0]));
    }
    PT_TRY(pt_buffer_append(raw, columns->wide, columns->wide_size));
    PT_TRY(pt_buffer_append(raw, columns->arguments.data, columns->arguments.size));
    uint8_t sizes[PT_CHUNK_GROUPS_BYTES];
    for (unsigned group = 0; group < PT_CHUNK_GROUPS; group++)
        pt_bytes_store32(sizes + sizeof(uint32_t) * group, size_of(columns, group));
    return pt_buffer_append(raw, sizes, sizeof sizes);
}

uint32_t pt_chunk_columns_next_times(const struct pt_chunk_columns *columns, uint32_t *group, uint8_t *to)
{
    uint32_t count = 0;
    for (; *group < PT_CHUNK_GROUPS && count < PIECE_MIN; ++*group) {
        memcpy(to + count, columns->times[*group], size_of(columns, *group));
        count += size_of(columns, *group);
    }
    return count;
}
