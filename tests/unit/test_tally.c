/* What the figures mean: from recorded events to the sums per function. */
#include <criterion/criterion.h>

#include "analysis.h"
#include "record.h"

#define T0 TRACE_FILE_START_TICK

static struct analysis analysis;

struct event {
    enum pt_kind kind;
    uint32_t id;
    uint64_t at; /* ticks from the start */
};

#define START  PT_KIND_START
#define RETURN PT_KIND_RETURN
#define C_CALL PT_KIND_C_CALL
#define C_RET  PT_KIND_C_RETURN

static void put(const struct event *events, size_t count)
{
    for (size_t i = 0; i < count; i++)
        trace_stream_event(&analysis.stream, events[i].kind, events[i].id, T0 + events[i].at);
}

#define RECORD(...)                                                                                                    \
    do {                                                                                                               \
        const struct event events[] = {__VA_ARGS__};                                                                   \
        put(events, sizeof events / sizeof events[0]);                                                                 \
    } while (0)

#define ASSERT_TIMES(number, self_ticks, total_ticks)                                                                  \
    do {                                                                                                               \
        cr_assert_eq(analysis_entry(&analysis, number)->self, self_ticks, "self of %u is %lu", number,                 \
                     analysis_entry(&analysis, number)->self);                                                         \
        cr_assert_eq(analysis_entry(&analysis, number)->total, total_ticks, "total of %u is %lu", number,              \
                     analysis_entry(&analysis, number)->total);                                                        \
    } while (0)

#define ASSERT_CALLS(number, all, outermost, ended_by_exception)                                                       \
    do {                                                                                                               \
        cr_assert_eq(analysis_entry(&analysis, number)->calls, all, "calls of %u are %lu", number,                     \
                     analysis_entry(&analysis, number)->calls);                                                        \
        cr_assert_eq(analysis_entry(&analysis, number)->primitive, outermost);                                         \
        cr_assert_eq(analysis_entry(&analysis, number)->raised, ended_by_exception);                                   \
    } while (0)

static void begin(void)
{
    analysis_begin(&analysis);
}

static void end(void)
{
    analysis_release(&analysis);
}

Test(tally, nested_calls, .init = begin, .fini = end)
{
    RECORD({START, 1, 0}, {START, 2, 10}, {C_CALL, 3, 12}, {C_RET, 0, 17}, {RETURN, 0, 20}, {START, 2, 30},
           {RETURN, 0, 33}, {RETURN, 0, 50});
    analysis_run(&analysis, T0 + 60, "");
    ASSERT_TIMES(1, 37, 50);
    ASSERT_TIMES(2, 8, 13);
    ASSERT_TIMES(3, 5, 5);
    ASSERT_CALLS(1, 1, 1, 0);
    ASSERT_CALLS(2, 2, 2, 0);
    cr_assert_eq(analysis_entry(&analysis, 2)->durations.least, 3);
    cr_assert_eq(analysis_entry(&analysis, 2)->durations.greatest, 10);
    cr_assert_eq(analysis.figures.calls, 4);
}

Test(tally, recursion_counts_once, .init = begin, .fini = end)
{
    RECORD({START, 1, 0}, {START, 2, 5}, {START, 1, 10}, {RETURN, 0, 20}, {RETURN, 0, 30}, {RETURN, 0, 40});
    analysis_run(&analysis, T0 + 40, "");
    ASSERT_TIMES(1, 25, 40);
    ASSERT_TIMES(2, 15, 25);
    ASSERT_CALLS(1, 2, 1, 0);
    cr_assert_eq(analysis_entry(&analysis, 1)->recursion, 2);
    cr_assert_eq(analysis_entry(&analysis, 1)->durations.count, 1);
}

Test(tally, a_frame_open_at_start_is_no_call, .init = begin, .fini = end)
{
    RECORD({PT_KIND_OPEN, 1, 0}, {START, 2, 10}, {RETURN, 0, 15}, {RETURN, 0, 20});
    analysis_run(&analysis, T0 + 20, "");
    ASSERT_TIMES(1, 15, 20);
    ASSERT_CALLS(1, 0, 0, 0);
    ASSERT_CALLS(2, 1, 1, 0);
    cr_assert_eq(analysis_entry(&analysis, 1)->durations.count, 0);
}

