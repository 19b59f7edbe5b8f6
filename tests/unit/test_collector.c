/* From the arena to blocks: what the drain writes, and when. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "collector_fixture.h"

TestSuite(collector, .init = collector_fixture_open, .fini = collector_fixture_close);

/* --- Life --------------------------------------------------------------------------------------------------------- */

Test(collector, what_a_thread_publishes_is_written_and_may_then_be_overwritten)
{
    one_thread(&fixture);
    turn(2000);
    expect_process(1, 0, PT_META_ABSENT, "");
    expect_thread(1, 1, "", PT_META_ABSENT);
    expect_entries(1, "start 1 @1000, c_call 2 @1003");
    cr_assert_eq(slot_at(0)->consumed, 4);
    cr_assert_eq(process_at(0)->consumed, process_at(0)->produced);

    arena_fixture_event(&fixture, 0, PT_KIND_C_RETURN, 0, 1004);
    turn(2000);
    expect_entries(1, "start 1 @1000, c_call 2 @1003, c_return @1004");
    cr_assert_eq(totals().events, 3);
    cr_assert_eq(totals().live_processes, 1);
}

Test(collector, a_turn_without_news_writes_nothing)
{
    one_thread(&fixture);
    turn(2000);
    const unsigned count = blocks.count;
    turn(3000);
    cr_assert_eq(blocks.count, count);
}

Test(collector, a_wake_takes_only_rings_at_their_mark)
{
    const uint64_t half = PT_ARENA_RING_MIN / 8 / 2;
    one_thread(&fixture);
    cr_assert_eq(pt_collector_turn(collector, PT_COLLECT_FULL_CHUNKS, 2000), PT_OK);
    expect_entries(1, "");
    while (slot_at(0)->produced < half)
        arena_fixture_event(&fixture, 0, PT_KIND_START, 1, 1010);
    cr_assert_eq(pt_collector_turn(collector, PT_COLLECT_FULL_CHUNKS, 2000), PT_OK);
    cr_assert_eq(slot_at(0)->consumed, half);
}

Test(collector, who_waits_for_room_is_told)
{
    struct pt_arena_control *control = pt_arena_control(&fixture.arena);
    one_thread(&fixture);
    turn(2000);
    cr_assert_eq(control->progress, 0, "nobody waited");
    control->waiters = 1;
    arena_fixture_event(&fixture, 0, PT_KIND_C_RETURN, 0, 1004);
    turn(2000);
    cr_assert_gt(control->progress, 0);
}

Test(collector, a_name_that_becomes_known_later_is_written_later)
{
    one_thread(&fixture);
    turn(2000);
    strcpy(slot_at(0)->name, "worker");
    turn(2000);
    expect_thread(1, 1, "worker", PT_META_ABSENT);
}

Test(collector, a_name_is_cut_where_it_is_no_utf8)
{
    memcpy(slot_at(0)->name, "caf\xC3\xA9 \xF0\x9F\x90\x8D\xE2\x82", 13);
    one_thread(&fixture);
    turn(2000);
    expect_thread(1, 1, "caf\xC3\xA9 \xF0\x9F\x90\x8D", PT_META_ABSENT);
}

/* --- Ends --------------------------------------------------------------------------------------------------------- */

Test(collector, a_killed_process_is_closed_when_its_death_was_noticed)
{
    arena_fixture_run_and_kill(&fixture, one_thread);
    turn(5000);
    expect_entries(1, "start 1 @1000, c_call 2 @1003, close @5000, close @5000");
    expect_thread(1, 1, "", 5000);
    turn(6000); /* its first turn saw it appear, only the second one sees that it is dead */
    expect_process(1, 0, 6000, "killed");
    cr_assert_str_eq(totals().first_ended, "killed");
    cr_assert_eq(totals().live_processes, 0);
    cr_assert_eq(pt_arena_control(&fixture.arena)->live, 0);
}

Test(collector, what_the_dead_leave_behind_is_used_again)
{
    for (uint64_t round = 1; round <= 5; round++) {
        arena_fixture_run_and_kill(&fixture, one_thread);
        turn(5000);
        turn(5000);
        cr_assert_eq(slot_at(0)->state, PT_SLOT_FREE);
        cr_assert_eq(process_at(0)->state, PT_PROCESS_FREE);
        expect_entries(round, "start 1 @1000, c_call 2 @1003, close @5000, close @5000");
        struct pt_thread thread = block_log_thread(&blocks, round);
        cr_assert_eq(thread.generation, round);
        pt_thread_release(&thread);
    }
    cr_assert_eq(totals().events, 10);
}

