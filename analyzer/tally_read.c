#include "tally_read.h"

#include <stdlib.h>

#include "flights.h"
#include "shares.h"

struct reading {
    struct pt_report *report;
    const struct pt_stream_view *view;
    size_t count;
    struct pt_tally *sum;                /* in ticks of the first trace */
    struct pt_tally trace;               /* what was merged of the trace that is being read, in its ticks */
    const struct pt_input_trace *origin; /* which one that is; NULL before the first */
};

/* What one worker sums up. */
struct share {
    const struct pt_input_trace *origin;
    struct pt_tally tally;
    struct pt_flights *flights; /* NULL if exceptions are not asked for */
};

/* --- A worker's part -------------------------------------------------------------------------------------------- */

static enum pt_status take_thread(void *context, const struct pt_input_thread *thread)
{
    struct share *share = context;
    (void)thread;
    return share->flights ? pt_flights_end_thread(share->flights) : PT_OK; /* that of the thread before */
}

static enum pt_status take_steps(void *context, const struct pt_step *steps, size_t count)
{
    struct share *share = context;
    if (share->flights)
        PT_TRY(pt_flights_add(share->flights, steps, count));
    return pt_tally_add(&share->tally, steps, count);
}

static enum pt_status take_cut(void *context, const struct pt_step *steps, size_t count)
{
    struct share *share = context;
    return pt_tally_cut(&share->tally, steps, count);
}

static enum pt_status run_chunk(void *context, struct pt_stream *stream)
{
    struct share *share = context;
    return pt_tally_run(&share->tally, stream);
}

/* --- All of them ------------------------------------------------------------------------------------------------ */

static enum pt_status begin(void *context, const struct pt_input_trace *origin, struct pt_replay_sink *sink)
{
    const struct reading *reading = context;
    const struct pt_stream_view *view = reading->view;
    struct share *share = calloc(1, sizeof *share);
    const bool by_function = view->by == PT_BY_FUNCTION && !view->numbers;
    *sink = (struct pt_replay_sink){
        .context = share,
        .thread = take_thread,
        .steps = take_steps,
        .run = view->inner ? NULL : run_chunk,
        .cut = take_cut,
    };
    if (!share)
        return PT_NOMEM;
    share->origin = origin;
    if (view->inner & PT_STREAM_EXCEPTIONS)
        PT_TRY(pt_flights_new(&share->flights, reading->report->input, reading->count, by_function));
    return pt_tally_init(&share->tally, reading->count, origin->clock_ns);
}

/* Ticks of different traces differ in length, so each trace is summed up before it goes to the others. */
static enum pt_status settle(struct reading *reading)
{
    enum pt_status status = reading->origin ? pt_tally_merge(reading->sum, &reading->trace) : PT_OK;
    pt_tally_release(&reading->trace);
    return status;
}

static enum pt_status merge(void *context, struct pt_replay_sink *sink)
{
    struct reading *reading = context;
    struct share *share = sink->context;
    const struct pt_flights *flights = share->flights;
    if (flights)
        PT_TRY(pt_flights_end_thread(share->flights));
    for (uint32_t i = 1; flights && i < flights->ended.count; i++)
        if (flights->ended.rows[i].function != PT_FLIGHTS_NOBODY)
            share->tally.entries[flights->ended.rows[i].function].exceptions += flights->ended.rows[i].count;
    if (share->origin == reading->origin)
        return pt_tally_append(&reading->trace, &share->tally);
    PT_TRY(settle(reading));
    reading->origin = share->origin;
    reading->trace = share->tally;
    share->tally = (struct pt_tally){0};
    return PT_OK;
}

static void end(void *context, struct pt_replay_sink *sink)
{
    struct share *share = sink->context;
    (void)context;
    if (!share)
        return;
    pt_tally_release(&share->tally);
    pt_flights_free(share->flights);
    free(share);
}

enum pt_status pt_tally_read(struct pt_tally *tally, struct pt_report *report, const struct pt_stream_view *view,
                             size_t count)
{
    struct reading reading = {.report = report, .view = view, .count = count, .sum = tally};
    const struct pt_shares shares = {.context = &reading, .begin = begin, .merge = merge, .end = end};
    enum pt_status status = pt_tally_init(tally, count, report->input->traces[0].clock_ns);
    if (status == PT_OK)
        status = pt_shares_read(report, view, &shares);
    const enum pt_status settled = settle(&reading);
    return status == PT_OK ? settled : status;
}