Test(tally, a_frame_open_at_stop_is_a_call, .init = begin, .fini = end)
{
    RECORD({START, 1, 0}, {START, 2, 10});
    analysis_run(&analysis, T0 + 30, "");
    ASSERT_TIMES(1, 10, 30);
    ASSERT_TIMES(2, 20, 20);
    ASSERT_CALLS(2, 1, 1, 0);
}

Test(tally, a_resume_is_a_call, .init = begin, .fini = end)
{
    RECORD({START, 1, 0}, {PT_KIND_YIELD, 0, 10}, {PT_KIND_RESUME, 1, 100}, {PT_KIND_YIELD, 0, 103},
           {PT_KIND_THROW, 1, 200}, {PT_KIND_UNWIND, 1, 204});
    analysis_run(&analysis, T0 + 300, "");
    ASSERT_TIMES(1, 17, 17);
    ASSERT_CALLS(1, 3, 3, 1);
}

Test(tally, exceptions_are_counted, .init = begin, .fini = end)
{
    RECORD({START, 1, 0}, {C_CALL, 2, 1}, {PT_KIND_C_RAISE, 0, 2}, {PT_KIND_UNWIND, 1, 3});
    analysis_run(&analysis, T0 + 3, "");
    ASSERT_CALLS(1, 1, 1, 1);
    ASSERT_CALLS(2, 1, 1, 1);
}

Test(tally, a_python_leave_closes_c_frames_without_one, .init = begin, .fini = end)
{
    RECORD({START, 1, 0}, {C_CALL, 2, 10}, {RETURN, 0, 30}, {START, 3, 40}, {RETURN, 0, 45});
    analysis_run(&analysis, T0 + 50, "");
    ASSERT_TIMES(1, 10, 30);
    ASSERT_TIMES(2, 20, 20);
    ASSERT_TIMES(3, 5, 5);
    cr_assert_eq(analysis.figures.missing, 1);
    cr_assert_eq(analysis.figures.unmatched, 0);
}

Test(tally, leaves_that_close_nothing_change_nothing, .init = begin, .fini = end)
{
    RECORD({RETURN, 0, 0}, {START, 1, 5}, {PT_KIND_UNWIND, 2, 7}, {C_RET, 0, 8}, {RETURN, 0, 15});
    analysis_run(&analysis, T0 + 15, "");
    ASSERT_TIMES(1, 10, 10);
    ASSERT_CALLS(1, 1, 1, 0);
    cr_assert_eq(analysis.figures.unmatched, 3);
    cr_assert_eq(analysis.figures.missing, 0);
}

static void put_words(const uint64_t *words, size_t count)
{
    struct trace_stream *stream = &analysis.stream;
    for (size_t i = 0; i < count; i++)
        stream->ring[stream->produced++ % TRACE_STREAM_WORDS] = words[i];
}

Test(tally, a_stall_is_nobodys_self_time, .init = begin, .fini = end)
{
    RECORD({START, 1, 0});
    put_words((const uint64_t[]){pt_record_pack_control(PT_CONTROL_STALL, 1, T0 + 500), 400}, 2);
    RECORD({RETURN, 0, 510});
    analysis_run(&analysis, T0 + 510, "");
    ASSERT_TIMES(1, 110, 510);
    cr_assert_eq(analysis.figures.stalled_ns, 400 * TRACE_FILE_TICK_PS / 1000);
}

Test(tally, lost_events_leave_the_stack_right, .init = begin, .fini = end)
{
    RECORD({START, 1, 0}, {START, 2, 10});
    put_words((const uint64_t[]){pt_record_pack_control(PT_CONTROL_LOST, 6, T0 + 100), 12, 80, 1, 2,
                                 pt_record_frame(3, 0), pt_record_frame(4, 1)},
              7);
    RECORD({C_RET, 0, 110}, {RETURN, 0, 120}, {RETURN, 0, 130});
    analysis_run(&analysis, T0 + 130, "");
    ASSERT_TIMES(1, 20, 130);
    ASSERT_TIMES(2, 90, 90);
    ASSERT_TIMES(3, 10, 20);
    ASSERT_TIMES(4, 10, 10);
    ASSERT_CALLS(3, 0, 0, 0);
    cr_assert_eq(analysis.figures.unmatched, 0);
}

