/* The columns of a chunk that is being built (internal to the encoder): symbols, codes, times, wide times, arguments.
 */
#ifndef PT_CHUNK_COLUMNS_H
#define PT_CHUNK_COLUMNS_H

#include <stdint.h>

#include "buffer.h"
#include "layout.h"
#include "status.h"
#include "varint.h"

#define PT_CHUNK_TABLE_BITS_MAX  17 /* twice the symbols */
#define PT_CHUNK_TABLE_PROBES    64
#define PT_CHUNK_NO_CODE         UINT32_MAX
#define PT_CHUNK_ARGUMENTS_TOTAL (1u << 20) /* beyond this the chunk ends: keeps raw bytes far below their cap */

/* The table finds the code of a symbol. A word of it is
 *
 *     63    48 47              19 18   16 15    0
 *     [ rare ] [ symbol         ] [class] [ code ]
 *
 * with all bits set if it is empty. The bits marked rare are 0 for the symbols of events that enter and leave one frame:
 * those alone are found by comparing word >> PT_CHUNK_WORD_SYMBOL with the symbol. Only the first 2^table_bits words
 * are in use: few symbols shall not be spread over many pages. */
#define PT_CHUNK_WORD_CLASS  16
#define PT_CHUNK_WORD_SYMBOL (PT_CHUNK_WORD_CLASS + PT_CHUNK_CLASS_BITS)
#define PT_CHUNK_WORD_RARE   (PT_CHUNK_WORD_SYMBOL + PT_CHUNK_CLASS_SHIFT)

struct pt_chunk_columns {
    uint32_t entries;
    uint32_t symbol_count;
    uint32_t wide_size;
    uint32_t events;
    uint64_t lost;
    uint64_t pushed; /* by LOST entries */
    uint32_t table_bits;
    uint32_t last_class;            /* of the last entry's symbol */
    uint8_t *next[PT_CHUNK_GROUPS]; /* where a group's next time goes, in its row of `times` */
    struct pt_buffer arguments;
    uint64_t table[1u << PT_CHUNK_TABLE_BITS_MAX];
    uint32_t symbols[PT_CHUNK_SYMBOLS_MAX]; /* with their classes */
    uint16_t codes[PT_CHUNK_ENTRIES_MAX];
    uint8_t times[PT_CHUNK_GROUPS][PT_CHUNK_ENTRIES_MAX]; /* most of it is never touched */
    uint8_t wide[PT_CHUNK_ENTRIES_MAX * PT_VARINT_MAX_BYTES];
};

/* Empties the columns. They must have been zeroed once. */
void pt_chunk_columns_begin(struct pt_chunk_columns *columns);
void pt_chunk_columns_release(struct pt_chunk_columns *columns);

static inline uint32_t pt_chunk_columns_hash(uint32_t symbol, uint32_t table_bits)
{
    return symbol * 0x9E3779B1u >> (32 - table_bits);
}

/* The low bits of a word, class and code of `symbol`, which is added if need be; PT_CHUNK_NO_CODE if there is no room,
 * which an empty table always has. */
uint32_t pt_chunk_columns_code(struct pt_chunk_columns *columns, uint32_t symbol);

/* Appends an entry `ticks` after the last one. There must be room. */
static inline void pt_chunk_columns_add(struct pt_chunk_columns *columns, uint32_t classed_code, uint64_t ticks)
{
    const uint32_t class = classed_code >> PT_CHUNK_WORD_CLASS;
    const uint32_t group = columns->last_class << PT_CHUNK_CLASS_BITS | class;
    columns->last_class = class;
    columns->codes[columns->entries++] = (uint16_t)classed_code;
    *columns->next[group]++ = ticks < PT_CHUNK_TIME_ESCAPE ? (uint8_t)ticks : PT_CHUNK_TIME_ESCAPE;
    if (ticks >= PT_CHUNK_TIME_ESCAPE)
        columns->wide_size +=
            (uint32_t)pt_varint_encode(columns->wide + columns->wide_size, ticks - PT_CHUNK_TIME_ESCAPE);
}

/* Appends symbols, `keyframe`, codes, wide times, arguments and the sizes of groups to `raw`: all but the times.
 * PT_NOMEM. */
PT_MUST_USE enum pt_status pt_chunk_columns_join(const struct pt_chunk_columns *columns,
                                                 const struct pt_buffer *keyframe, struct pt_buffer *raw);

/* Copies the times of groups from `*group` on to `to`, which has room for all entries, and moves `*group` on: those of
 * one group, but of several if they are few. Returns their number; 0 at the end. */
uint32_t pt_chunk_columns_next_times(const struct pt_chunk_columns *columns, uint32_t *group, uint8_t *to);

#endif
