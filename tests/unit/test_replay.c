/* Steps reach whoever sums them up, on as many processors as there may be. */
#include <criterion/criterion.h>
#include <stdio.h>

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

/* --- Cuts --------------------------------------------------------------------------------------------------------- */

/* What the frames of a thread look like when a chunk begins must not matter to anybody: calls that last for many chunks,
 * recursion through them, exceptions, stalls and losses; with `switches` greenlets as well, which nobody can cut. */
static void record_long_calls(struct analysis *analysis, const char *arguments, unsigned seed, bool switches)
{
    struct trace_stream *stream = &analysis->stream;
    uint64_t tick = TRACE_FILE_START_TICK;
    unsigned stack[64], depth = 0;
    analysis_begin(analysis);
    trace_stream_event(stream, PT_KIND_OPEN, 5, tick);
    for (unsigned i = 1; i < 6000; i++) {
        seed = seed * 1103515245u + 12345u;
        const unsigned choice = seed >> 16 & 255;
        tick += seed >> 24 & 15;
        if (i % 100 == 0)
            trace_stream_flush(stream, &analysis->file);
        if (switches && choice == 0 && i > 1500) {
            const uint64_t words[] = {pt_record_pack_control(PT_CONTROL_SWITCH, 1, tick), seed >> 25 & 1};
            for (unsigned w = 0; w < 2; w++)
                stream->ring[stream->produced++ % TRACE_STREAM_WORDS] = words[w];
        } else if (choice == 1) {
            const uint64_t words[] = {pt_record_pack_control(PT_CONTROL_STALL, 1, tick), 3};
            for (unsigned w = 0; w < 2; w++)
                stream->ring[stream->produced++ % TRACE_STREAM_WORDS] = words[w];
        } else if (choice == 2 && depth > 0) {
            const uint64_t words[] = {pt_record_pack_control(PT_CONTROL_LOST, 5, tick), 9, 1, 1, 1, 2 * 6};
            for (unsigned w = 0; w < 6; w++)
                stream->ring[stream->produced++ % TRACE_STREAM_WORDS] = words[w];
            stack[depth - 1] = 6;
        } else if (depth < 60 && (depth < 2 || choice & 4)) {
            stack[depth] = 1 + (choice >> 3 & 3);
            trace_stream_event(stream, stack[depth] % 2 ? PT_KIND_START : PT_KIND_C_CALL, stack[depth], tick);
            depth++;
        } else {
            const unsigned id = stack[--depth];
            const bool raises = choice & 64;
            if (id % 2 == 0 && id != 6)
                trace_stream_event(stream, raises ? PT_KIND_C_RAISE : PT_KIND_C_RETURN, 0, tick);
            else
                trace_stream_event(stream, raises ? PT_KIND_UNWIND : PT_KIND_RETURN, raises ? id : 0, tick);
        }
    }
    analysis_run(analysis, tick + 7, arguments);
}

static void expect_same_cuts(unsigned seed, bool switches)
{
    struct analysis expected;
    record_long_calls(&expected, "-j 1", seed, switches);
    cr_assert_eq(expected.figures.unmatched > 0, switches); /* nothing here follows what a greenlet does */
    for (unsigned jobs = 2; jobs < 64; jobs = jobs * 3 / 2 + 1) {
        struct analysis is;
        char arguments[16];
        snprintf(arguments, sizeof arguments, "-j %u", jobs);
        record_long_calls(&is, arguments, seed, switches);
        for (size_t i = 0; i < is.input.function_count; i++) {
            const struct pt_tally_entry *a = &expected.tally.entries[i], *b = &is.tally.entries[i];
            cr_assert_eq(a->self, b->self, "seed %u, %u jobs: self of %zu", seed, jobs, i);
            cr_assert_eq(a->total, b->total, "seed %u, %u jobs: total of %zu", seed, jobs, i);
            cr_assert_eq(a->calls, b->calls);
            cr_assert_eq(a->primitive, b->primitive);
            cr_assert_eq(a->raised, b->raised);
            cr_assert_eq(a->recursion, b->recursion);
            cr_assert_eq(a->durations.count, b->durations.count);
            cr_assert_eq(a->durations.least, b->durations.least);
            cr_assert_eq(a->durations.greatest, b->durations.greatest);
            for (double share = 0; share <= 1; share += 0.01)
                cr_assert_eq(pt_histogram_quantile(&a->durations, share), pt_histogram_quantile(&b->durations, share));
        }
        cr_assert_eq(is.figures.calls, expected.figures.calls);
        cr_assert_eq(is.figures.stalled_ns, expected.figures.stalled_ns);
        cr_assert_eq(is.figures.missing, expected.figures.missing);
        cr_assert_eq(is.figures.unmatched, expected.figures.unmatched);
        analysis_release(&is);
    }
    analysis_release(&expected);
}

Test(shares, calls_through_cuts_are_whole)
{
    for (unsigned seed = 1; seed < 20; seed++)
        expect_same_cuts(seed, false);
}

Test(shares, what_cannot_be_cut_is_read_again)
{
    for (unsigned seed = 1; seed < 5; seed++)
        expect_same_cuts(seed, true);
}

/* --- Refusal ------------------------------------------------------------------------------------------------------ */

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
