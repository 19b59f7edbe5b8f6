/* threads: what each thread did. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "grid.h"
#include "header_line.h"
#include "json.h"
#include "replay.h"
#include "report.h"
#include "units.h"

struct row {
    const struct pt_input_thread *thread;
    uint64_t events;
    uint64_t lost;
    uint64_t calls;   /* what the filters let through */
    uint64_t busy;    /* ticks with a frame open, stalls taken out */
    uint64_t stalled; /* ticks */
    uint64_t start_ns;
    uint64_t end_ns;
};

/* Sums up what the steps tell of one thread after another. */
struct sums {
    struct row *rows;
    size_t count;
    size_t depth;
    uint64_t last;
};

static enum pt_status take_thread(void *context, const struct pt_input_thread *thread)
{
    struct sums *sums = context;
    sums->rows[sums->count++].thread = thread;
    sums->depth = 0;
    return PT_OK;
}

static enum pt_status take_steps(void *context, const struct pt_step *steps, size_t count)
{
    struct sums *sums = context;
    struct row *row = &sums->rows[sums->count - 1];
    for (size_t i = 0; i < count; i++) {
        uint64_t passed = sums->depth > 0 ? steps[i].clock - sums->last : 0;
        sums->last = steps[i].clock;
        if (steps[i].kind == PT_STEP_SKIP)
            row->stalled += passed;
        else
            row->busy += passed;
        row->calls += steps[i].kind == PT_STEP_CALL;
        if (steps[i].kind <= PT_STEP_OPEN)
            sums->depth++;
        else if (steps[i].kind <= PT_STEP_CLOSE)
            sums->depth--;
    }
    return PT_OK;
}

static uint64_t row_ns(const struct row *row, uint64_t ticks)
{
    return (uint64_t)((double)ticks * row->thread->origin->tick_ns + 0.5);
}

/* What metadata and chunk headers tell. */
static void fill_row(struct row *row)
{
    const struct pt_trace *trace = row->thread->origin->trace;
    const struct pt_trace_thread *thread = row->thread->thread;
    uint64_t end_tick = thread->meta.end_tick;
    for (size_t i = 0; i < thread->chunk_count; i++) {
        row->events += thread->chunks[i].info.events;
        row->lost += thread->chunks[i].info.lost;
    }
    if (end_tick == PT_META_ABSENT)
        end_tick =
            thread->chunk_count > 0 ? thread->chunks[thread->chunk_count - 1].info.last_tick : thread->meta.start_tick;
    row->start_ns = pt_trace_ns(trace, thread->meta.start_tick);
    row->end_ns = pt_trace_ns(trace, end_tick);
    if (row->end_ns < row->start_ns)
        row->end_ns = row->start_ns;
}

static uint64_t system_pid(const struct row *row)
{
    const struct pt_trace *trace = row->thread->origin->trace;
    size_t index = (size_t)(row->thread->thread->meta.process - 1);
    return index < trace->process_count ? trace->processes[index].pid : 0;
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

static enum pt_status print_table(const struct pt_report *report, const struct row *rows, size_t count)
{
    static const char *const titles[] = {"TID",  "PID",    "NATIVE ID", "START", "SPAN",
                                         "BUSY", "EVENTS", "CALLS",     "LOST",  "STALLED"};
    static const size_t dispensable[] = {2, 9, 8, 3}; /* on narrow screens: NATIVE ID, STALLED, LOST, START */
    struct pt_grid grid = {0};
    uint64_t scale = pt_units_scale(report->input->wall_ns);
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        pt_grid_column(&grid, titles[i], false, 2);
    pt_grid_column(&grid, "NAME", true, 2);
    for (size_t i = 0; i < sizeof dispensable / sizeof dispensable[0]; i++)
        pt_grid_give_way(&grid, dispensable[i]);
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        char number[32];
        put_count(&grid, row->thread->tid);
        put_count(&grid, row->thread->pid);
        snprintf(number, sizeof number, "%" PRIu64, row->thread->thread->meta.native_id);
        pt_grid_cell(&grid, number, PT_SCREEN_PLAIN);
        put_time(&grid, row->start_ns, scale);
        put_time(&grid, row->end_ns - row->start_ns, scale);
        put_time(&grid, row_ns(row, row->busy), scale);
        put_count(&grid, row->events);
        put_count(&grid, row->calls);
        put_count(&grid, row->lost);
        put_time(&grid, row_ns(row, row->stalled), scale);
        pt_grid_text(&grid, row->thread->thread->meta.name);
    }
    pt_header_line_print(report);
    enum pt_status status = pt_grid_print(&grid, report->screen);
    pt_grid_release(&grid);
    return status;
}

