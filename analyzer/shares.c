#include "shares.h"

#include <pthread.h>
#include <stdlib.h>

#include "interrupt.h"

/* A place between two chunks. */
struct cut {
    size_t thread; /* of the input */
    size_t chunk;  /* the first one behind the cut; 0: between two threads */
};

struct worker {
    struct pt_report *report;
    struct cut from;
    struct cut to;
    struct pt_replay_sink sink;
    struct pt_stream *stream;
    atomic_bool *misfit; /* of all workers: some cut was of no use */
    enum pt_status status;
    pthread_t thread;
    bool runs; /* on a thread of its own */
};

/* --- Cutting ---------------------------------------------------------------------------------------------------- */

/* Frames that are open at a cut go on behind it only if all of them are told. */
static bool may_cut(const struct pt_trace_chunk *chunk)
{
    return !chunk->gap_before && chunk->info.depth <= PT_CHUNK_KEYFRAME_MAX;
}

/* The cut behind `events` events from `*at` on, or the next one that is possible. */
static struct cut cut_behind(const struct pt_input *input, struct cut at, size_t end_thread, uint64_t events,
                             bool through_threads)
{
    uint64_t passed = 0;
    for (; at.thread < end_thread; at.thread++, at.chunk = 0) {
        const struct pt_trace_thread *thread = input->threads[at.thread].thread;
        if (at.chunk == 0 && passed >= events)
            break;
        for (; at.chunk < thread->chunk_count; at.chunk++) {
            if (passed >= events && at.chunk > 0 && through_threads && may_cut(&thread->chunks[at.chunk]))
                return at;
            passed += thread->chunks[at.chunk].info.events;
        }
    }
    return at;
}

static uint64_t count_events(const struct pt_input *input, size_t from_thread, size_t to_thread)
{
    uint64_t events = 0;
    for (size_t i = from_thread; i < to_thread; i++)
        for (size_t c = 0; c < input->threads[i].thread->chunk_count; c++)
            events += input->threads[i].thread->chunks[c].info.events;
    return events;
}

/* --- One worker ------------------------------------------------------------------------------------------------- */

static enum pt_status take(struct worker *worker, const struct pt_step *steps, size_t count)
{
    const struct pt_replay_sink *sink = &worker->sink;
    if (sink->cut && pt_stream_at_cut(worker->stream))
        return sink->cut(sink->context, steps, count);
    return count > 0 ? sink->steps(sink->context, steps, count) : PT_OK;
}

/* PT_CORRUPT: a cut was of no use. */
static enum pt_status read_part(struct worker *worker, size_t thread, size_t first, size_t end)
{
    const struct pt_stream_totals *totals = pt_stream_totals(worker->stream);
    const struct pt_step *steps;
    size_t count;
    enum pt_status status = PT_OK;
    pt_stream_begin_part(worker->stream, &worker->report->input->threads[thread], first, end);
    if (worker->sink.thread)
        PT_TRY(worker->sink.thread(worker->sink.context, &worker->report->input->threads[thread]));
    while (status == PT_OK) {
        const uint64_t before = totals->events;
        status = pt_stream_next(worker->stream, &steps, &count);
        if (status == PT_OK)
            status = take(worker, steps, count);
        pt_progress_step(worker->report->progress, totals->events - before);
        if (status == PT_OK && atomic_load_explicit(worker->misfit, memory_order_relaxed))
            return PT_CORRUPT;
        if (status == PT_OK && pt_interrupt_requested())
            return PT_END;
    }
    return status == PT_END ? PT_OK : status;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    const struct pt_input *input = worker->report->input;
    struct cut at = worker->from;
    while (worker->status == PT_OK && (at.thread < worker->to.thread || at.chunk < worker->to.chunk)) {
        const bool is_last = at.thread == worker->to.thread;
        const size_t end = is_last ? worker->to.chunk : input->threads[at.thread].thread->chunk_count;
        worker->status = read_part(worker, at.thread, at.chunk, end);
        if (is_last)
            break;
        at = (struct cut){.thread = at.thread + 1};
    }
    if (worker->status == PT_CORRUPT)
        atomic_store_explicit(worker->misfit, true, memory_order_relaxed);
    return NULL;
}

/* --- All workers of a trace ------------------------------------------------------------------------------------- */

