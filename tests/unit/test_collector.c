/* From the arena to blocks: what the drain writes, and when. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena_fixture.h"
#include "record.h"

static struct arena_fixture fixture;
static struct block_log blocks;
static struct pt_collector *collector;

static void set_up(void)
{
    const struct pt_collector_settings settings = {.live = true, .zstd_level = 1};
    arena_fixture_open(&fixture, 4, 4, PT_ARENA_RING_MIN);
    cr_assert_eq(pt_collector_new(&collector, &fixture.arena, &settings, block_log_take, &blocks), PT_OK);
}

static void tear_down(void)
{
    pt_collector_free(collector);
    block_log_release(&blocks);
    arena_fixture_close(&fixture);
}

TestSuite(collector, .init = set_up, .fini = tear_down);

static void turn(uint64_t now_tick)
{
    cr_assert_eq(pt_collector_turn(collector, PT_COLLECT_ALL, now_tick), PT_OK);
}

static void expect_entries(uint64_t thread, const char *expected)
{
    char *entries = block_log_entries(&blocks, thread);
    cr_assert_str_eq(entries, expected);
    free(entries);
}

static void expect_process(uint64_t serial, uint64_t parent, uint64_t end_tick, const char *ended)
{
    struct pt_process process = block_log_process(&blocks, serial);
    cr_assert_eq(process.serial, serial);
    cr_assert_eq(process.parent, parent);
    cr_assert_eq(process.end_tick, end_tick);
    cr_assert_str_eq(process.ended, ended);
    pt_process_release(&process);
}

static void expect_thread(uint64_t serial, uint64_t process, const char *name, uint64_t end_tick)
{
    struct pt_thread thread = block_log_thread(&blocks, serial);
    cr_assert_eq(thread.serial, serial);
    cr_assert_eq(thread.process, process);
    cr_assert_str_eq(thread.name, name);
    cr_assert_eq(thread.end_tick, end_tick);
    pt_thread_release(&thread);
}

static struct pt_arena_slot *slot_at(uint32_t index)
{
    return pt_arena_slot(&fixture.arena, index);
}

static struct pt_arena_process *process_at(uint32_t index)
{
    return pt_arena_process(&fixture.arena, index);
}

static struct pt_collector_totals totals(void)
{
    struct pt_collector_totals sums;
    pt_collector_totals(collector, &sums);
    return sums;
}

/* A process in entry 0 with a thread in slot 0, in this very thread. */
static void one_thread(struct arena_fixture *at)
{
    arena_fixture_enter(at, 0, PT_ARENA_NO_PROCESS, 0);
    arena_fixture_claim(at, 0, 0, 1000);
    arena_fixture_define(at, 0, 1);
    arena_fixture_event(at, 0, PT_KIND_START, 1, 1000);
    arena_fixture_define(at, 0, 2);
    arena_fixture_event(at, 0, PT_KIND_C_CALL, 2, 1003);
}

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

static void *work_in_thread(void *unused)
{
    (void)unused;
    arena_fixture_claim(&fixture, 1, 0, 1100);
    arena_fixture_event(&fixture, 1, PT_KIND_START, 1, 1100);
    arena_fixture_event(&fixture, 1, PT_KIND_RETURN, 0, 1200);
    return NULL;
}

