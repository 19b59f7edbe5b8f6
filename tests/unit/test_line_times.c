/* Hits and times of lines, in ticks. Functions a to w are Python's, each begins with line 0; x, y and z are C's. */
#include <criterion/criterion.h>

#include "line_times.h"
#include "step_script.h"

static struct pt_line_times *times;

/* `chosen`: letters. */
static void take(const char *script, const char *chosen)
{
    struct pt_function functions[STEP_SCRIPT_FUNCTIONS] = {0};
    uint8_t flags[STEP_SCRIPT_FUNCTIONS] = {0};
    const struct pt_input input = {.functions = functions, .function_count = STEP_SCRIPT_FUNCTIONS};
    size_t count;
    struct pt_step *steps = step_script(script, &count);

    for (size_t i = 'x' - 'a'; i < STEP_SCRIPT_FUNCTIONS; i++)
        functions[i].kind = PT_NAME_C;
    for (; *chosen; chosen++)
        flags[*chosen - 'a'] = PT_FILTER_MATCH;
    cr_assert_eq(pt_line_times_new(&times, &input, flags), PT_OK);
    pt_line_times_begin(times, 1.0);
    cr_assert_eq(pt_line_times_add(times, steps, count), PT_OK);
    pt_line_times_finish(times);
    free(steps);
}

static void end(void)
{
    pt_line_times_free(times);
}

static const struct pt_line_time *find(const struct pt_line_list *list, uint32_t chosen, uint32_t place)
{
    static const struct pt_line_time none;
    for (uint32_t i = 1; i < list->count; i++)
        if (list->entries[i].chosen == chosen && list->entries[i].place == place)
            return &list->entries[i];
    return &none;
}

#define ASSERT_LINE(function, number, times_hit, self, total)                                                          \
    do {                                                                                                               \
        const struct pt_line_time *line = find(&times->lines, function, number);                                       \
        cr_assert_eq(line->hits, times_hit, "line %d has %lu hits", number, line->hits);                               \
        cr_assert_eq(line->self_ns, self, "self of line %d is %lu", number, line->self_ns);                            \
        cr_assert_eq(line->total_ns, total, "total of line %d is %lu", number, line->total_ns);                        \
    } while (0)

Test(line_times, a_line_runs_until_the_next_one, .fini = end)
{
    take("a.:1..:2...:1.)", "a");
    ASSERT_LINE(0, 0, 0, 1, 1); /* the entry */
    ASSERT_LINE(0, 1, 2, 3, 3);
    ASSERT_LINE(0, 2, 1, 3, 3);
    cr_assert_eq(times->functions[0].calls, 1);
    cr_assert_eq(times->functions[0].time.self_ns, 7);
    cr_assert_eq(times->functions[0].time.total_ns, 7);
}

Test(line_times, what_a_line_calls_is_in_its_total, .fini = end)
{
    take("a:1.b:5..x...)).:2.)", "a");
    ASSERT_LINE(0, 1, 1, 2, 7);
    ASSERT_LINE(0, 2, 1, 1, 1);
    ASSERT_LINE(0, 5, 0, 0, 0); /* of b, which was not chosen */
}

Test(line_times, each_activation_has_a_line_of_its_own, .fini = end)
{
    take("a:1.b:1.a:2.))).", "a");
    ASSERT_LINE(0, 1, 1, 1, 3);
    ASSERT_LINE(0, 2, 1, 1, 1);
}

Test(line_times, recursion_counts_total_once, .fini = end)
{
    take("a:1.a:1.a:1.)))", "a");
    ASSERT_LINE(0, 1, 3, 3, 3);
    cr_assert_eq(times->functions[0].time.total_ns, 3);
}

Test(line_times, an_exception_or_the_end_of_the_recording_ends_a_line, .fini = end)
{
    take("a:1..!B.:3...]", "ab");
    ASSERT_LINE(0, 1, 1, 2, 2);
    ASSERT_LINE(1, 3, 1, 3, 3);
    cr_assert_eq(times->functions[1].calls, 0); /* it was open */
}

Test(line_times, stalls_are_nobodys_self_time, .fini = end)
{
    take("a:1.<...>..)", "a");
    ASSERT_LINE(0, 1, 1, 3, 6);
}

Test(line_times, lines_are_those_of_the_innermost_python_function, .fini = end)
{
    take("a:1.x.:2..))", "a");
    ASSERT_LINE(0, 2, 1, 0, 2);
}

Test(line_times, no_time_passes_for_a_greenlet_that_does_not_run, .fini = end)
{
    take("a:1.1a:1..0.:2.)1.)0", "a");
    ASSERT_LINE(0, 1, 2, 5, 5);
    ASSERT_LINE(0, 2, 1, 1, 1);
}

Test(line_times, instructions_are_counted_beside_the_line_they_are_in, .fini = end)
{
    take("a%1:3%2%4:5%2)", "a");
    cr_assert_eq(find(&times->opcodes, 0, 1)->hits, 1);
    cr_assert_eq(find(&times->opcodes, 0, 1)->line, 0);
    cr_assert_eq(find(&times->opcodes, 0, 2)->hits, 2);
    cr_assert_eq(find(&times->opcodes, 0, 4)->line, 3);
}

Test(line_times, functions_of_c_are_not_chosen, .fini = end)
{
    take("a:1.x.))", "x");
    cr_assert_eq(times->function_count, 0);
}

Test(line_times, thousands_of_lines, .fini = end)
{
    struct pt_function functions[1] = {0};
    const uint8_t flags[1] = {PT_FILTER_MATCH};
    const struct pt_input input = {.functions = functions, .function_count = 1};
    enum { LINES = 5000 };
    struct pt_step *steps = calloc(LINES + 2, sizeof *steps);
    cr_assert_not_null(steps);
    steps[0].kind = PT_STEP_CALL;
    for (uint32_t i = 1; i <= LINES; i++)
        steps[i] = (struct pt_step){.clock = i, .function = (i * 7919) % LINES, .kind = PT_STEP_LINE};
    steps[LINES + 1] = (struct pt_step){.clock = LINES + 1, .kind = PT_STEP_LEAVE};
    cr_assert_eq(pt_line_times_new(&times, &input, flags), PT_OK);
    pt_line_times_begin(times, 1.0);
    cr_assert_eq(pt_line_times_add(times, steps, LINES + 2), PT_OK);
    pt_line_times_finish(times);
    cr_assert_eq(times->lines.count, LINES + 1);
    for (uint32_t i = 1; i <= LINES; i++) {
        cr_assert_eq(times->lines.entries[i].place, i - 1);
        cr_assert_eq(times->lines.entries[i].hits, 1);
    }
    free(steps);
}
