#include "grid.h"

#include <string.h>

#include "text.h"

#define LAST_LEAST 24 /* columns that the last column keeps if others can give way */

struct cell {
    size_t offset; /* in grid->text */
    size_t width;
    enum pt_screen_style style;
};

void pt_grid_column(struct pt_grid *grid, const char *title, bool left, size_t gap)
{
    grid->columns[grid->column_count++] =
        (struct pt_grid_column){.title = title, .gap = gap, .left = left, .width = pt_text_width(title, strlen(title))};
}

void pt_grid_give_way(struct pt_grid *grid, size_t column)
{
    grid->yielding[grid->yielding_count++] = column;
}

void pt_grid_cell(struct pt_grid *grid, const char *text, enum pt_screen_style style)
{
    size_t size = strlen(text);
    struct cell cell = {.offset = grid->text.size, .width = pt_text_width(text, size), .style = style};
    size_t at = grid->cells.size / sizeof cell % grid->column_count;
    if (cell.width > grid->columns[at].width)
        grid->columns[at].width = cell.width;
    if (grid->status == PT_OK)
        grid->status = pt_buffer_append(&grid->text, text, size + 1);
    if (grid->status == PT_OK)
        grid->status = pt_buffer_append(&grid->cells, &cell, sizeof cell);
}

void pt_grid_text(struct pt_grid *grid, const char *text)
{
    struct pt_buffer escaped = {0};
    if (grid->status == PT_OK)
        grid->status = pt_text_escape(&escaped, text, strlen(text));
    if (grid->status == PT_OK)
        grid->status = pt_buffer_append(&escaped, "", 1);
    if (grid->status == PT_OK)
        pt_grid_cell(grid, (const char *)escaped.data, PT_SCREEN_PLAIN);
    pt_buffer_release(&escaped);
}

static void put_spaces(struct pt_screen *screen, size_t count)
{
    pt_screen_printf(screen, "%*s", (int)count, "");
}

static void print_cell(const struct pt_grid *grid, struct pt_screen *screen, size_t at, const char *text, size_t width)
{
    const struct pt_grid_column *column = &grid->columns[at];
    size_t blank = column->width - width;
    bool last = at + 1 == grid->column_count;
    if (column->hidden || (last && width == 0))
        return;
    put_spaces(screen, (at > 0 ? column->gap : 0) + (column->left ? 0 : blank));
    pt_screen_put(screen, text);
    if (column->left && !last)
        put_spaces(screen, blank);
}

/* Columns of the screen that the grid takes if its last column, which may be cut, is as narrow as it may be. */
static size_t least_width(const struct pt_grid *grid)
{
    size_t width = 0;
    for (size_t i = 0; i < grid->column_count; i++) {
        const struct pt_grid_column *column = &grid->columns[i];
        bool last = i + 1 == grid->column_count;
        if (!column->hidden)
            width += column->gap + (last && column->width > LAST_LEAST ? LAST_LEAST : column->width);
    }
    return width;
}

static void fit(struct pt_grid *grid, size_t width)
{
    for (size_t i = 0; i < grid->yielding_count && width > 0 && least_width(grid) > width; i++)
        grid->columns[grid->yielding[i]].hidden = true;
}

enum pt_status pt_grid_print(struct pt_grid *grid, struct pt_screen *screen)
{
    const size_t columns = grid->column_count;
    if (grid->status != PT_OK || columns == 0)
        return grid->status;
    fit(grid, pt_screen_width(screen));
    pt_screen_style(screen, PT_SCREEN_HEAD);
    for (size_t i = 0; i < columns; i++) {
        const char *title = grid->columns[i].title;
        print_cell(grid, screen, i, title, pt_text_width(title, strlen(title)));
    }
    pt_screen_style(screen, PT_SCREEN_PLAIN);
    pt_screen_put(screen, "\n");
    for (size_t i = 0; i < grid->cells.size / sizeof(struct cell) && !pt_screen_gone(screen); i++) {
        struct cell cell;
        memcpy(&cell, grid->cells.data + i * sizeof cell, sizeof cell);
        pt_screen_style(screen, cell.style);
        print_cell(grid, screen, i % columns, (const char *)grid->text.data + cell.offset, cell.width);
        pt_screen_style(screen, PT_SCREEN_PLAIN);
        if (i % columns + 1 == columns)
            pt_screen_put(screen, "\n");
    }
    return PT_OK;
}

void pt_grid_release(struct pt_grid *grid)
{
    pt_buffer_release(&grid->text);
    pt_buffer_release(&grid->cells);
    *grid = (struct pt_grid){0};
}
