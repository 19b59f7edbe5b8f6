#include "row_index.h"

#include <stdlib.h>

#define CAPACITY_MIN 256
#define CAPACITY_MAX (UINT32_C(1) << 30)

enum pt_status pt_row_index_grow(struct pt_row_index *index, void **rows, uint32_t count, size_t row_size, size_t words)
{
    const uint32_t capacity = index->capacity ? 2 * index->capacity : CAPACITY_MIN;
    if (capacity > CAPACITY_MAX)
        return PT_NOMEM;
    char *table = reallocarray(*rows, capacity, row_size);
    if (!table)
        return PT_NOMEM;
    *rows = table;
    uint32_t *slots = calloc(2 * (size_t)capacity, sizeof *slots);
    if (!slots)
        return PT_NOMEM;
    free(index->slots);
    *index = (struct pt_row_index){.slots = slots, .mask = 2 * capacity - 1, .capacity = capacity};
    for (uint32_t i = 1; i < count; i++) {
        const uint32_t *key = (const uint32_t *)(const void *)(table + i * row_size);
        *pt_row_index_find(index, table, row_size, key, words) = i;
    }
    return PT_OK;
}

void pt_row_index_release(struct pt_row_index *index)
{
    free(index->slots);
    *index = (struct pt_row_index){0};
}
