/* Steps reach whoever sums them up, on as many processors as there may be. */
#include <criterion/criterion.h>

#include "analysis.h"
#include "record.h"
#include "replay.h"

enum { CHUNKS = 40, CALLS = 50 };

/* One thread, many chunks, so that a maker of steps can run ahead of their taker. */
static void record(struct analysis *analysis, const char *arguments)
{
    uint64_t tick = TRACE_FILE_START_TICK;
    analysis_begin(analysis);
    for (unsigned chunk = 0; chunk < CHUNKS; chunk++) {
        for (unsigned call = 0; call < CALLS; call++) {
            trace_stream_event(&analysis->stream, PT_KIND_START, 1 + call % 3, tick += 2);
            trace_stream_event(&analysis->stream, PT_KIND_C_CALL, 4, tick += 3);
            trace_stream_event(&analysis->stream, PT_KIND_C_RETURN, 0, tick += 1 + chunk);
            trace_stream_event(&analysis->stream, PT_KIND_RETURN, 0, tick += 5);
        }
        trace_stream_flush(&analysis->stream, &analysis->file);
    }
    analysis_run(analysis, tick, arguments);
}

static void expect_same(const char *one, const char *many)
{
    struct analysis expected;
    struct analysis is;
    record(&expected, one);
    record(&is, many);
    for (uint32_t number = 1; number <= 4; number++) {
        cr_assert_eq(analysis_entry(&is, number)->calls, analysis_entry(&expected, number)->calls);
        cr_assert_eq(analysis_entry(&is, number)->self, analysis_entry(&expected, number)->self);
        cr_assert_eq(analysis_entry(&is, number)->total, analysis_entry(&expected, number)->total);
    }
    cr_assert_eq(is.figures.calls, 2 * CHUNKS * CALLS);
    cr_assert_eq(expected.figures.calls, 2 * CHUNKS * CALLS);
    analysis_release(&expected);
    analysis_release(&is);
}

Test(replay, two_processors_tell_what_one_tells)
{
    expect_same("-j 1", "-j 2");
    expect_same("-j 1", "-j 8");
}

Test(replay, filters_act_on_two_processors_too)
{
    expect_same("-j 1 --focus f2", "-j 2 --focus f2");
    expect_same("-j 1 --hide f4", "-j 2 --hide f4");
}

/* Takes steps until it has had enough. */
struct fussy {
    unsigned threads;
    unsigned left;
};

static enum pt_status count_thread(void *context, const struct pt_input_thread *thread)
{
    struct fussy *fussy = context;
    (void)thread;
    fussy->threads++;
    return PT_OK;
}

static enum pt_status take_some(void *context, const struct pt_step *steps, size_t count)
{
    struct fussy *fussy = context;
    (void)steps;
    (void)count;
    return fussy->left-- > 0 ? PT_OK : PT_NOMEM;
}

static void refuse_after(const char *arguments, unsigned batches)
{
    struct analysis analysis;
    struct fussy fussy = {.left = batches};
    struct pt_replay_sink sink = {.context = &fussy, .thread = count_thread, .steps = take_some};
    struct pt_progress progress;
    record(&analysis, arguments);
    struct pt_report report = {
        .options = &analysis.options,
        .input = &analysis.input,
        .progress = &progress,
        .figures = &analysis.figures,
    };
    pt_progress_init(&progress, "reading", 1, false);
    cr_assert_eq(pt_replay(&report, &analysis.view, &sink), PT_NOMEM);
    cr_assert_eq(fussy.threads, 1);
    analysis_release(&analysis);
}

Test(replay, a_sink_that_refuses_ends_it)
{
    refuse_after("-j 1", 0);
    refuse_after("-j 2", 0);
    refuse_after("-j 2", CHUNKS / 2);
}
