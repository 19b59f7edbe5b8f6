#include "collector_fixture.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

struct arena_fixture fixture;
struct block_log blocks;
struct pt_collector *collector;

void collector_fixture_open(void)
{
    const struct pt_collector_settings settings = {.live = true, .zstd_level = 1};
    arena_fixture_open(&fixture, 4, 4, PT_ARENA_RING_MIN);
    cr_assert_eq(pt_collector_new(&collector, &fixture.arena, &settings, block_log_take, &blocks), PT_OK);
}

void collector_fixture_close(void)
{
    pt_collector_free(collector);
    block_log_release(&blocks);
    arena_fixture_close(&fixture);
}

void turn(uint64_t now_tick)
{
    cr_assert_eq(pt_collector_turn(collector, PT_COLLECT_ALL, now_tick), PT_OK);
}

void expect_entries(uint64_t thread, const char *expected)
{
    char *entries = block_log_entries(&blocks, thread);
    cr_assert_str_eq(entries, expected);
    free(entries);
}

void expect_process(uint64_t serial, uint64_t parent, uint64_t end_tick, const char *ended)
{
    struct pt_process process = block_log_process(&blocks, serial);
    cr_assert_eq(process.serial, serial);
    cr_assert_eq(process.parent, parent);
    cr_assert_eq(process.end_tick, end_tick);
    cr_assert_str_eq(process.ended, ended);
    pt_process_release(&process);
}

void expect_thread(uint64_t serial, uint64_t process, const char *name, uint64_t end_tick)
{
    struct pt_thread thread = block_log_thread(&blocks, serial);
    cr_assert_eq(thread.serial, serial);
    cr_assert_eq(thread.process, process);
    cr_assert_str_eq(thread.name, name);
    cr_assert_eq(thread.end_tick, end_tick);
    pt_thread_release(&thread);
}

struct pt_arena_slot *slot_at(uint32_t index)
{
    return pt_arena_slot(&fixture.arena, index);
}

struct pt_arena_process *process_at(uint32_t index)
{
    return pt_arena_process(&fixture.arena, index);
}

struct pt_collector_totals totals(void)
{
    struct pt_collector_totals sums;
    pt_collector_totals(collector, &sums);
    return sums;
}

void one_thread(struct arena_fixture *at)
{
    arena_fixture_enter(at, 0, PT_ARENA_NO_PROCESS, 0);
    arena_fixture_claim(at, 0, 0, 1000);
    arena_fixture_define(at, 0, 1);
    arena_fixture_event(at, 0, PT_KIND_START, 1, 1000);
    arena_fixture_define(at, 0, 2);
    arena_fixture_event(at, 0, PT_KIND_C_CALL, 2, 1003);
}

static void *work_in_thread(void *unused)
{
    (void)unused;
    arena_fixture_claim(&fixture, 1, 0, 1100);
    arena_fixture_event(&fixture, 1, PT_KIND_START, 1, 1100);
    arena_fixture_event(&fixture, 1, PT_KIND_RETURN, 0, 1200);
    return NULL;
}

void another_thread(void)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, work_in_thread, NULL), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
}