Test(collector, a_thread_that_ends_with_an_empty_stack_ended_at_its_last_event)
{
    pthread_t thread;
    one_thread(&fixture);
    cr_assert_eq(pthread_create(&thread, NULL, work_in_thread, NULL), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
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

Test(collector, a_closed_recording_stays_closed)
{
    one_thread(&fixture);
    pt_arena_control(&fixture.arena)->live = PT_ARENA_CLOSED;
    cr_assert_eq(pt_collector_finish(collector, 9000, "stopped"), PT_OK);
    cr_assert_eq(pt_arena_control(&fixture.arena)->live, PT_ARENA_CLOSED);
}

/* --- Children ----------------------------------------------------------------------------------------------------- */

static void child_of_entry_3(struct arena_fixture *at)
{
    arena_fixture_enter(at, 1, 3, 1);
    arena_fixture_claim(at, 1, 1, 1500);
    arena_fixture_define(at, 1, 2);
    arena_fixture_event(at, 1, PT_KIND_START, 1, 1500);
    arena_fixture_event(at, 1, PT_KIND_START, 2, 1501);
}

Test(collector, a_child_knows_its_parent_wherever_they_lie_in_the_table)
{
    arena_fixture_enter(&fixture, 3, PT_ARENA_NO_PROCESS, 0);
    arena_fixture_define(&fixture, 3, 1);
    arena_fixture_run_and_kill(&fixture, child_of_entry_3);
    turn(5000);
    expect_process(1, 0, PT_META_ABSENT, "");
    expect_process(2, 1, PT_META_ABSENT, "");
    /* block_log_entries checks that the parent's names, which it uses, stand before it. */
    expect_entries(1, "start 1 @1500, start 2 @1501, close @5000, close @5000");
    turn(6000);
    expect_process(2, 1, 6000, "killed");
}

static void parent_and_child(struct arena_fixture *at)
{
    arena_fixture_enter(at, 3, PT_ARENA_NO_PROCESS, 0);
    arena_fixture_define(at, 3, 1);
    arena_fixture_leave(at, 3, PT_PROCESS_EXITED, 1400);
    process_at(1)->parent = 3;
    process_at(1)->parent_generation = process_at(3)->generation;
    process_at(1)->state = PT_PROCESS_BORN;
}

Test(collector, an_entry_waits_for_children_that_name_it)
{
    arena_fixture_run_and_kill(&fixture, parent_and_child);
    turn(1500);
    expect_process(1, 0, 1400, "exited");
    cr_assert_eq(process_at(3)->state, PT_PROCESS_EXITED, "the child would not find its parent");

    process_at(1)->state = PT_PROCESS_FREE;
    arena_fixture_run_and_kill(&fixture, child_of_entry_3);
    turn(5000);
    turn(5000);
    expect_process(2, 1, 5000, "killed");
    cr_assert_eq(process_at(3)->state, PT_PROCESS_FREE);
    cr_assert_eq(process_at(1)->state, PT_PROCESS_FREE);
}

Test(collector, processes_that_are_each_others_parents_are_taken_as_they_are)
{
    arena_fixture_enter(&fixture, 0, 1, 0);
    arena_fixture_enter(&fixture, 1, 0, 0);
    process_at(0)->parent_generation = process_at(1)->generation;
    turn(5000);
    expect_process(2, 1, PT_META_ABSENT, "");
    cr_assert_eq(totals().live_processes, 2);
}

Test(collector, a_child_that_never_comes_is_forgotten_after_ten_seconds)
{
    struct pt_arena_control *control = pt_arena_control(&fixture.arena);
    control->live = 2;
    process_at(2)->start_tick = 1000;
    process_at(2)->state = PT_PROCESS_BORN;
    turn(1000 + 9999999); /* microseconds */
    cr_assert_eq(process_at(2)->state, PT_PROCESS_BORN);
    cr_assert_eq(control->live, 2);
    turn(1000 + 10000000);
    cr_assert_eq(process_at(2)->state, PT_PROCESS_FREE);
    cr_assert_eq(control->live, 1);
    cr_assert_eq(blocks.count, 0);
}

/* --- A sink that refuses ------------------------------------------------------------------------------------------ */

/* Two processes that were killed; returns the entries of both threads. */
static void whole_story(unsigned refuse_at, char *texts[2])
{
    set_up();
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
    tear_down();
    for (unsigned refuse_at = 1; refuse_at <= calls; refuse_at++) {
        char *texts[2];
        whole_story(refuse_at, texts);
        cr_assert_str_eq(texts[0], expected[0], "refused at %u", refuse_at);
        cr_assert_str_eq(texts[1], expected[1], "refused at %u", refuse_at);
        free(texts[0]);
        free(texts[1]);
        tear_down();
    }
    free(expected[0]);
    free(expected[1]);
}

Test(collector, records_are_not_given_up_before_the_sink_took_them)
{
    one_thread(&fixture);
    blocks.refuse_at = 4; /* PROCESS, THREAD, NAMES, CHUNK */
    cr_assert_eq(pt_collector_turn(collector, PT_COLLECT_ALL, 2000), PT_IO);
    cr_assert_eq(slot_at(0)->consumed, 0);
    turn(2000);
    cr_assert_eq(slot_at(0)->consumed, 4);
}

/* --- Nonsense ----------------------------------------------------------------------------------------------------- */

Test(collector, a_ring_with_nonsense_harms_nobody_else)
{
    pthread_t thread;
    one_thread(&fixture);
    arena_fixture_word(&fixture, 0, pt_record_pack(PT_KIND_CLOSE, 0, 1004));
    arena_fixture_event(&fixture, 0, PT_KIND_C_RETURN, 0, 1005);
    cr_assert_eq(pthread_create(&thread, NULL, work_in_thread, NULL), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    turn(5000);
    expect_entries(1, "start 1 @1000, c_call 2 @1003");
    expect_entries(2, "start 1 @1100, return @1200");
    cr_assert_eq(totals().corrupt_slots, 1);
    cr_assert_eq(slot_at(0)->consumed, slot_at(0)->produced, "its thread shall not wait for room");
    turn(5000);
    cr_assert_eq(totals().corrupt_slots, 1);
}

Test(collector, positions_beyond_the_ring_are_nonsense)
{
    one_thread(&fixture);
    slot_at(0)->produced = PT_ARENA_RING_MIN;
    turn(5000);
    expect_entries(1, "");
    cr_assert_eq(totals().corrupt_slots, 1);
}

Test(collector, a_position_that_goes_back_is_nonsense)
{
    one_thread(&fixture);
    turn(5000);
    slot_at(0)->produced = 2;
    turn(5000);
    cr_assert_eq(totals().corrupt_slots, 1);
}

Test(collector, a_journal_with_nonsense_gives_what_came_before_it)
{
    one_thread(&fixture);
    arena_fixture_define(&fixture, 0, 99);
    arena_fixture_define(&fixture, 0, 3);
    turn(5000);
    expect_entries(1, "start 1 @1000, c_call 2 @1003");
    cr_assert_eq(process_at(0)->consumed, process_at(0)->produced, "its process shall not wait for room");
}

Test(collector, a_slot_of_a_process_that_there_is_not_is_given_back_in_the_end)
{
    pthread_t thread;
    arena_fixture_enter(&fixture, 0, PT_ARENA_NO_PROCESS, 0);
    process_at(0)->generation++;
    cr_assert_eq(pthread_create(&thread, NULL, work_in_thread, NULL), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    process_at(0)->generation--;
    for (unsigned i = 0; i < 10; i++)
        turn(5000);
    cr_assert_eq(slot_at(1)->state, PT_SLOT_FREE);
    cr_assert_eq(totals().events, 0);
}
