#include "lines_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "facts.h"
#include "grid.h"
#include "text.h"
#include "units.h"

#define HOT_PERCENT 10  /* a line with this share of the function's time is to catch the eye */
#define GAP_LINES   6   /* more lines than this that were not come to, one after another, are left out */
#define SOURCE_MAX  160 /* columns of a line of source */
#define TAB_COLUMNS 8

static double percent_of(uint64_t part_ns, uint64_t whole_ns)
{
    return whole_ns ? 100.0 * (double)part_ns / (double)whole_ns : 0;
}

static enum pt_status put_title(const struct pt_report *report, const struct pt_lines_block *block)
{
    const struct pt_function *function = &report->input->functions[block->function->function];
    const struct pt_line_time *time = &block->function->time;
    struct pt_facts facts = {.screen = report->screen, .between = "  ", .indent = 2};
    struct pt_buffer name = {0};
    char text[PT_UNITS_MAX];
    char place[32];
    uint64_t scale = pt_units_scale(time->total_ns);
    enum pt_status status = pt_text_function(&name, function, PT_TEXT_PATHS_MODULE);
    if (status == PT_OK)
        status = pt_buffer_append(&name, "", 1);
    if (status != PT_OK)
        goto cleanup;
    pt_screen_put(report->screen, "\n");
    pt_facts_safe(&facts, PT_SCREEN_STRONG, (const char *)name.data);
    if (function->file[0])
        pt_facts_put(&facts, PT_SCREEN_PLAIN, function->file);
    snprintf(place, sizeof place, "line %" PRIu32, function->line);
    pt_facts_put(&facts, PT_SCREEN_PLAIN, place);
    pt_facts_printf(&facts, "%s call%s", pt_units_count(text, block->function->calls),
                    block->function->calls == 1 ? "" : "s");
    pt_facts_printf(&facts, "total %s", pt_units_scaled(text, time->total_ns, scale));
    pt_facts_printf(&facts, "self %s", pt_units_scaled(text, time->self_ns, scale));
    if (block->has_lines && block->warning)
        pt_facts_put(&facts, PT_SCREEN_WARN, block->warning);
    pt_facts_end(&facts);
cleanup:
    pt_buffer_release(&name);
    return status;
}

/* A line of source, its tabs as the spaces that an editor shows, harmless, and not too long. */
static enum pt_status put_source(struct pt_grid *grid, const struct pt_source *source, uint32_t number,
                                 enum pt_screen_style style)
{
    struct pt_buffer spaced = {0};
    struct pt_buffer shown = {0};
    size_t size;
    const char *line = pt_source_line(source, number, &size);
    enum pt_status status = PT_OK;
    for (size_t i = 0; i < size && spaced.size < 4 * SOURCE_MAX && status == PT_OK; i++) {
        if (line[i] == '\t')
            status = pt_buffer_append(&spaced, "        ", TAB_COLUMNS - spaced.size % TAB_COLUMNS);
        else
            status = pt_buffer_append(&spaced, &line[i], 1);
    }
    if (status == PT_OK)
        status = pt_text_escape(&shown, spaced.size > 0 ? (const char *)spaced.data : "", spaced.size);
    if (status == PT_OK && pt_text_width((const char *)shown.data, shown.size) > SOURCE_MAX) {
        shown.size = pt_text_fit((const char *)shown.data, shown.size, SOURCE_MAX - 1);
        status = pt_buffer_append(&shown, "…", strlen("…"));
    }
    if (status == PT_OK)
        status = pt_buffer_append(&shown, "", 1);
    if (status == PT_OK)
        pt_grid_cell(grid, (const char *)shown.data, style);
    pt_buffer_release(&spaced);
    pt_buffer_release(&shown);
    return status;
}

static void put_number(struct pt_grid *grid, uint64_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, number);
    pt_grid_cell(grid, text, PT_SCREEN_PLAIN);
}

