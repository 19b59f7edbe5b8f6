/* The arena's file and its owners. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena_fixture.h"

/* --- Shape -------------------------------------------------------------------------------------------------------- */

static const struct pt_arena_shape good_shape = {
    .process_count = 3, .slot_count = 5, .journal_size = PT_ARENA_JOURNAL_MIN, .ring_size = PT_ARENA_RING_MIN};

Test(arena_shape, parts_follow_each_other_without_overlap)
{
    struct pt_arena_shape shape = good_shape;
    cr_assert_eq(pt_arena_shape_plan(&shape), PT_OK);
    cr_assert_geq(shape.processes_offset, PT_ARENA_CONTROL_SIZE);
    cr_assert_geq(shape.slots_offset, shape.processes_offset + 3 * 256);
    cr_assert_geq(shape.journals_offset, shape.slots_offset + 5 * 384);
    cr_assert_eq(shape.rings_offset, shape.journals_offset + 3 * shape.journal_size);
    cr_assert_eq(shape.file_size, shape.rings_offset + 5 * shape.ring_size);
    cr_assert_eq(shape.slots_offset % 4096 + shape.journals_offset % 4096 + shape.rings_offset % 4096, 0);
}

static enum pt_status plan(uint32_t processes, uint32_t slots, uint64_t journal_size, uint64_t ring_size)
{
    struct pt_arena_shape shape = {
        .process_count = processes, .slot_count = slots, .journal_size = journal_size, .ring_size = ring_size};
    return pt_arena_shape_plan(&shape);
}

Test(arena_shape, sizes_out_of_bounds_are_misuse)
{
    const uint64_t journal = PT_ARENA_JOURNAL_MIN;
    const uint64_t ring = PT_ARENA_RING_MIN;
    cr_assert_eq(plan(1, 1, journal, ring), PT_OK);
    cr_assert_eq(plan(0, 1, journal, ring), PT_MISUSE);
    cr_assert_eq(plan(1, 0, journal, ring), PT_MISUSE);
    cr_assert_eq(plan(PT_ARENA_PROCESSES_MAX + 1, 1, journal, ring), PT_MISUSE);
    cr_assert_eq(plan(1, PT_ARENA_SLOTS_MAX + 1, journal, ring), PT_MISUSE);
    cr_assert_eq(plan(1, 1, journal / 2, ring), PT_MISUSE);
    cr_assert_eq(plan(1, 1, journal + 8, ring), PT_MISUSE);
    cr_assert_eq(plan(1, 1, journal, ring / 2), PT_MISUSE);
    cr_assert_eq(plan(1, 1, journal, ring + 8), PT_MISUSE);
    cr_assert_eq(plan(1, 1, journal, UINT64_C(2) << 30), PT_MISUSE);
}

/* --- Mapping ------------------------------------------------------------------------------------------------------ */

static enum pt_status map_again(const struct arena_fixture *fixture)
{
    struct pt_arena arena = {0};
    struct pt_error error;
    enum pt_status status = pt_arena_map(&arena, fixture->directory, 0, &error);
    cr_assert_eq(status == PT_OK, arena.base != NULL);
    pt_arena_unmap(&arena);
    return status;
}

static void path_of(const struct arena_fixture *fixture, char *path, size_t size)
{
    snprintf(path, size, "%s/" PT_ARENA_FILE_NAME, fixture->directory);
}

Test(arena_map, what_was_built_can_be_mapped)
{
    struct arena_fixture fixture;
    arena_fixture_open(&fixture, 2, 2, PT_ARENA_RING_MIN);
    cr_assert_eq(map_again(&fixture), PT_OK);
    arena_fixture_close(&fixture);
}

Test(arena_map, a_private_map_changes_nothing)
{
    struct arena_fixture fixture;
    struct pt_arena arena;
    arena_fixture_open(&fixture, 2, 2, PT_ARENA_RING_MIN);
    cr_assert_eq(pt_arena_map(&arena, fixture.directory, 0, NULL), PT_OK);
    pt_arena_control(&arena)->live = 99;
    cr_assert_eq(pt_arena_control(&fixture.arena)->live, 0);
    pt_arena_unmap(&arena);
    arena_fixture_close(&fixture);
}

Test(arena_map, files_that_others_may_open_are_refused)
{
    struct arena_fixture fixture;
    char path[128];
    arena_fixture_open(&fixture, 2, 2, PT_ARENA_RING_MIN);
    path_of(&fixture, path, sizeof path);
    cr_assert_eq(chmod(path, 0640), 0);
    cr_assert_eq(map_again(&fixture), PT_CORRUPT);
    arena_fixture_close(&fixture);
}

