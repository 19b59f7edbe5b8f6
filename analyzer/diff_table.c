/* A comparison for people. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "facts.h"
#include "grid.h"
#include "text.h"
#include "units.h"

#define CELL 120

/* --- Cells ------------------------------------------------------------------------------------------------------ */

static void print_calls(char *cell, const struct pt_diff *diff, const struct pt_diff_row *row)
{
    char counts[2][PT_UNITS_MAX];
    const char *marks[2];
    for (int side = 0; side < 2; side++) {
        pt_units_count(counts[side], pt_diff_calls(diff, row, (enum pt_side)side));
        marks[side] = row->calls_vary[side] ? "≈ " : diff->rows.lossy[side] ? "≥ " : "";
    }
    if (strcmp(counts[0], counts[1]) == 0 && strcmp(marks[0], marks[1]) == 0)
        snprintf(cell, CELL, "%s%s =", marks[0], counts[0]);
    else
        snprintf(cell, CELL, "%s%s → %s%s", marks[0], counts[0], marks[1], counts[1]);
}

static void print_speed(char *cell, const char *word, double speed)
{
    double percent = 100 * speed;
    if (percent >= 999.5)
        snprintf(cell, CELL, "%s ×%.0f", word, 1 + speed);
    else
        snprintf(cell, CELL, "%s %+.*f %%", word, fabs(percent) < 9.95 ? 1 : 0, percent);
}

/* What is sure about the calls goes before what is not about their speed. */
static void print_verdict(char *cell, const struct pt_diff_row *row)
{
    static const char *const changes[] = {
        [PT_DIFF_MORE] = "more calls", [PT_DIFF_FEWER] = "fewer calls", [PT_DIFF_NEW] = "new",
        [PT_DIFF_REMOVED] = "removed", [PT_DIFF_VARIES] = "calls vary", [PT_DIFF_UNKNOWN] = "unknown",
    };
    if (row->verdict == PT_DIFF_SLOWER || row->verdict == PT_DIFF_FASTER)
        print_speed(cell, row->verdict == PT_DIFF_SLOWER ? "slower" : "faster", row->speed);
    else if (row->change != PT_DIFF_AS_BEFORE)
        snprintf(cell, CELL, "%s", changes[row->change]);
    else
        snprintf(cell, CELL, "%s", row->verdict == PT_DIFF_UNCHANGED ? "unchanged" : "can't tell");
}

static enum pt_screen_style style_of(const struct pt_diff_row *row)
{
    if (row->verdict == PT_DIFF_SLOWER)
        return PT_SCREEN_HOT;
    if (row->verdict == PT_DIFF_FASTER)
        return PT_SCREEN_GOOD;
    return row->change == PT_DIFF_UNKNOWN ? PT_SCREEN_WARN : PT_SCREEN_PLAIN;
}

static enum pt_status append(struct pt_buffer *out, const char *text)
{
    return pt_buffer_append(out, text, strlen(text));
}

static enum pt_status append_name(struct pt_buffer *out, const struct pt_diff *diff, uint32_t number)
{
    return pt_text_function(out, pt_diff_function(diff, number), diff->report->options->paths);
}

/* A path from its end, which is what the row is about, to the outermost caller. */
static enum pt_status append_path(struct pt_buffer *out, const struct pt_diff *diff, uint32_t path)
{
    const struct pt_diff_path *paths = diff->paths.paths;
    PT_TRY(append_name(out, diff, paths[path].function));
    for (path = paths[path].parent; path; path = paths[path].parent) {
        PT_TRY(append(out, " ← "));
        PT_TRY(append_name(out, diff, paths[path].function));
    }
    return PT_OK;
}

/* Where the function was before; with a question mark if its code is not the same. */
static enum pt_status append_origin(struct pt_buffer *out, const struct pt_diff *diff, uint32_t number)
{
    const struct pt_diff_function *function = &diff->match.functions[number];
    if (function->how == PT_DIFF_SAME)
        return PT_OK;
    PT_TRY(append(out, " (was "));
    PT_TRY(pt_text_function(out, function->sides[PT_SIDE_BASE], diff->report->options->paths));
    return append(out, function->guess ? "?)" : ")");
}

static enum pt_status add_name(struct pt_grid *grid, const struct pt_diff *diff, const struct pt_diff_row *row)
{
    struct pt_buffer name = {0};
    bool by_path = diff->report->options->by == PT_BY_PATH;
    enum pt_status status = by_path ? append_path(&name, diff, row->number) : append_name(&name, diff, row->function);
    if (status == PT_OK && !by_path)
        status = append_origin(&name, diff, row->function);
    if (status == PT_OK)
        status = pt_buffer_append(&name, "", 1);
    if (status == PT_OK)
        pt_grid_cell(grid, (const char *)name.data, PT_SCREEN_PLAIN);
    pt_buffer_release(&name);
    return status;
}

static void add_split(struct pt_grid *grid, int64_t delta_ns, int64_t calls_ns, int64_t speed_ns, uint64_t scale)
{
    char text[PT_UNITS_MAX];
    pt_grid_cell(grid, pt_units_signed(text, delta_ns, scale), PT_SCREEN_STRONG);
    pt_grid_cell(grid, pt_units_signed(text, calls_ns, scale), PT_SCREEN_PLAIN);
    pt_grid_cell(grid, pt_units_signed(text, speed_ns, scale), PT_SCREEN_PLAIN);
}