static void write_json(const struct pt_report *report, const struct row *rows, size_t count)
{
    struct pt_json json;
    pt_header_line_json_open(&json, report);
    pt_json_key(&json, "threads");
    pt_json_open(&json, '[', true);
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        pt_json_open(&json, '{', false);
        pt_json_put_uint(&json, "tid", row->thread->tid);
        pt_json_put_uint(&json, "pid", row->thread->pid);
        pt_json_put_uint(&json, "native_id", row->thread->thread->meta.native_id);
        pt_json_put_uint(&json, "system_pid", system_pid(row));
        pt_json_put_text(&json, "name", row->thread->thread->meta.name);
        pt_json_put_uint(&json, "start_ns", row->start_ns);
        pt_json_put_uint(&json, "end_ns", row->end_ns);
        pt_json_put_uint(&json, "busy_ns", row_ns(row, row->busy));
        pt_json_put_uint(&json, "events", row->events);
        pt_json_put_uint(&json, "calls", row->calls);
        pt_json_put_uint(&json, "lost", row->lost);
        pt_json_put_uint(&json, "stalled_ns", row_ns(row, row->stalled));
        pt_json_close(&json, '}');
    }
    pt_json_close(&json, ']');
    pt_header_line_json_close(&json);
}

static void write_csv(const struct pt_report *report, const struct row *rows, size_t count)
{
    struct pt_csv csv = {.screen = report->screen};
    pt_screen_put(report->screen,
                  "tid,pid,native_id,system_pid,name,start_ns,end_ns,busy_ns,events,calls,lost,stalled_ns\n");
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        pt_csv_uint(&csv, row->thread->tid);
        pt_csv_uint(&csv, row->thread->pid);
        pt_csv_uint(&csv, row->thread->thread->meta.native_id);
        pt_csv_uint(&csv, system_pid(row));
        pt_csv_text(&csv, row->thread->thread->meta.name);
        pt_csv_uint(&csv, row->start_ns);
        pt_csv_uint(&csv, row->end_ns);
        pt_csv_uint(&csv, row_ns(row, row->busy));
        pt_csv_uint(&csv, row->events);
        pt_csv_uint(&csv, row->calls);
        pt_csv_uint(&csv, row->lost);
        pt_csv_uint(&csv, row_ns(row, row->stalled));
        pt_csv_line(&csv);
    }
}

enum pt_status pt_report_threads(struct pt_report *report)
{
    struct sums sums = {0};
    struct pt_replay_sink sink = {.context = &sums, .thread = take_thread, .steps = take_steps};
    sums.rows = calloc(report->input->thread_count + 1, sizeof *sums.rows);
    if (!sums.rows)
        return PT_NOMEM;
    enum pt_status status = pt_replay(report, &report->view, &sink);
    if (status != PT_OK)
        goto cleanup;
    for (size_t i = 0; i < sums.count; i++)
        fill_row(&sums.rows[i]);
    if (report->options->format == PT_FORMAT_JSON)
        write_json(report, sums.rows, sums.count);
    else if (report->options->format == PT_FORMAT_CSV)
        write_csv(report, sums.rows, sums.count);
    else
        status = print_table(report, sums.rows, sums.count);
cleanup:
    free(sums.rows);
    return status;
}