Test(arena_map, links_are_not_followed)
{
    struct arena_fixture fixture;
    char path[128];
    char moved[144];
    arena_fixture_open(&fixture, 2, 2, PT_ARENA_RING_MIN);
    path_of(&fixture, path, sizeof path);
    snprintf(moved, sizeof moved, "%s-moved", path);
    cr_assert_eq(rename(path, moved), 0);
    cr_assert_eq(symlink(moved, path), 0);
    cr_assert_eq(map_again(&fixture), PT_IO);
    cr_assert_eq(unlink(moved), 0);
    arena_fixture_close(&fixture);
}

Test(arena_map, a_file_of_another_length_is_refused)
{
    struct arena_fixture fixture;
    char path[128];
    arena_fixture_open(&fixture, 2, 2, PT_ARENA_RING_MIN);
    path_of(&fixture, path, sizeof path);
    const off_t size = (off_t)fixture.arena.shape.file_size;
    cr_assert_eq(truncate(path, size + 1), 0);
    cr_assert_eq(map_again(&fixture), PT_CORRUPT);
    cr_assert_eq(truncate(path, size - 1), 0);
    cr_assert_eq(map_again(&fixture), PT_TRUNCATED);
    cr_assert_eq(truncate(path, 100), 0);
    cr_assert_eq(map_again(&fixture), PT_TRUNCATED);
    arena_fixture_close(&fixture);
}

Test(arena_map, every_size_is_checked)
{
    struct arena_fixture fixture;
    arena_fixture_open(&fixture, 2, 2, PT_ARENA_RING_MIN);
    uint8_t *control = fixture.arena.base;
    for (unsigned at = 72; at < 136; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            control[at] ^= (uint8_t)(1u << bit);
            cr_assert_neq(map_again(&fixture), PT_OK, "byte %u, bit %u", at, bit);
            control[at] ^= (uint8_t)(1u << bit);
        }
    control[8] ^= 2;
    cr_assert_eq(map_again(&fixture), PT_UNSUPPORTED);
    control[8] ^= 2;
    control[0] ^= 1;
    cr_assert_eq(map_again(&fixture), PT_CORRUPT);
    control[0] ^= 1;
    cr_assert_eq(map_again(&fixture), PT_OK);
    arena_fixture_close(&fixture);
}

/* --- Owners ------------------------------------------------------------------------------------------------------- */

Test(arena_owner, one_at_a_time)
{
    struct arena_fixture fixture;
    arena_fixture_open(&fixture, 1, 1, PT_ARENA_RING_MIN);
    union pt_arena_owner *owner = &pt_arena_slot(&fixture.arena, 0)->owner;
    cr_assert_not(pt_arena_owner_alive(owner));
    cr_assert(pt_arena_owner_try(owner));
    cr_assert(pt_arena_owner_alive(owner));
    cr_assert_not(pt_arena_owner_try(owner));
    pt_arena_owner_release(owner);
    cr_assert_not(pt_arena_owner_alive(owner));
    arena_fixture_close(&fixture);
}

static void own(struct arena_fixture *fixture)
{
    if (!pt_arena_owner_try(&pt_arena_slot(&fixture->arena, 0)->owner))
        _exit(1);
}

Test(arena_owner, a_killed_owner_is_dead_and_can_be_followed_again_and_again)
{
    struct arena_fixture fixture;
    arena_fixture_open(&fixture, 1, 1, PT_ARENA_RING_MIN);
    union pt_arena_owner *owner = &pt_arena_slot(&fixture.arena, 0)->owner;
    for (unsigned i = 0; i < 3; i++) {
        arena_fixture_run_and_kill(&fixture, own);
        cr_assert_not(pt_arena_owner_alive(owner));
    }
    cr_assert(pt_arena_owner_try(owner));
    cr_assert(pt_arena_owner_alive(owner));
    arena_fixture_close(&fixture);
}

static void *own_in_thread(void *fixture)
{
    own(fixture);
    return NULL;
}

Test(arena_owner, a_thread_that_has_ended_is_dead)
{
    struct arena_fixture fixture;
    pthread_t thread;
    arena_fixture_open(&fixture, 1, 1, PT_ARENA_RING_MIN);
    cr_assert_eq(pthread_create(&thread, NULL, own_in_thread, &fixture), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_not(pt_arena_owner_alive(&pt_arena_slot(&fixture.arena, 0)->owner));
    arena_fixture_close(&fixture);
}
