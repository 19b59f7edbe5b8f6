/* threads: what each thread did; with --by process, what each process did. */
#include <inttypes.h>
#include <stdio.h>

#include "csv.h"
#include "grid.h"
#include "header_line.h"
#include "json.h"
#include "report.h"
#include "thread_rows.h"
#include "units.h"

static bool by_process(const struct pt_report *report)
{
    return report->options->by == PT_BY_PROCESS;
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

static void put_identity(struct pt_grid *grid, const struct pt_thread_row *row, bool process)
{
    char number[32];
    snprintf(number, sizeof number, "%" PRIu64, process ? row->system_pid : row->thread->thread->meta.native_id);
    if (!process)
        put_count(grid, row->thread->tid);
    put_count(grid, row->thread->pid);
    pt_grid_cell(grid, number, PT_SCREEN_PLAIN);
    if (process)
        put_count(grid, row->threads);
}

static enum pt_status print_table(const struct pt_report *report, const struct pt_thread_rows *rows)
{
    static const char *const of_threads[] = {"TID", "PID", "NATIVE ID"};
    static const char *const of_processes[] = {"PID", "SYSTEM ID", "THREADS"};
    static const char *const figures[] = {"START", "SPAN", "BUSY", "EVENTS", "CALLS", "LOST", "STALLED"};
    static const size_t dispensable[] = {2, 9, 8, 3}; /* on narrow screens: the third, STALLED, LOST, START */
    const bool process = by_process(report);
    struct pt_grid grid = {0};
    uint64_t scale = pt_units_scale(report->input->wall_ns);
    for (size_t i = 0; i < sizeof of_threads / sizeof of_threads[0]; i++)
        pt_grid_column(&grid, process ? of_processes[i] : of_threads[i], false, 2);
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        pt_grid_column(&grid, figures[i], false, 2);
    pt_grid_column(&grid, process ? "PROGRAM" : "NAME", true, 2);
    for (size_t i = 0; i < sizeof dispensable / sizeof dispensable[0]; i++)
        pt_grid_give_way(&grid, dispensable[i]);
    for (size_t i = 0; i < rows->count; i++) {
        const struct pt_thread_row *row = &rows->rows[i];
        put_identity(&grid, row, process);
        put_time(&grid, row->start_ns, scale);
        put_time(&grid, row->end_ns - row->start_ns, scale);
        put_time(&grid, row->busy_ns, scale);
        put_count(&grid, row->events);
        put_count(&grid, row->calls);
        put_count(&grid, row->lost);
        put_time(&grid, row->stalled_ns, scale);
        pt_grid_text(&grid, process ? row->program : row->thread->thread->meta.name);
    }
    pt_header_line_print(report);
    enum pt_status status = pt_grid_print(&grid, report->screen);
    pt_grid_release(&grid);
    return status;
}

static void write_json(const struct pt_report *report, const struct pt_thread_rows *rows)
{
    const bool process = by_process(report);
    struct pt_json json;
    pt_header_line_json_open(&json, report);
    pt_json_key(&json, process ? "processes" : "threads");
    pt_json_open(&json, '[', true);
    for (size_t i = 0; i < rows->count; i++) {
        const struct pt_thread_row *row = &rows->rows[i];
        pt_json_open(&json, '{', false);
        if (!process)
            pt_json_put_uint(&json, "tid", row->thread->tid);
        pt_json_put_uint(&json, "pid", row->thread->pid);
        if (!process)
            pt_json_put_uint(&json, "native_id", row->thread->thread->meta.native_id);
        pt_json_put_uint(&json, "system_pid", row->system_pid);
        if (process) {
            pt_json_put_text(&json, "program", row->program);
            pt_json_put_uint(&json, "threads", row->threads);
        } else {
            pt_json_put_text(&json, "name", row->thread->thread->meta.name);
        }
        pt_json_put_uint(&json, "start_ns", row->start_ns);
        pt_json_put_uint(&json, "end_ns", row->end_ns);
        pt_json_put_uint(&json, "busy_ns", row->busy_ns);
        pt_json_put_uint(&json, "events", row->events);
        pt_json_put_uint(&json, "calls", row->calls);
        pt_json_put_uint(&json, "lost", row->lost);
        pt_json_put_uint(&json, "stalled_ns", row->stalled_ns);
        pt_json_close(&json, '}');
    }
    pt_json_close(&json, ']');
    pt_header_line_json_close(&json);
}

static void write_csv(const struct pt_report *report, const struct pt_thread_rows *rows)
{
    const bool process = by_process(report);
    struct pt_csv csv = {.screen = report->screen};
    pt_screen_put(report->screen, process ? "pid,system_pid,program,threads" : "tid,pid,native_id,system_pid,name");
    pt_screen_put(report->screen, ",start_ns,end_ns,busy_ns,events,calls,lost,stalled_ns\n");
    for (size_t i = 0; i < rows->count; i++) {
        const struct pt_thread_row *row = &rows->rows[i];
        if (!process)
            pt_csv_uint(&csv, row->thread->tid);
        pt_csv_uint(&csv, row->thread->pid);
        if (!process)
            pt_csv_uint(&csv, row->thread->thread->meta.native_id);
        pt_csv_uint(&csv, row->system_pid);
        pt_csv_text(&csv, process ? row->program : row->thread->thread->meta.name);
        if (process)
            pt_csv_uint(&csv, row->threads);
        pt_csv_uint(&csv, row->start_ns);
        pt_csv_uint(&csv, row->end_ns);
        pt_csv_uint(&csv, row->busy_ns);
        pt_csv_uint(&csv, row->events);
        pt_csv_uint(&csv, row->calls);
        pt_csv_uint(&csv, row->lost);
        pt_csv_uint(&csv, row->stalled_ns);
        pt_csv_line(&csv);
    }
}

enum pt_status pt_report_threads(struct pt_report *report)
{
    struct pt_thread_rows rows = {0};
    if (report->options->by_given && report->options->by != PT_BY_THREAD && !by_process(report))
        return pt_error_set(&report->error, PT_MISUSE, PT_ERROR_NO_OFFSET, "--by: rows are threads, or processes");
    enum pt_status status = pt_thread_rows_make(&rows, report, by_process(report));
    if (status != PT_OK)
        goto cleanup;
    if (report->options->format == PT_FORMAT_JSON)
        write_json(report, &rows);
    else if (report->options->format == PT_FORMAT_CSV)
        write_csv(report, &rows);
    else
        status = print_table(report, &rows);
cleanup:
    pt_thread_rows_release(&rows);
    return status;
}