static void add_figures(struct pt_report *report, const struct pt_input_trace *origin, const struct worker *workers,
                        size_t count)
{
    struct pt_figures *figures = &report->figures[origin - report->input->traces];
    uint64_t stalled_ticks = 0;
    for (size_t i = 0; i < count; i++) {
        const struct pt_stream_totals *totals = pt_stream_totals(workers[i].stream);
        figures->calls += totals->calls;
        figures->unmatched += totals->unmatched;
        figures->missing += totals->missing;
        figures->bad_chunks += totals->bad_chunks;
        stalled_ticks += totals->stalled_ticks;
    }
    figures->stalled_ns += (uint64_t)((double)stalled_ticks * origin->tick_ns + 0.5);
}

/* The calling thread is the first worker. Where no thread can be had, it does that work too. */
static void run_all(struct worker *workers, size_t count)
{
    for (size_t i = 1; i < count; i++)
        workers[i].runs = pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0;
    for (size_t i = 0; i < count; i++)
        if (!workers[i].runs)
            work(&workers[i]);
    for (size_t i = 1; i < count; i++)
        if (workers[i].runs)
            pthread_join(workers[i].thread, NULL);
}

/* No more than there are chunks to read. */
static size_t count_workers(const struct pt_report *report, const struct pt_input_trace *origin)
{
    const size_t jobs = pt_replay_jobs(report);
    size_t chunks = 0;
    for (size_t i = 0; i < report->input->thread_count; i++)
        if (report->input->threads[i].origin == origin)
            chunks += report->input->threads[i].thread->chunk_count;
    return chunks == 0 ? 1 : jobs < chunks ? jobs : chunks;
}

/* PT_CORRUPT: a cut was of no use, and nothing was merged. */
static enum pt_status read_trace(struct pt_report *report, const struct pt_stream_view *view,
                                 const struct pt_shares *how, const struct pt_input_trace *origin, bool through_threads)
{
    const struct pt_input *input = report->input;
    const size_t count = count_workers(report, origin);
    struct worker *workers = calloc(count, sizeof *workers);
    atomic_bool misfit = false;
    enum pt_status status = workers ? PT_OK : PT_NOMEM;
    struct cut at = {0};
    size_t end_thread;
    while (at.thread < input->thread_count && input->threads[at.thread].origin != origin)
        at.thread++;
    end_thread = at.thread;
    while (end_thread < input->thread_count && input->threads[end_thread].origin == origin)
        end_thread++;
    const uint64_t share = count_events(input, at.thread, end_thread) / count + 1;
    for (size_t i = 0; i < count && status == PT_OK; i++) {
        struct worker *worker = &workers[i];
        *worker = (struct worker){.report = report, .from = at, .misfit = &misfit};
        worker->to = i + 1 < count ? cut_behind(input, at, end_thread, share, through_threads)
                                   : (struct cut){.thread = end_thread};
        at = worker->to;
        status = pt_stream_new(&worker->stream, input, view);
        if (status == PT_OK)
            status = how->begin(how->context, origin, &worker->sink);
        if (status == PT_OK && worker->sink.run)
            pt_stream_run_by(worker->stream, worker->sink.run, worker->sink.context);
    }
    if (status != PT_OK)
        goto cleanup;
    run_all(workers, count);
    for (size_t i = 0; i < count; i++)
        if (workers[i].status != PT_OK && (status == PT_OK || status == PT_CORRUPT))
            status = workers[i].status;
    for (size_t i = 0; i < count && status == PT_OK; i++)
        status = how->merge(how->context, &workers[i].sink);
    if (status == PT_OK)
        add_figures(report, origin, workers, count);
cleanup:
    for (size_t i = 0; workers && i < count; i++) {
        pt_stream_free(workers[i].stream);
        how->end(how->context, &workers[i].sink);
    }
    free(workers);
    return status;
}

/* A filter, and whoever follows what goes on inside of frames, knows more of a frame than that it is open; compensated
 * clocks are those of steps. */
static bool may_cut_threads(const struct pt_input_trace *origin, const struct pt_stream_view *view)
{
    const unsigned filters = PT_FILTER_FOCUS | PT_FILTER_IGNORE | PT_FILTER_HIDE | PT_FILTER_ROOT;
    return view->inner == 0 && origin->compensation.shift == 0 && !(view->filters & filters) &&
           origin->from_tick == 0 && origin->to_tick == UINT64_MAX;
}

enum pt_status pt_shares_read(struct pt_report *report, const struct pt_stream_view *view, const struct pt_shares *how)
{
    for (size_t i = 0; i < report->input->trace_count; i++) {
        const struct pt_input_trace *origin = &report->input->traces[i];
        enum pt_status status = read_trace(report, view, how, origin, may_cut_threads(origin, view));
        if (status == PT_CORRUPT)
            status = read_trace(report, view, how, origin, false);
        PT_TRY(status);
    }
    report->replayed = !report->input->ranged;
    return PT_OK;
}
