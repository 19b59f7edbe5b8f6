#include "thread_rows.h"

#include <stdlib.h>

#include "process_tree.h"
#include "replay.h"
#include "stash.h"

/* Sums up what the steps tell of one thread after another. */
struct sums {
    struct pt_thread_rows *rows;
    uint64_t busy; /* ticks, of the last row */
    uint64_t stalled;
    size_t depth;
    uint64_t last;
    struct pt_stash stash;
};

static uint64_t to_ns(const struct pt_thread_row *row, uint64_t ticks)
{
    return pt_stream_ns(ticks, row->thread->origin->clock_ns);
}

static enum pt_status take_thread(void *context, const struct pt_input_thread *thread)
{
    struct sums *sums = context;
    sums->rows->rows[sums->rows->count++].thread = thread;
    sums->busy = sums->stalled = 0;
    sums->depth = 0;
    return PT_OK;
}

static enum pt_status switch_to(struct sums *sums, const struct pt_step *step)
{
    struct pt_stash_stack stack = {.depth = sums->depth};
    uint64_t away;
    PT_TRY(pt_stash_switch(&sums->stash, step->function, step->clock, &stack, &away));
    sums->depth = stack.depth;
    return PT_OK;
}

static enum pt_status take_steps(void *context, const struct pt_step *steps, size_t count)
{
    struct sums *sums = context;
    struct pt_thread_row *row = &sums->rows->rows[sums->rows->count - 1];
    for (size_t i = 0; i < count; i++) {
        uint64_t passed = sums->depth > 0 ? steps[i].clock - sums->last : 0;
        sums->last = steps[i].clock;
        if (steps[i].kind == PT_STEP_SKIP)
            sums->stalled += passed;
        else
            sums->busy += passed;
        row->calls += steps[i].kind == PT_STEP_CALL;
        if (steps[i].kind <= PT_STEP_OPEN)
            sums->depth++;
        else if (steps[i].kind <= PT_STEP_CLOSE)
            sums->depth--;
        else if (steps[i].kind == PT_STEP_SWITCH)
            PT_TRY(switch_to(sums, &steps[i]));
    }
    row->busy_ns = to_ns(row, sums->busy);
    row->stalled_ns = to_ns(row, sums->stalled);
    return PT_OK;
}

/* What metadata and chunk headers tell. */
static void fill_row(struct pt_thread_row *row)
{
    const struct pt_trace *trace = row->thread->origin->trace;
    const struct pt_trace_thread *thread = row->thread->thread;
    const uint64_t process = thread->meta.process;
    uint64_t end_tick = thread->meta.end_tick;
    for (size_t i = 0; i < thread->chunk_count; i++) {
        row->events += thread->chunks[i].info.events;
        row->lost += thread->chunks[i].info.lost;
    }
    if (end_tick == PT_META_ABSENT)
        end_tick =
            thread->chunk_count > 0 ? thread->chunks[thread->chunk_count - 1].info.last_tick : thread->meta.start_tick;
    row->threads = 1;
    row->start_ns = pt_trace_ns(trace, thread->meta.start_tick);
    row->end_ns = pt_trace_ns(trace, end_tick);
    if (row->end_ns < row->start_ns)
        row->end_ns = row->start_ns;
    row->system_pid = process > 0 && process <= trace->process_count ? trace->processes[process - 1].pid : 0;
    row->program = pt_process_program(trace, process);
}

static int compare_pids(const void *left, const void *right)
{
    const struct pt_thread_row *a = left, *b = right;
    if (a->thread->pid != b->thread->pid)
        return a->thread->pid < b->thread->pid ? -1 : 1;
    return a->thread->tid < b->thread->tid ? -1 : 1;
}

static void add_row(struct pt_thread_row *into, const struct pt_thread_row *row)
{
    into->threads += row->threads;
    into->events += row->events;
    into->lost += row->lost;
    into->calls += row->calls;
    into->busy_ns += row->busy_ns;
    into->stalled_ns += row->stalled_ns;
    into->start_ns = row->start_ns < into->start_ns ? row->start_ns : into->start_ns;
    into->end_ns = row->end_ns > into->end_ns ? row->end_ns : into->end_ns;
}

/* One row a process in place of those of its threads. */
static void merge_processes(struct pt_thread_rows *rows)
{
    size_t count = 0;
    qsort(rows->rows, rows->count, sizeof *rows->rows, compare_pids);
    for (size_t i = 0; i < rows->count; i++) {
        if (count > 0 && rows->rows[count - 1].thread->pid == rows->rows[i].thread->pid)
            add_row(&rows->rows[count - 1], &rows->rows[i]);
        else
            rows->rows[count++] = rows->rows[i];
    }
    rows->count = count;
}

enum pt_status pt_thread_rows_make(struct pt_thread_rows *rows, struct pt_report *report, bool by_process)
{
    struct sums sums = {.rows = rows};
    struct pt_replay_sink sink = {.context = &sums, .thread = take_thread, .steps = take_steps};
    rows->rows = calloc(report->input->thread_count + 1, sizeof *rows->rows);
    if (!rows->rows)
        return PT_NOMEM;
    enum pt_status status = pt_replay(report, &report->view, &sink);
    pt_stash_release(&sums.stash);
    PT_TRY(status);
    for (size_t i = 0; i < rows->count; i++)
        fill_row(&rows->rows[i]);
    if (by_process)
        merge_processes(rows);
    return PT_OK;
}

void pt_thread_rows_release(struct pt_thread_rows *rows)
{
    free(rows->rows);
    *rows = (struct pt_thread_rows){0};
}
