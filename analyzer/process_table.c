#include "process_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "grid.h"
#include "process_tree.h"
#include "rails.h"
#include "text.h"
#include "units.h"

/* Of a line that is cut, the lines of the tree take this part at most. */
#define RAILS_PART 5

static uint64_t start_ns(const struct pt_trace *trace, const struct pt_process_row *row)
{
    return pt_trace_ns(trace, row->process->start_tick);
}

static uint64_t end_ns(const struct pt_trace *trace, const struct pt_process_row *row)
{
    bool known = row->process->end_tick != PT_META_ABSENT;
    uint64_t end = pt_trace_ns(trace, known ? row->process->end_tick : pt_trace_end_tick(trace));
    uint64_t start = start_ns(trace, row);
    return end > start ? end : start;
}

/* --- Table ------------------------------------------------------------------------------------------------------ */

static void put_number(struct pt_grid *grid, uint64_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, number);
    pt_grid_cell(grid, text, PT_SCREEN_PLAIN);
}

static void put_count(struct pt_grid *grid, uint64_t count)
{
    char text[PT_UNITS_MAX];
    pt_grid_cell(grid, pt_units_count(text, count), PT_SCREEN_PLAIN);
}

static void put_time(struct pt_grid *grid, uint64_t ns, uint64_t scale)
{
    char text[PT_UNITS_MAX];
    pt_grid_cell(grid, pt_units_scaled(text, ns, scale), PT_SCREEN_PLAIN);
}

static const char *ended(const struct pt_trace *trace, const struct pt_process *process)
{
    if (process->ended[0])
        return process->ended;
    return trace->arena == PT_TRACE_ARENA_LIVE ? "running" : "not known";
}

static enum pt_status put_program(struct pt_grid *grid, struct pt_rails *rails, struct pt_buffer *text,
                                  const struct pt_process_row *row)
{
    text->size = 0;
    PT_TRY(pt_rails_append(rails, text, row->depth, row->last));
    PT_TRY(pt_text_escape(text, row->program, strlen(row->program)));
    PT_TRY(pt_buffer_append(text, "", 1));
    pt_grid_cell(grid, (const char *)text->data, PT_SCREEN_PLAIN);
    return PT_OK;
}

static enum pt_status fill(struct pt_grid *grid, struct pt_rails *rails, const struct pt_trace *trace,
                           const struct pt_process_tree *tree)
{
    enum pt_status status = PT_OK;
    struct pt_buffer text = {0};
    uint64_t scale = pt_units_scale(pt_trace_ns(trace, pt_trace_end_tick(trace)));
    for (size_t i = 0; i < tree->count && status == PT_OK; i++) {
        const struct pt_process_row *row = &tree->rows[i];
        put_number(grid, row->pid);
        put_number(grid, row->process->pid);
        pt_grid_text(grid, row->process->origin);
        put_time(grid, start_ns(trace, row), scale);
        put_time(grid, end_ns(trace, row) - start_ns(trace, row), scale);
        pt_grid_text(grid, ended(trace, row->process));
        put_count(grid, row->threads);
        put_count(grid, row->events);
        put_count(grid, row->lost);
        status = put_program(grid, rails, &text, row);
    }
    pt_buffer_release(&text);
    return status;
}

enum pt_status pt_process_table_print(struct pt_screen *screen, const struct pt_input_trace *origin,
                                      const struct pt_options *options)
{
    static const struct {
        const char *title;
        bool left;
    } columns[] = {{"PID", false},  {"SYSTEM ID", false}, {"ORIGIN", true},  {"START", false}, {"SPAN", false},
                   {"ENDED", true}, {"THREADS", false},   {"EVENTS", false}, {"LOST", false},  {"PROGRAM", true}};
    static const size_t dispensable[] = {8, 6, 2, 3}; /* on narrow screens: LOST, THREADS, ORIGIN, START */
    struct pt_process_tree tree;
    struct pt_rails rails = {0};
    struct pt_grid grid = {0};

    enum pt_status status = pt_process_tree_make(&tree, origin, &options->pids);
    if (status == PT_OK)
        status = pt_rails_init(&rails, tree.deepest, pt_screen_width(screen) / RAILS_PART);
    if (status != PT_OK)
        goto cleanup;
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        pt_grid_column(&grid, columns[i].title, columns[i].left, 2);
    for (size_t i = 0; i < sizeof dispensable / sizeof dispensable[0]; i++)
        pt_grid_give_way(&grid, dispensable[i]);
    status = fill(&grid, &rails, origin->trace, &tree);
    if (status == PT_OK)
        status = pt_grid_print(&grid, screen);
cleanup:
    pt_grid_release(&grid);
    pt_rails_release(&rails);
    pt_process_tree_release(&tree);
    return status;
}

/* --- JSON ------------------------------------------------------------------------------------------------------- */

static void write_process(struct pt_json *json, const struct pt_trace *trace, const struct pt_process_row *row)
{
    const struct pt_process *process = row->process;
    pt_json_open(json, '{', false);
    pt_json_put_uint(json, "pid", row->pid);
    pt_json_put_uint(json, "parent", row->parent);
    pt_json_put_uint(json, "system_pid", process->pid);
    pt_json_put_text(json, "origin", process->origin);
    pt_json_put_text(json, "program", row->program);
    pt_json_put_uint(json, "start_ns", start_ns(trace, row));
    if (process->end_tick != PT_META_ABSENT)
        pt_json_put_uint(json, "end_ns", end_ns(trace, row));
    else
        pt_json_put_null(json, "end_ns");
    if (process->ended[0])
        pt_json_put_text(json, "ended", process->ended);
    else
        pt_json_put_null(json, "ended");
    pt_json_put_uint(json, "threads", row->threads);
    pt_json_put_uint(json, "events", row->events);
    pt_json_put_uint(json, "lost", row->lost);
    pt_json_key(json, "notes");
    pt_json_open(json, '[', false);
    for (size_t i = 0; i < process->note_count; i++)
        pt_json_text(json, process->notes[i]);
    pt_json_close(json, ']');
    pt_json_close(json, '}');
}

enum pt_status pt_process_table_json(struct pt_json *json, const struct pt_input_trace *origin,
                                     const struct pt_options *options)
{
    struct pt_process_tree tree;
    enum pt_status status = pt_process_tree_make(&tree, origin, &options->pids);
    if (status == PT_OK) {
        pt_json_open(json, '[', true);
        for (size_t i = 0; i < tree.count; i++)
            write_process(json, origin->trace, &tree.rows[i]);
        pt_json_close(json, ']');
    }
    pt_process_tree_release(&tree);
    return status;
}
