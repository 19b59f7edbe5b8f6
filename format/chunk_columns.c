#include "chunk_columns.h"

#include <string.h>

#include "bytes.h"

void pt_chunk_columns_begin(struct pt_chunk_columns *columns)
{
    columns->entries = 0;
    columns->symbol_count = 0;
    columns->wide_size = 0;
    columns->events = 0;
    columns->lost = 0;
    columns->pushed = 0;
    columns->arguments.size = 0;
    if (++columns->epoch >> PT_CHUNK_EPOCH_BITS) {
        memset(columns->table, 0, sizeof columns->table);
        columns->epoch = 1;
    }
}

void pt_chunk_columns_release(struct pt_chunk_columns *columns)
{
    pt_buffer_release(&columns->arguments);
}

uint32_t pt_chunk_columns_code(struct pt_chunk_columns *columns, uint32_t symbol)
{
    uint64_t key = pt_chunk_columns_key(columns, symbol);
    uint32_t at = pt_chunk_columns_hash(symbol);
    /* Bounded probes: whoever chooses ids that collide gets small chunks, not a slow drain. */
    for (unsigned probe = 0; probe < PT_CHUNK_TABLE_PROBES; probe++) {
        uint64_t word = columns->table[at];
        if ((word ^ key) < PT_CHUNK_SYMBOLS_MAX)
            return (uint32_t)(word ^ key);
        if (word >> 45 != columns->epoch) {
            if (columns->symbol_count == PT_CHUNK_SYMBOLS_MAX)
                return PT_CHUNK_NO_CODE;
            uint32_t code = columns->symbol_count++;
            columns->symbols[code] = symbol;
            columns->table[at] = key | code;
            return code;
        }
        at = (at + 1) & (PT_CHUNK_TABLE_SIZE - 1);
    }
    return PT_CHUNK_NO_CODE;
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
    PT_TRY(pt_buffer_append(raw, columns->times, entries));
    PT_TRY(pt_buffer_append(raw, columns->wide, columns->wide_size));
    return pt_buffer_append(raw, columns->arguments.data, columns->arguments.size);
}
