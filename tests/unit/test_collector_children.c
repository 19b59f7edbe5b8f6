/* From the arena to blocks: processes that fork. */
#include <criterion/criterion.h>
#include <string.h>

#include "collector_fixture.h"

TestSuite(collector_children, .init = collector_fixture_open, .fini = collector_fixture_close);

static void child_of_entry_3(struct arena_fixture *at)
{
    arena_fixture_enter(at, 1, 3, 1);
    arena_fixture_claim(at, 1, 1, 1500);
    arena_fixture_define(at, 1, 2);
    arena_fixture_event(at, 1, PT_KIND_START, 1, 1500);
    arena_fixture_event(at, 1, PT_KIND_START, 2, 1501);
}

Test(collector_children, a_child_knows_its_parent_wherever_they_lie_in_the_table)
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

Test(collector_children, an_entry_waits_for_children_that_name_it)
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

Test(collector_children, processes_that_are_each_others_parents_are_taken_as_they_are)
{
    arena_fixture_enter(&fixture, 0, 1, 0);
    arena_fixture_enter(&fixture, 1, 0, 0);
    process_at(0)->parent_generation = process_at(1)->generation;
    turn(5000);
    expect_process(2, 1, PT_META_ABSENT, "");
    cr_assert_eq(totals().live_processes, 2);
}

static void expect_program(uint64_t serial, const char *origin, const char *program)
{
    struct pt_process process = block_log_process(&blocks, serial);
    cr_assert_str_eq(process.origin, origin);
    cr_assert_str_eq(process.program, program);
    pt_process_release(&process);
}

Test(collector_children, an_executed_program_is_named)
{
    const char whole[] = "a/path/that/fills/the/whole/field/without/a/NUL/behind.py";
    for (uint32_t i = 0; i < 3; i++)
        arena_fixture_enter(&fixture, i, i == 0 ? PT_ARENA_NO_PROCESS : 0, 0);
    process_at(1)->origin = PT_PROCESS_EXECED;
    strcpy(process_at(1)->program, "child.py");
    process_at(2)->origin = PT_PROCESS_EXECED;
    memcpy(process_at(2)->program, whole + 1, sizeof process_at(2)->program);
    turn(5000);
    expect_program(1, "start", "");
    expect_program(2, "exec", "child.py");
    expect_program(3, "exec", whole + 1);
}

Test(collector_children, a_forked_process_is_what_its_parent_is)
{
    arena_fixture_enter(&fixture, 0, PT_ARENA_NO_PROCESS, 0);
    arena_fixture_enter(&fixture, 1, 0, 0);
    process_at(1)->origin = PT_PROCESS_FORKED;
    strcpy(process_at(1)->program, "left by an earlier use of the entry");
    turn(5000);
    expect_program(2, "fork", "");
}

Test(collector_children, a_child_that_never_comes_is_forgotten_after_ten_seconds)
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

Test(collector_children, a_child_that_cannot_come_is_forgotten)
{
    struct pt_arena_control *control = pt_arena_control(&fixture.arena);
    arena_fixture_enter(&fixture, 0, PT_ARENA_NO_PROCESS, 0);
    process_at(2)->start_tick = 1000;
    process_at(2)->state = PT_PROCESS_BORN;
    control->live++;
    pt_collector_forget_unborn(collector, 1000);
    cr_assert_eq(process_at(2)->state, PT_PROCESS_BORN);
    pt_collector_forget_unborn(collector, 1001);
    cr_assert_eq(process_at(0)->state, PT_PROCESS_LIVE);
    cr_assert_eq(process_at(2)->state, PT_PROCESS_FREE);
    cr_assert_eq(control->live, 1);
}

static void lonely(struct arena_fixture *at)
{
    arena_fixture_enter(at, 1, PT_ARENA_NO_PROCESS, 0);
}

Test(collector_children, a_program_may_take_the_entry_of_the_process_in_whose_place_it_was_executed)
{
    arena_fixture_run_and_kill(&fixture, lonely);
    turn(1000);
    turn(1000);
    expect_process(1, 0, 1000, "killed");
    cr_assert_eq(process_at(1)->state, PT_PROCESS_FREE);
    cr_assert_neq(process_at(1)->pid, 0, "by which the program finds the entry");

    const uint32_t before = process_at(1)->generation;
    arena_fixture_enter(&fixture, 1, PT_ARENA_NO_PROCESS, 0);
    process_at(1)->parent = 1;
    process_at(1)->parent_generation = before;
    turn(2000);
    expect_process(2, 1, PT_META_ABSENT, "");
}