/* --- Rows that are not shown ------------------------------------------------------------------------------------ */

static void add_rest(struct pt_grid *grid, const struct pt_diff *diff, uint64_t scale)
{
    char line[80];
    char digits[PT_UNITS_MAX];
    int64_t delta_ns = 0;
    int64_t calls_ns = 0;
    int64_t speed_ns = 0;
    for (size_t i = diff->shown; i < diff->rows.count; i++) {
        delta_ns += diff->rows.rows[i].delta_ns;
        calls_ns += diff->rows.rows[i].calls_ns;
        speed_ns += diff->rows.rows[i].speed_ns;
    }
    snprintf(line, sizeof line, "rest: %s %s%s", pt_units_count(digits, diff->rows.count - diff->shown),
             diff->report->options->by == PT_BY_PATH ? "path" : "function",
             diff->rows.count - diff->shown == 1 ? "" : "s");
    add_split(grid, delta_ns, calls_ns, speed_ns, scale);
    pt_grid_cell(grid, "", PT_SCREEN_PLAIN);
    pt_grid_cell(grid, "", PT_SCREEN_PLAIN);
    pt_grid_cell(grid, line, PT_SCREEN_DIM);
}

static void put_count(struct pt_facts *facts, const char *word, uint64_t count)
{
    char digits[PT_UNITS_MAX];
    if (count > 0)
        pt_facts_printf(facts, "%s %s", pt_units_count(digits, count), word);
}

/* What became of the rows that are not shown, and the smallest change that every one of them would have shown. */
static void print_rest(const struct pt_diff *diff)
{
    struct pt_facts facts = {.screen = diff->report->screen, .between = " · ", .indent = 2};
    uint64_t verdicts[PT_DIFF_NO_VERDICT + 1] = {0};
    uint64_t calls = 0;
    double visible_ns = 0;
    char text[PT_UNITS_MAX];
    for (size_t i = diff->shown; i < diff->rows.count; i++) {
        const struct pt_diff_row *row = &diff->rows.rows[i];
        if (row->change != PT_DIFF_AS_BEFORE)
            calls++;
        else
            verdicts[row->verdict]++;
        if (row->verdict == PT_DIFF_CANT_TELL)
            visible_ns = fmax(visible_ns, row->visible_ns);
    }
    pt_facts_put(&facts, PT_SCREEN_DIM, "Of the rest");
    put_count(&facts, "unchanged", verdicts[PT_DIFF_UNCHANGED]);
    put_count(&facts, "slower", verdicts[PT_DIFF_SLOWER]);
    put_count(&facts, "faster", verdicts[PT_DIFF_FASTER]);
    put_count(&facts, "with other calls", calls);
    put_count(&facts, "can't tell", verdicts[PT_DIFF_CANT_TELL] + verdicts[PT_DIFF_NO_VERDICT]);
    if (verdicts[PT_DIFF_CANT_TELL] > 0 && isfinite(visible_ns))
        pt_facts_printf(&facts, "smallest effect visible: %s", pt_units_time(text, visible_ns));
    pt_facts_end(&facts);
}

enum pt_status pt_diff_table_print(const struct pt_diff *diff)
{
    const struct pt_report *report = diff->report;
    const struct pt_diff_rows *rows = &diff->rows;
    struct pt_grid grid = {0};
    enum pt_status status = PT_OK;
    uint64_t greatest = 0;
    char cell[CELL];
    for (int side = 0; side < 2; side++)
        greatest = rows->total.self_ns[side] > greatest ? rows->total.self_ns[side] : greatest;
    const uint64_t scale = pt_units_scale(greatest);

    PT_TRY(pt_diff_summary_print(diff, scale));
    if (rows->count == 0)
        return PT_OK;
    pt_grid_column(&grid, "Δ SELF", false, 2);
    pt_grid_column(&grid, "= CALLS", false, 2);
    pt_grid_column(&grid, "+ SPEED", false, 2);
    pt_grid_column(&grid, "A calls → B calls", false, 2);
    pt_grid_column(&grid, "VERDICT", true, 2);
    pt_grid_column(&grid, report->options->by == PT_BY_PATH ? "PATH" : "FUNCTION", true, 2);
    pt_grid_give_way(&grid, 1);
    pt_grid_give_way(&grid, 2);
    for (size_t i = 0; i < diff->shown && status == PT_OK; i++) {
        const struct pt_diff_row *row = &rows->rows[i];
        add_split(&grid, row->delta_ns, row->calls_ns, row->speed_ns, scale);
        print_calls(cell, diff, row);
        pt_grid_cell(&grid, cell, PT_SCREEN_PLAIN);
        print_verdict(cell, row);
        pt_grid_cell(&grid, cell, style_of(row));
        status = add_name(&grid, diff, row);
    }
    if (diff->shown < rows->count)
        add_rest(&grid, diff, scale);
    if (status == PT_OK)
        status = pt_grid_print(&grid, report->screen);
    pt_grid_release(&grid);
    if (status == PT_OK) {
        if (diff->shown < rows->count)
            print_rest(diff);
        pt_diff_summary_print_end(diff);
    }
    return status;
}
