/* A table on the screen: columns as wide as what stands in them. */
#ifndef PT_GRID_H
#define PT_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "screen.h"
#include "status.h"

#define PT_GRID_COLUMNS_MAX 32

struct pt_grid_column {
    const char *title;
    size_t gap; /* spaces before it, unless it is the first */
    bool left;  /* flush left; else right */
    size_t width;
    bool hidden;
};

/* Cells are added row by row. A failed allocation is kept and told by pt_grid_print. Zeroed, then pt_grid_column for
 * each column; release with pt_grid_release. */
struct pt_grid {
    struct pt_grid_column columns[PT_GRID_COLUMNS_MAX];
    size_t column_count;
    size_t yielding[PT_GRID_COLUMNS_MAX]; /* columns that may be left out, first to last */
    size_t yielding_count;
    struct pt_buffer text;  /* the cells, NUL-terminated */
    struct pt_buffer cells; /* struct cell, see grid.c */
    enum pt_status status;
};

void pt_grid_column(struct pt_grid *grid, const char *title, bool left, size_t gap);
/* This column may be left out where the screen is too narrow; called first for what matters least. */
void pt_grid_give_way(struct pt_grid *grid, size_t column);
/* Copies `text`, which must be safe to print (text.h). */
void pt_grid_cell(struct pt_grid *grid, const char *text, enum pt_screen_style style);
/* The same for text that is not, or may not be, safe. */
void pt_grid_text(struct pt_grid *grid, const char *text);
/* PT_NOMEM: nothing was printed. Call once. */
PT_MUST_USE enum pt_status pt_grid_print(struct pt_grid *grid, struct pt_screen *screen);
void pt_grid_release(struct pt_grid *grid);

#endif
