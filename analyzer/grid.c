#include "grid.h"

#include <string.h>

#include "text.h"

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

static void print_cell(const struct pt_grid *grid, struct pt_screen *screen, size_t at, const char *text, size_t width,
                       enum pt_screen_style style)
{
    const struct pt_grid_column *column = &grid->columns[at];
    size_t blank = column->width - width;
    bool last = at + 1 == grid->column_count;
    put_spaces(screen, (at > 0 ? column->gap : 0) + (column->left ? 0 : blank));
    if (style != PT_SCREEN_PLAIN)
        pt_screen_style(screen, style);
    pt_screen_put(screen, text);
    if (style != PT_SCREEN_PLAIN)
        pt_screen_style(screen, PT_SCREEN_PLAIN);
    if (last)
        pt_screen_put(screen, "\n");
    else if (column->left)
        put_spaces(screen, blank);
}

enum pt_status pt_grid_print(const struct pt_grid *grid, struct pt_screen *screen)
{
    const size_t columns = grid->column_count;
    if (grid->status != PT_OK || columns == 0)
        return grid->status;
    for (size_t i = 0; i < columns; i++) {
        const char *title = grid->columns[i].title;
        print_cell(grid, screen, i, title, pt_text_width(title, strlen(title)), PT_SCREEN_HEAD);
    }
    for (size_t i = 0; i < grid->cells.size / sizeof(struct cell) && !pt_screen_gone(screen); i++) {
        struct cell cell;
        memcpy(&cell, grid->cells.data + i * sizeof cell, sizeof cell);
        print_cell(grid, screen, i % columns, (const char *)grid->text.data + cell.offset, cell.width, cell.style);
    }
    return PT_OK;
}

void pt_grid_release(struct pt_grid *grid)
{
    pt_buffer_release(&grid->text);
    pt_buffer_release(&grid->cells);
    *grid = (struct pt_grid){0};
}