Test(tally, frames_survive_a_missing_chunk, .init = begin, .fini = end)
{
    RECORD({START, 1, 0}, {START, 2, 10});
    trace_stream_flush(&analysis.stream, &analysis.file);
    RECORD({RETURN, 0, 20}, {START, 3, 30});
    trace_stream_drop(&analysis.stream, &analysis.file);
    RECORD({START, 4, 1000}, {RETURN, 0, 1010}, {RETURN, 0, 1020}, {RETURN, 0, 1030});
    analysis_run(&analysis, T0 + 1030, "");
    ASSERT_TIMES(1, 20, 1030); /* open all the time; what is missing is nobody's self time */
    ASSERT_TIMES(2, 0, 0);     /* was left somewhere in the gap */
    ASSERT_CALLS(2, 1, 1, 0);
    ASSERT_CALLS(3, 0, 0, 0); /* was entered somewhere in the gap */
    ASSERT_TIMES(4, 10, 10);
    cr_assert_eq(analysis.figures.unmatched, 0);
}

Test(tally, a_missing_first_chunk_is_bridged, .init = begin, .fini = end)
{
    RECORD({START, 1, 0}, {START, 2, 10});
    trace_stream_drop(&analysis.stream, &analysis.file);
    RECORD({RETURN, 0, 100}, {RETURN, 0, 120});
    analysis_run(&analysis, T0 + 120, "");
    ASSERT_CALLS(1, 0, 0, 0);
    cr_assert_eq(analysis.figures.unmatched, 0);
}

Test(tally, by_thread_time_counts_once, .init = begin, .fini = end)
{
    RECORD({START, 1, 0}, {START, 2, 10}, {RETURN, 0, 20}, {RETURN, 0, 30}, {START, 1, 50}, {RETURN, 0, 55});
    analysis_run(&analysis, T0 + 60, "--by thread");
    ASSERT_TIMES(1, 35, 35);
    ASSERT_CALLS(1, 3, 2, 0);
}

/* --- Filters ---------------------------------------------------------------------------------------------------- */

/* f1 > f2 > f3, f1 > f3, f1 > f4. */
static void record_paths(void)
{
    RECORD({START, 1, 0}, {START, 2, 10}, {START, 3, 20}, {RETURN, 0, 25}, {RETURN, 0, 40}, {START, 3, 50},
           {RETURN, 0, 57}, {START, 4, 60}, {RETURN, 0, 70}, {RETURN, 0, 100});
}

Test(filter_paths, focus, .init = begin, .fini = end)
{
    record_paths();
    analysis_run(&analysis, T0 + 100, "--focus f2$");
    ASSERT_TIMES(1, 0, 30); /* an ancestor: it has the time of the paths through the match, and its call */
    ASSERT_TIMES(2, 25, 30);
    ASSERT_TIMES(3, 5, 5);
    ASSERT_CALLS(1, 1, 1, 0);
    ASSERT_CALLS(3, 1, 1, 0);
    ASSERT_CALLS(4, 0, 0, 0);
}

Test(filter_paths, ignore, .init = begin, .fini = end)
{
    record_paths();
    analysis_run(&analysis, T0 + 100, "--ignore f3$");
    ASSERT_TIMES(1, 53, 88);
    ASSERT_TIMES(2, 25, 25);
    ASSERT_CALLS(3, 0, 0, 0);
}

Test(filter_paths, hide, .init = begin, .fini = end)
{
    record_paths();
    analysis_run(&analysis, T0 + 100, "--hide f3$");
    ASSERT_TIMES(1, 60, 100);
    ASSERT_TIMES(2, 30, 30); /* what f3 took is its caller's own now */
    ASSERT_CALLS(3, 0, 0, 0);
}

