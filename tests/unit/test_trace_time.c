/* Opening a trace: ticks as time. */
#include <criterion/criterion.h>

#include "trace_file.h"

static struct pt_trace *trace_with_clocks(struct trace_file *file, const uint64_t (*clocks)[2], size_t count)
{
    trace_file_begin(file);
    trace_file_header(file);
    for (size_t i = 0; i < count; i++)
        trace_file_clock(file, clocks[i][0], clocks[i][1]);
    trace_file_end(file, 100000);
    return trace_file_open(file);
}

Test(trace_time, time_follows_the_clock_triples)
{
    static const uint64_t clocks[][2] = {{900, 50000},  {2000, 52200}, {2000, 60000},
                                         {1500, 60001}, {3000, 52100}, {4000, 62200}};
    struct trace_file file;
    struct pt_trace *trace = trace_with_clocks(&file, clocks, 6);
    cr_assert_eq(trace->clock_count, 3, "those that do not grow are left out");
    cr_expect_eq(pt_trace_start_tick(trace), TRACE_FILE_START_TICK);
    cr_expect_eq(pt_trace_ns(trace, 1000), 0);
    cr_expect_eq(pt_trace_ns(trace, 0), 0, "never negative");
    cr_expect_eq(pt_trace_ns(trace, 1001), 2);
    cr_expect_eq(pt_trace_ns(trace, 2000), 2000);
    cr_expect_eq(pt_trace_ns(trace, 3000), 7000);
    cr_expect_eq(pt_trace_ns(trace, 4000), 12000);
    cr_expect_eq(pt_trace_ns(trace, 6000), 22000, "the last line goes on");
    cr_expect_float_eq(pt_trace_tick_ns(trace), 12200.0 / 3100, 1e-9);
    cr_expect_eq(pt_trace_end_tick(trace), 100000);
    pt_trace_free(trace);
    trace_file_release(&file);
}

Test(trace_time, time_rounds_down_on_both_sides)
{
    /* 10 ns in 3 ticks, through tick 1001: the start tick, 1000, is at -3.33, that is -4. */
    static const uint64_t clocks[][2] = {{1001, 100}, {1004, 110}};
    struct trace_file file;
    struct pt_trace *trace = trace_with_clocks(&file, clocks, 2);
    cr_expect_eq(pt_trace_ns(trace, 1001), 4);
    cr_expect_eq(pt_trace_ns(trace, 1002), 7);
    cr_expect_eq(pt_trace_ns(trace, 1003), 10);
    cr_expect_eq(pt_trace_ns(trace, 1004), 14);
    pt_trace_free(trace);
    trace_file_release(&file);
}

Test(trace_time, time_without_enough_triples_goes_by_the_length_of_a_tick)
{
    static const uint64_t clocks[][2] = {{5000, 100}};
    for (size_t count = 0; count <= 1; count++) {
        struct trace_file file;
        struct pt_trace *trace = trace_with_clocks(&file, clocks, count);
        cr_expect_eq(pt_trace_ns(trace, 1000), 0);
        cr_expect_eq(pt_trace_ns(trace, 1500), 1000);
        cr_expect_float_eq(pt_trace_tick_ns(trace), 2.0, 1e-12);
        pt_trace_free(trace);
        trace_file_release(&file);
    }
}

Test(trace_time, time_of_absurd_triples_does_not_overflow)
{
    static const uint64_t clocks[][2] = {{1, 1}, {2, UINT64_MAX}, {UINT64_MAX - 1, UINT64_MAX}};
    struct trace_file file;
    struct pt_trace *trace = trace_with_clocks(&file, clocks, 3);
    uint64_t before = 0;
    for (unsigned shift = 0; shift < 64; shift++) {
        uint64_t ns = pt_trace_ns(trace, UINT64_C(1) << shift);
        cr_expect_geq(ns, before);
        before = ns;
    }
    cr_expect_eq(pt_trace_ns(trace, UINT64_MAX), UINT64_MAX);
    pt_trace_free(trace);
    trace_file_release(&file);
}
