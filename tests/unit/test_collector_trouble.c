/* From the arena to blocks: a file that takes nothing, and shared memory that cannot be true. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "collector_fixture.h"
#include "record.h"

TestSuite(collector_trouble, .init = collector_fixture_open, .fini = collector_fixture_close);

/* --- A sink that refuses ------------------------------------------------------------------------------------------ */

/* Two processes that were killed; returns the entries of both threads. */
static void whole_story(unsigned refuse_at, char *texts[2])
{
    collector_fixture_open();
    blocks.refuse_at = refuse_at;
    arena_fixture_run_and_kill(&fixture, one_thread);
    unsigned refused = 0;
    for (unsigned i = 0; i < 4; i++)
        refused += pt_collector_turn(collector, PT_COLLECT_ALL, 5000) == PT_IO;
    arena_fixture_run_and_kill(&fixture, one_thread);
    for (unsigned i = 0; i < 4; i++)
        refused += pt_collector_turn(collector, PT_COLLECT_ALL, 5000) == PT_IO;
    cr_assert_eq(refused, refuse_at > 0 && blocks.calls >= refuse_at);
    texts[0] = block_log_entries(&blocks, 1);
    texts[1] = block_log_entries(&blocks, 2);
    expect_process(2, 0, 5000, "killed");
    expect_thread(2, 2, "", 5000);
    cr_assert_eq(totals().events, 4);
}

Test(collector_sink, whatever_it_refuses_it_gets_again)
{
    char *expected[2];
    whole_story(0, expected);
    const unsigned calls = blocks.calls;
    collector_fixture_close();
    for (unsigned refuse_at = 1; refuse_at <= calls; refuse_at++) {
        char *texts[2];
        whole_story(refuse_at, texts);
        cr_assert_str_eq(texts[0], expected[0], "refused at %u", refuse_at);
        cr_assert_str_eq(texts[1], expected[1], "refused at %u", refuse_at);
        free(texts[0]);
        free(texts[1]);
        collector_fixture_close();
    }
    free(expected[0]);
    free(expected[1]);
}

Test(collector_trouble, records_are_not_given_up_before_the_sink_took_them)
{
    one_thread(&fixture);
    blocks.refuse_at = 4; /* PROCESS, THREAD, NAMES, CHUNK */
    cr_assert_eq(pt_collector_turn(collector, PT_COLLECT_ALL, 2000), PT_IO);
    cr_assert_eq(slot_at(0)->consumed, 0);
    turn(2000);
    cr_assert_eq(slot_at(0)->consumed, 4);
}

/* --- Nonsense ----------------------------------------------------------------------------------------------------- */

Test(collector_trouble, a_ring_with_nonsense_harms_nobody_else)
{
    one_thread(&fixture);
    arena_fixture_word(&fixture, 0, pt_record_pack(PT_KIND_CLOSE, 0, 1004));
    arena_fixture_event(&fixture, 0, PT_KIND_C_RETURN, 0, 1005);
    another_thread();
    turn(5000);
    expect_entries(1, "start 1 @1000, c_call 2 @1003");
    expect_entries(2, "start 1 @1100, return @1200");
    cr_assert_eq(totals().corrupt_slots, 1);
    cr_assert_eq(slot_at(0)->consumed, slot_at(0)->produced, "its thread shall not wait for room");
    turn(5000);
    cr_assert_eq(totals().corrupt_slots, 1);
}

Test(collector_trouble, positions_beyond_the_ring_are_nonsense)
{
    one_thread(&fixture);
    slot_at(0)->produced = PT_ARENA_RING_MIN;
    turn(5000);
    expect_entries(1, "");
    cr_assert_eq(totals().corrupt_slots, 1);
}

Test(collector_trouble, a_position_that_goes_back_is_nonsense)
{
    one_thread(&fixture);
    turn(5000);
    slot_at(0)->produced = 2;
    turn(5000);
    cr_assert_eq(totals().corrupt_slots, 1);
}

Test(collector_trouble, a_journal_with_nonsense_gives_what_came_before_it)
{
    one_thread(&fixture);
    arena_fixture_define(&fixture, 0, 99);
    arena_fixture_define(&fixture, 0, 3);
    turn(5000);
    expect_entries(1, "start 1 @1000, c_call 2 @1003");
    cr_assert_eq(process_at(0)->consumed, process_at(0)->produced, "its process shall not wait for room");
}

Test(collector_trouble, a_slot_of_a_process_that_there_is_not_is_given_back_in_the_end)
{
    arena_fixture_enter(&fixture, 0, PT_ARENA_NO_PROCESS, 0);
    process_at(0)->generation++;
    another_thread();
    process_at(0)->generation--;
    for (unsigned i = 0; i < 10; i++)
        turn(5000);
    cr_assert_eq(slot_at(1)->state, PT_SLOT_FREE);
    cr_assert_eq(totals().events, 0);
}