static void put_time(struct pt_grid *grid, uint64_t ns, uint64_t scale)
{
    char text[PT_UNITS_MAX];
    pt_grid_cell(grid, pt_units_scaled(text, ns, scale), PT_SCREEN_PLAIN);
}

static void put_empty(struct pt_grid *grid, size_t cells)
{
    for (size_t i = 0; i < cells; i++)
        pt_grid_cell(grid, "", PT_SCREEN_PLAIN);
}

static enum pt_status put_line(struct pt_grid *grid, const struct pt_lines_block *block,
                               const struct pt_line_time *line)
{
    uint64_t whole_ns = block->function->time.total_ns;
    uint64_t scale = pt_units_scale(whole_ns);
    double percent = percent_of(line->total_ns, whole_ns);
    char text[PT_UNITS_MAX];
    put_number(grid, line->place);
    pt_grid_cell(grid, line->hits ? pt_units_count(text, line->hits) : "–", PT_SCREEN_PLAIN);
    put_time(grid, line->self_ns, scale);
    put_time(grid, line->total_ns, scale);
    snprintf(text, sizeof text, "%.1f", percent);
    pt_grid_cell(grid, text, percent >= HOT_PERCENT ? PT_SCREEN_HOT : PT_SCREEN_PLAIN);
    return block->source ? put_source(grid, block->source, line->place, PT_SCREEN_PLAIN) : PT_OK;
}

/* Lines of source that were not come to, between two that were. */
static enum pt_status put_gap(struct pt_grid *grid, const struct pt_lines_block *block, uint32_t first, uint32_t end)
{
    if (end - first > GAP_LINES) {
        put_empty(grid, 5);
        pt_grid_cell(grid, "⋮", PT_SCREEN_DIM);
        return PT_OK;
    }
    for (uint32_t number = first; number < end; number++) {
        put_number(grid, number);
        put_empty(grid, 4);
        PT_TRY(put_source(grid, block->source, number, PT_SCREEN_DIM));
    }
    return PT_OK;
}

static enum pt_status put_lines(const struct pt_report *report, const struct pt_lines_block *block)
{
    static const char *const titles[] = {"LINE", "HITS", "SELF", "TOTAL", "%"};
    struct pt_grid grid = {0};
    enum pt_status status = PT_OK;
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        pt_grid_column(&grid, titles[i], false, 2);
    if (block->source)
        pt_grid_column(&grid, "SOURCE", true, 2);
    for (size_t i = 0; i < block->line_count && status == PT_OK; i++) {
        if (i > 0 && block->source)
            status = put_gap(&grid, block, block->lines[i - 1].place + 1, block->lines[i].place);
        if (status == PT_OK)
            status = put_line(&grid, block, &block->lines[i]);
    }
    if (status == PT_OK)
        status = pt_grid_print(&grid, report->screen);
    pt_grid_release(&grid);
    return status;
}

static enum pt_status put_opcodes(const struct pt_report *report, const struct pt_lines_block *block)
{
    struct pt_grid grid = {0};
    char text[PT_UNITS_MAX];
    pt_grid_column(&grid, "OFFSET", false, 2);
    pt_grid_column(&grid, "HITS", false, 2);
    if (block->has_lines)
        pt_grid_column(&grid, "LINE", false, 2);
    for (size_t i = 0; i < block->opcode_count; i++) {
        put_number(&grid, block->opcodes[i].place);
        pt_grid_cell(&grid, pt_units_count(text, block->opcodes[i].hits), PT_SCREEN_PLAIN);
        if (block->has_lines)
            put_number(&grid, block->opcodes[i].line);
    }
    enum pt_status status = pt_grid_print(&grid, report->screen);
    pt_grid_release(&grid);
    return status;
}

enum pt_status pt_lines_table_print(const struct pt_report *report, const struct pt_lines_block *block)
{
    PT_TRY(put_title(report, block));
    if (block->has_lines)
        PT_TRY(put_lines(report, block));
    return block->opcode_count > 0 ? put_opcodes(report, block) : PT_OK;
}
