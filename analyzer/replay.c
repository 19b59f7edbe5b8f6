#include "replay.h"

#include "interrupt.h"

/* What the stream has met since the last thread goes into the figures, in nanoseconds of that thread's trace. */
static void add_figures(struct pt_figures *figures, const struct pt_stream_totals *now, struct pt_stream_totals *before,
                        double tick_ns)
{
    figures->calls += now->calls - before->calls;
    figures->stalled_ns += (uint64_t)((double)(now->stalled_ticks - before->stalled_ticks) * tick_ns + 0.5);
    figures->unmatched += now->unmatched - before->unmatched;
    figures->missing += now->missing - before->missing;
    figures->bad_chunks += now->bad_chunks - before->bad_chunks;
    *before = *now;
}

enum pt_status pt_replay_share(struct pt_report *report, const struct pt_stream_view *view,
                               const struct pt_replay_sink *sink, atomic_size_t *next)
{
    const struct pt_input *input = report->input;
    struct pt_stream *stream;
    struct pt_stream_totals before = {0};
    enum pt_status status = pt_stream_new(&stream, input, view);
    if (status != PT_OK)
        goto cleanup;

    size_t at;
    while ((at = atomic_fetch_add_explicit(next, 1, memory_order_relaxed)) < input->thread_count) {
        const struct pt_input_thread *thread = &input->threads[at];
        pt_stream_begin(stream, thread);
        if (sink->thread && (status = sink->thread(sink->context, thread)) != PT_OK)
            goto cleanup;
        uint64_t events = before.events;
        const struct pt_step *steps;
        size_t count;
        while ((status = pt_stream_next(stream, &steps, &count)) == PT_OK) {
            if ((status = sink->steps(sink->context, steps, count)) != PT_OK)
                goto cleanup;
            pt_progress_step(report->progress, pt_stream_totals(stream)->events - events);
            events = pt_stream_totals(stream)->events;
            if (pt_interrupt_requested())
                goto cleanup; /* as PT_END, below */
        }
        if (status != PT_END)
            goto cleanup;
        add_figures(&report->figures[thread->origin - input->traces], pt_stream_totals(stream), &before,
                    thread->origin->tick_ns);
        status = PT_OK;
    }
cleanup:
    pt_stream_free(stream);
    return status == PT_OK && pt_interrupt_requested() ? PT_END : status;
}

enum pt_status pt_replay(struct pt_report *report, const struct pt_stream_view *view, const struct pt_replay_sink *sink)
{
    atomic_size_t next = 0;
    enum pt_status status = pt_replay_share(report, view, sink, &next);
    report->replayed = true;
    return status;
}
