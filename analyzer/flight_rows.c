#include "flight_rows.h"

#include <stddef.h>
#include <stdlib.h>

#define KEY_WORDS 4 /* site, function, by, end */
_Static_assert(offsetof(struct pt_flight, count) == KEY_WORDS * sizeof(uint32_t), "the key of a row is all before it");

static uint32_t *find_slot(const struct pt_flight_rows *rows, const struct pt_flight *key)
{
    return pt_row_index_find(&rows->index, rows->rows, sizeof *key, (const uint32_t *)(const void *)key, KEY_WORDS);
}

static enum pt_status grow(struct pt_flight_rows *rows)
{
    void *table = rows->rows;
    enum pt_status status = pt_row_index_grow(&rows->index, &table, rows->count, sizeof *rows->rows, KEY_WORDS);
    rows->rows = table;
    rows->count = rows->count ? rows->count : 1;
    return status;
}

enum pt_status pt_flight_rows_add(struct pt_flight_rows *rows, const struct pt_flight *key, uint64_t left)
{
    if (rows->count == rows->index.capacity)
        PT_TRY(grow(rows));
    uint32_t *slot = find_slot(rows, key);
    if (!*slot) {
        *slot = rows->count;
        rows->rows[rows->count++] = (struct pt_flight){
            .site = key->site, .function = key->function, .by = key->by, .end = key->end, .least = UINT64_MAX};
    }
    struct pt_flight *row = &rows->rows[*slot];
    row->count++;
    row->least = left < row->least ? left : row->least;
    row->most = left > row->most ? left : row->most;
    return PT_OK;
}

void pt_flight_rows_release(struct pt_flight_rows *rows)
{
    free(rows->rows);
    pt_row_index_release(&rows->index);
    *rows = (struct pt_flight_rows){0};
}
