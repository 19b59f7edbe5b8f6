/* The columns of a chunk that is being built (internal to the encoder): symbols, codes, times, wide times, arguments.
 */
#ifndef PT_CHUNK_COLUMNS_H
#define PT_CHUNK_COLUMNS_H

#include <stdint.h>

#include "buffer.h"
#include "layout.h"
#include "status.h"
#include "varint.h"

#define PT_CHUNK_TABLE_BITS      17 /* twice the symbols: short probes */
#define PT_CHUNK_TABLE_SIZE      (1u << PT_CHUNK_TABLE_BITS)
#define PT_CHUNK_TABLE_PROBES    64
#define PT_CHUNK_EPOCH_BITS      19
#define PT_CHUNK_NO_CODE         UINT32_MAX
#define PT_CHUNK_ARGUMENTS_TOTAL (1u << 20) /* beyond this the chunk ends: keeps raw bytes far below their cap */

/* The table finds the code of a symbol. A word of it is
 *
 *     63        45 44              16 15    0
 *     [ epoch     ] [ symbol         ] [ code ]
 *
 * and is empty if its epoch is not that of the present chunk: starting a chunk clears nothing. */
struct pt_chunk_columns {
    uint32_t entries;
    uint32_t symbol_count;
    uint32_t wide_size;
    uint32_t events;
    uint64_t lost;
    uint64_t pushed; /* by LOST entries */
    uint64_t epoch;  /* never 0 once begun */
    struct pt_buffer arguments;
    uint64_t table[PT_CHUNK_TABLE_SIZE];
    uint32_t symbols[PT_CHUNK_SYMBOLS_MAX];
    uint16_t codes[PT_CHUNK_ENTRIES_MAX];
    uint8_t times[PT_CHUNK_ENTRIES_MAX];
    uint8_t wide[PT_CHUNK_ENTRIES_MAX * PT_VARINT_MAX_BYTES];
};

/* Empties the columns. They must have been zeroed once. */
void pt_chunk_columns_begin(struct pt_chunk_columns *columns);
void pt_chunk_columns_release(struct pt_chunk_columns *columns);

static inline uint32_t pt_chunk_columns_hash(uint32_t symbol)
{
    return symbol * 0x9E3779B1u >> (32 - PT_CHUNK_TABLE_BITS);
}

/* What the word of `symbol` is, but for its code. */
static inline uint64_t pt_chunk_columns_key(const struct pt_chunk_columns *columns, uint32_t symbol)
{
    return columns->epoch << 45 | (uint64_t)symbol << 16;
}

/* The code of `symbol`, which is added if need be; PT_CHUNK_NO_CODE if there is no room, which an empty table always
 * has. */
uint32_t pt_chunk_columns_code(struct pt_chunk_columns *columns, uint32_t symbol);

/* Appends an entry `ticks` after the last one. There must be room. */
static inline void pt_chunk_columns_add(struct pt_chunk_columns *columns, uint32_t code, uint64_t ticks)
{
    columns->codes[columns->entries] = (uint16_t)code;
    if (ticks < PT_CHUNK_TIME_ESCAPE) {
        columns->times[columns->entries] = (uint8_t)ticks;
    } else {
        columns->times[columns->entries] = PT_CHUNK_TIME_ESCAPE;
        columns->wide_size +=
            (uint32_t)pt_varint_encode(columns->wide + columns->wide_size, ticks - PT_CHUNK_TIME_ESCAPE);
    }
    columns->entries++;
}

/* Appends symbols, `keyframe`, codes, times, wide times and arguments to `raw`. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_chunk_columns_join(const struct pt_chunk_columns *columns,
                                                 const struct pt_buffer *keyframe, struct pt_buffer *raw);

#endif
