#include "replay.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "interrupt.h"

/* Steps of one thread, and what else is to be known about them. */
struct batch {
    const struct pt_input_thread *thread;
    bool begins; /* the first of its thread */
    bool ends;   /* the last */
    struct pt_step *steps;
    size_t count;
    size_t capacity;                /* of `steps`, where that is not borrowed from the stream */
    struct pt_stream_totals totals; /* after these steps */
};

/* Batches go one by one from the maker, which owns the stream, to the taker, which owns the sink. These are one thread, or
 * two: then a batch waits in `relayed`, and while it is taken the next one is made. Two buffers go to and fro. */
struct replay {
    struct pt_report *report;
    const struct pt_replay_sink *sink;
    struct pt_stream *stream;       /* the maker's */
    struct pt_stream_totals before; /* the taker's: at the end of the thread before */
    uint64_t events;                /* the taker's: so far */

    bool ahead; /* two threads; what follows is theirs, under the lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct batch relayed;
    bool full;             /* `relayed` waits, or is being taken */
    bool over;             /* nothing more will be made, or is wanted */
    enum pt_status making; /* what became of it, once it is over */
};

/* --- Taking ----------------------------------------------------------------------------------------------------- */

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

static enum pt_status take(struct replay *replay, const struct batch *batch)
{
    const struct pt_replay_sink *sink = replay->sink;
    struct pt_report *report = replay->report;
    if (batch->begins && sink->thread)
        PT_TRY(sink->thread(sink->context, batch->thread));
    if (batch->count > 0)
        PT_TRY(sink->steps(sink->context, batch->steps, batch->count));
    pt_progress_step(report->progress, batch->totals.events - replay->events);
    replay->events = batch->totals.events;
    if (batch->ends)
        add_figures(&report->figures[batch->thread->origin - report->input->traces], &batch->totals, &replay->before,
                    batch->thread->origin->tick_ns);
    return pt_interrupt_requested() ? PT_END : PT_OK;
}

static enum pt_status take_relayed(struct replay *replay)
{
    enum pt_status status = PT_OK;
    pthread_mutex_lock(&replay->lock);
    for (;;) {
        while (!replay->full && !replay->over)
            pthread_cond_wait(&replay->changed, &replay->lock);
        if (!replay->full)
            break;
        pthread_mutex_unlock(&replay->lock);
        status = take(replay, &replay->relayed);
        pthread_mutex_lock(&replay->lock);
        replay->full = false;
        replay->over = replay->over || status != PT_OK;
        pthread_cond_signal(&replay->changed);
        if (status != PT_OK)
            break;
    }
    pthread_mutex_unlock(&replay->lock);
    return status;
}

/* --- Making ----------------------------------------------------------------------------------------------------- */

/* PT_END: nobody wants it. */
static enum pt_status relay(struct replay *replay, struct batch *batch)
{
    pthread_mutex_lock(&replay->lock);
    while (replay->full && !replay->over)
        pthread_cond_wait(&replay->changed, &replay->lock);
    bool wanted = !replay->over;
    if (wanted) {
        batch->steps = replay->relayed.steps;
        batch->capacity = replay->relayed.capacity;
        if (batch->count > 0)
            pt_stream_exchange(replay->stream, &batch->steps, &batch->capacity);
        replay->relayed = *batch;
        replay->full = true;
        pthread_cond_signal(&replay->changed);
    }
    pthread_mutex_unlock(&replay->lock);
    return wanted ? PT_OK : PT_END;
}

static enum pt_status make(struct replay *replay)
{
    const struct pt_input *input = replay->report->input;
    for (size_t at = 0; at < input->thread_count; at++) {
        struct batch batch = {.thread = &input->threads[at], .begins = true};
        pt_stream_begin(replay->stream, batch.thread);
        while (!batch.ends) {
            const struct pt_step *steps = NULL;
            batch.count = 0;
            enum pt_status status = pt_stream_next(replay->stream, &steps, &batch.count);
            if (status != PT_OK && status != PT_END)
                return status;
            batch.ends = status == PT_END;
            batch.steps = (struct pt_step *)(uintptr_t)steps;
            batch.totals = *pt_stream_totals(replay->stream);
            PT_TRY(replay->ahead ? relay(replay, &batch) : take(replay, &batch));
            batch.begins = false;
        }
    }
    return PT_OK;
}

static void *make_ahead(void *argument)
{
    struct replay *replay = argument;
    enum pt_status status = make(replay);
    pthread_mutex_lock(&replay->lock);
    replay->making = status;
    replay->over = true;
    pthread_cond_signal(&replay->changed);
    pthread_mutex_unlock(&replay->lock);
    return NULL;
}

/* --- Both ------------------------------------------------------------------------------------------------------- */

static enum pt_status run(struct replay *replay)
{
    pthread_t maker;
    if (replay->ahead && pthread_create(&maker, NULL, make_ahead, replay) != 0)
        replay->ahead = false;
    if (!replay->ahead)
        return make(replay);
    enum pt_status status = take_relayed(replay);
    pthread_join(maker, NULL);
    free(replay->relayed.steps);
    return status != PT_OK ? status : replay->making;
}

enum pt_status pt_replay(struct pt_report *report, const struct pt_stream_view *view, const struct pt_replay_sink *sink)
{
    struct replay replay = {
        .report = report,
        .sink = sink,
        .ahead = pt_replay_jobs(report) > 1,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER,
    };
    PT_TRY(pt_stream_new(&replay.stream, report->input, view));
    enum pt_status status = run(&replay);
    pt_stream_free(replay.stream);
    pthread_cond_destroy(&replay.changed);
    pthread_mutex_destroy(&replay.lock);
    report->replayed = !report->input->ranged;
    return status == PT_OK && pt_interrupt_requested() ? PT_END : status;
}

size_t pt_replay_jobs(const struct pt_report *report)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (report->options->jobs > 0)
        return report->options->jobs;
    return processors > 0 ? (size_t)processors : 1;
}
