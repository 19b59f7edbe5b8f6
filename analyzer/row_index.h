/* Finds the rows of a growing table by the numbers that each of them begins with.
 *
 * A row is a struct whose first members are the uint32_t of its key. Row 0 is not used. */
#ifndef PT_ROW_INDEX_H
#define PT_ROW_INDEX_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "status.h"

/* Zeroed is empty; release with pt_row_index_release. */
struct pt_row_index {
    uint32_t *slots; /* open addressing: numbers of rows, 0 is free; at most half are taken */
    uint32_t mask;
    uint32_t capacity; /* of the table of rows */
};

/* The slot that holds the row with this key, or the free one where its number belongs. The table has grown once. Sizes are
 * constants where this is called. */
static inline __attribute__((always_inline)) uint32_t *pt_row_index_find(const struct pt_row_index *index,
                                                                         const void *rows, size_t row_size,
                                                                         const uint32_t *key, size_t words)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < words; i++)
        hash = (hash ^ key[i]) * UINT64_C(0x9E3779B97F4A7C15);
    uint32_t at = (uint32_t)(hash >> 32) & index->mask;
    while (index->slots[at] && memcmp((const char *)rows + index->slots[at] * row_size, key, words * sizeof *key) != 0)
        at = (at + 1) & index->mask;
    return &index->slots[at];
}

/* Makes room for twice as many rows in the table at `*rows` (from malloc, NULL at first), of which `count` are there, [0]
 * included. PT_NOMEM: nothing has changed but, perhaps, where the table lies. */
PT_MUST_USE enum pt_status pt_row_index_grow(struct pt_row_index *index, void **rows, uint32_t count, size_t row_size,
                                             size_t words);

void pt_row_index_release(struct pt_row_index *index);

#endif