Test(collector, a_thread_that_leaves_is_closed_when_it_left)
{
    one_thread(&fixture);
    slot_at(0)->lost = 7;
    slot_at(0)->stalled_ticks = 30;
    arena_fixture_release(&fixture, 0, 1500);
    turn(5000);
    expect_entries(1, "start 1 @1000, c_call 2 @1003, close @1500, close @1500");
    expect_thread(1, 1, "", 1500);
    cr_assert_eq(slot_at(0)->state, PT_SLOT_FREE);
    cr_assert_eq(slot_at(0)->produced + slot_at(0)->consumed + slot_at(0)->lost, 0);
    cr_assert_eq(totals().latest_tick, 1500);
    cr_assert_eq(totals().lost, 7);
    cr_assert_eq(totals().untold, 7);
    cr_assert_eq(totals().stalled_ticks, 30);
    expect_process(1, 0, PT_META_ABSENT, "");
}

Test(collector, a_slot_is_free_only_when_its_thread_let_go_of_it)
{
    one_thread(&fixture);
    slot_at(0)->end_tick = 1500;
    slot_at(0)->state = PT_SLOT_RELEASED; /* and the mutex still held */
    turn(5000);
    expect_thread(1, 1, "", 1500);
    cr_assert_eq(slot_at(0)->state, PT_SLOT_RELEASED);
    pt_arena_owner_release(&slot_at(0)->owner);
    turn(5000);
    cr_assert_eq(slot_at(0)->state, PT_SLOT_FREE);
}

static void *claim_in_thread(void *unused)
{
    (void)unused;
    arena_fixture_claim(&fixture, 1, 0, 1100);
    return NULL;
}

Test(collector, a_thread_without_an_event_does_not_end_before_it_started)
{
    pthread_t thread;
    one_thread(&fixture);
    cr_assert_eq(pthread_create(&thread, NULL, claim_in_thread, NULL), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    turn(5000);
    expect_entries(2, "");
    expect_thread(2, 1, "", 1100);
}

static void exits(struct arena_fixture *at)
{
    one_thread(at);
    arena_fixture_leave(at, 0, PT_PROCESS_EXITED, 1800);
}

Test(collector, the_frames_of_a_process_that_exits_are_closed_at_its_end)
{
    arena_fixture_run_and_kill(&fixture, exits);
    turn(5000);
    expect_entries(1, "start 1 @1000, c_call 2 @1003, close @1800, close @1800");
    expect_process(1, 0, 1800, "exited");
    cr_assert_str_eq(totals().first_ended, "exited");
    cr_assert_eq(totals().latest_tick, 1800);
    cr_assert_eq(process_at(0)->state, PT_PROCESS_FREE);
}

Test(collector, a_thread_that_ends_with_an_empty_stack_ended_at_its_last_event)
{
    one_thread(&fixture);
    another_thread();
    turn(5000);
    expect_entries(2, "start 1 @1100, return @1200");
    expect_thread(2, 1, "", 1200);
    expect_thread(1, 1, "", PT_META_ABSENT);
    expect_process(1, 0, PT_META_ABSENT, "");
}

Test(collector, finish_ends_what_is_still_alive)
{
    one_thread(&fixture);
    slot_at(0)->lost = 3;
    pt_arena_control(&fixture.arena)->unslotted_events = 4;
    cr_assert_eq(pt_collector_finish(collector, 9000, "stopped"), PT_OK);
    expect_entries(1, "start 1 @1000, c_call 2 @1003, close @9000, close @9000");
    expect_thread(1, 1, "", 9000);
    expect_process(1, 0, 9000, "stopped");
    cr_assert_eq(totals().lost, 7);
    cr_assert_str_eq(totals().first_ended, "stopped");
}

Test(collector, with_the_cpu_clock_the_killed_end_with_their_last_event)
{
    pt_arena_control(&fixture.arena)->clock = PT_CLOCK_CPU;
    arena_fixture_run_and_kill(&fixture, one_thread);
    turn(5000);
    expect_entries(1, "start 1 @1000, c_call 2 @1003, close @1003, close @1003");
    expect_thread(1, 1, "", 1003);
}

Test(collector, with_the_cpu_clock_only_the_process_dates_the_end_of_threads_that_live)
{
    pt_arena_control(&fixture.arena)->clock = PT_CLOCK_CPU;
    one_thread(&fixture);
    slot_at(0)->end_tick = 1070;
    turn(5000);
    cr_assert_eq(pt_collector_finish(collector, 9000, "stopped"), PT_OK);
    expect_entries(1, "start 1 @1000, c_call 2 @1003, close @1070, close @1070");
    expect_thread(1, 1, "", 1070);
    expect_process(1, 0, 9000, "stopped");
}

Test(collector, a_closed_recording_stays_closed)
{
    one_thread(&fixture);
    pt_arena_control(&fixture.arena)->live = PT_ARENA_CLOSED;
    cr_assert_eq(pt_collector_finish(collector, 9000, "stopped"), PT_OK);
    cr_assert_eq(pt_arena_control(&fixture.arena)->live, PT_ARENA_CLOSED);
}