Test(filter_paths, root, .init = begin, .fini = end)
{
    record_paths();
    analysis_run(&analysis, T0 + 100, "--root f2$");
    ASSERT_TIMES(1, 0, 0);
    ASSERT_CALLS(1, 0, 0, 0);
    ASSERT_TIMES(2, 25, 30);
    ASSERT_CALLS(3, 1, 1, 0);
}

Test(filter_paths, range, .init = begin, .fini = end)
{
    record_paths();
    /* Ticks are 2 ns: from tick 15 to tick 55. */
    analysis_run(&analysis, T0 + 100, "--range 30ns~110ns");
    ASSERT_TIMES(1, 10, 40);
    ASSERT_TIMES(2, 20, 25);
    ASSERT_TIMES(3, 10, 10);
    ASSERT_CALLS(1, 0, 0, 0); /* was open when the range began */
    ASSERT_CALLS(3, 2, 2, 0); /* the second is open when it ends */
    ASSERT_CALLS(4, 0, 0, 0);
}

Test(filter_paths, focus_and_ignore, .init = begin, .fini = end)
{
    record_paths();
    analysis_run(&analysis, T0 + 100, "--focus f3$ --ignore f2$");
    ASSERT_TIMES(1, 0, 7);
    ASSERT_TIMES(3, 7, 7);
    ASSERT_CALLS(2, 0, 0, 0);
    ASSERT_CALLS(3, 1, 1, 0);
}

/* --- Against a naive model -------------------------------------------------------------------------------------- */

Test(tally, agrees_with_a_naive_model, .init = begin, .fini = end)
{
    uint64_t self[10] = {0};
    uint64_t total[10] = {0};
    uint64_t calls[10] = {0};
    uint64_t raised[10] = {0};
    uint32_t stack[40];
    uint64_t entered[40];
    size_t depth = 0;
    uint64_t now = 0;
    uint64_t state = 99;
    uint64_t last = 0;
    for (size_t i = 0; i < 20000; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        uint32_t random = (uint32_t)(state >> 33);
        now += random % 1000 == 0 ? random % 100000 : random % 300;
        if (depth > 0)
            self[stack[depth - 1]] += now - last;
        last = now;
        if (depth == 0 || (depth < 40 && random & 4)) {
            uint32_t id = 1 + random / 8 % 9; /* the odd ones are Python */
            trace_stream_event(&analysis.stream, id % 2 ? START : C_CALL, id, T0 + now);
            entered[depth] = now;
            stack[depth++] = id;
            calls[id]++;
        } else {
            uint32_t id = stack[--depth];
            bool raise = random & 64;
            bool outermost = true;
            trace_stream_event(&analysis.stream,
                               id % 2 ? (raise ? PT_KIND_UNWIND : RETURN) : (raise ? PT_KIND_C_RAISE : C_RET),
                               id % 2 && raise ? id : 0, T0 + now);
            for (size_t k = 0; k < depth; k++)
                outermost = outermost && stack[k] != id;
            total[id] += outermost ? now - entered[depth] : 0;
            raised[id] += raise;
        }
        if (i % 500 == 499)
            trace_stream_flush(&analysis.stream, &analysis.file);
    }
    for (; depth > 0; depth--) {
        bool outermost = true;
        for (size_t k = 0; k < depth - 1; k++)
            outermost = outermost && stack[k] != stack[depth - 1];
        total[stack[depth - 1]] += outermost ? now - entered[depth - 1] : 0;
    }
    analysis_run(&analysis, T0 + now, "");
    for (uint32_t id = 1; id <= 9; id++) {
        ASSERT_TIMES(id, self[id], total[id]);
        cr_assert_eq(analysis_entry(&analysis, id)->calls, calls[id]);
        cr_assert_eq(analysis_entry(&analysis, id)->raised, raised[id]);
        cr_assert_eq(analysis_entry(&analysis, id)->durations.count, analysis_entry(&analysis, id)->primitive);
    }
}
