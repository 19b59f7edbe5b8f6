/* From where to where exceptions go. Functions a to o are Python's, x to z are C's; p and q are raise sites of one type, r and
 * s of another. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "flights.h"
#include "step_script.h"

static struct pt_function functions[STEP_SCRIPT_FUNCTIONS];
static struct pt_flights *flights;

static void begin(void)
{
    static const struct pt_input input = {.functions = functions, .function_count = STEP_SCRIPT_FUNCTIONS};
    for (size_t i = 0; i < STEP_SCRIPT_FUNCTIONS; i++) {
        bool is_site = i >= 'p' - 'a' && i <= 's' - 'a';
        functions[i].kind = is_site ? PT_NAME_RAISE_SITE : i >= 'x' - 'a' ? PT_NAME_C : PT_NAME_PYTHON;
        functions[i].label = !is_site ? "" : i <= 'q' - 'a' ? "ValueError" : "KeyError";
    }
    cr_assert_eq(pt_flights_new(&flights, &input, STEP_SCRIPT_FUNCTIONS, true), PT_OK);
}

static void end(void)
{
    pt_flights_free(flights);
}

static void take(const char *script)
{
    size_t count;
    struct pt_step *steps = step_script(script, &count);
    cr_assert_eq(pt_flights_add(flights, steps, count), PT_OK);
    cr_assert_eq(pt_flights_end_thread(flights), PT_OK);
    free(steps);
}

static char letter(uint32_t number)
{
    return number == PT_FLIGHTS_NOBODY ? '-' : (char)('a' + number);
}

/* All rows, in order of their making: site, function, end, by, count, functions left. */
static void assert_rows(const char *script, const char *expected)
{
    char text[512] = "";
    size_t at = 0;
    take(script);
    for (uint32_t i = 1; i < flights->ended.count; i++) {
        const struct pt_flight *row = &flights->ended.rows[i];
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%c%c%c%c %lu", i > 1 ? "; " : "", letter(row->site),
                               letter(row->function), "cslo"[row->end], letter(row->by), row -> count);
        at += (size_t)(row->least == row->most
                           ? snprintf(text + at, sizeof text - at, "x%lu", row->most)
                           : snprintf(text + at, sizeof text - at, "x%lu-%lu", row->least, row->most));
    }
    cr_assert_str_eq(text, expected);
}

TestSuite(flights, .init = begin, .fini = end);

Test(flights, caught_where_it_was_raised)
{
    assert_rows("a*p.)", "paca 1x0");
}

Test(flights, caught_further_out)
{
    assert_rows("abc*p!*q!*q.))", "pcca 1x2");
}

Test(flights, one_that_is_raised_in_a_handler_is_another_one)
{
    assert_rows("a*p.*r.)", "paca 1x0; raca 1x0");
    assert_rows("ab*p*r!*s.)", "paca 1x0; raca 1x0; pbcb 1x0; rbca 1x1");
}

Test(flights, left_the_thread)
{
    assert_rows("ab*p!*q!", "pbl- 1x2");
}

Test(flights, through_a_function_of_c)
{
    assert_rows("axb*p!!*q.)", "pbca 1x1");
}

Test(flights, swallowed_by_a_function_of_c)
{
    assert_rows("axb*p!).)", "pbsx 1x1");
}

Test(flights, swallowed_by_what_shows_no_function)
{
    assert_rows("ab*p!.c))", "pbsa 1x1");
}

Test(flights, made_another_one_by_c)
{
    assert_rows("ab*p!*r.)", "pbsa 1x1; raca 1x0");
}

Test(flights, finalizers_may_run_on_the_way)
{
    assert_rows("ab*p!c.)*q.)", "pbca 1x1");
    assert_rows("ab*p!c*r.)*q.)", "pbca 2x1; rccc 1x0");
}

Test(flights, raised_again_without_an_event)
{
    assert_rows("ab*pd.)!*q.)", "pbca 1x1");
}

Test(flights, raised_again_after_another_one_was_handled_meanwhile)
{
    assert_rows("ab*p*r.!*q.)", "rbcb 1x0; pbca 1x1");
}

Test(flights, raised_again_after_a_yield)
{
    assert_rows("ab*p)b!*q.)", "pbca 1x1");
    assert_rows("ab*p).b.))", "pbca 1x1; pbcb 1x0");
}

Test(flights, threads_have_nothing_to_do_with_each_other)
{
    take("ab*p)");
    assert_rows("ab!*q.)", "pbcb 1x0; qaca 1x0");
}

Test(flights, the_recording_ends_on_the_way)
{
    assert_rows("a*p]", "pao- 1x0");
    assert_rows("ab*p!]", "pao- 1x0; pbo- 1x1");
}

Test(flights, what_went_on_was_caught)
{
    assert_rows("ab*p!*qc]]", "pbca 1x1");
}

Test(flights, an_exception_ends_a_greenlet_and_goes_on_in_its_parent)
{
    assert_rows("ax1b*p!0!*q.)", "pbca 1x1");
}

Test(flights, greenlets_have_exceptions_of_their_own)
{
    assert_rows("ax1b*py0!*r.x1!!0!*q.)", "raca 1x0; pbca 1x1");
}

Test(flights, many_at_the_same_place_are_one_row)
{
    char script[4096] = "a";
    for (int i = 0; i < 300; i++)
        strcat(script, "b*p!*q.");
    strcat(script, ")");
    assert_rows(script, "pbca 300x1");
}

Test(flights, how_far_they_went)
{
    assert_rows("ab*p!*q.bb*p!*q!*q.)", "pbca 2x1-2");
}
