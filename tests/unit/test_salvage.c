/* A recording whose drain died at some moment reads like one whose drain lived. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena_fixture.h"
#include "check.h"
#include "record.h"
#include "trace.h"
#include "writer.h"

static struct arena_fixture fixture;
static char trace_directory[64];
static char trace_path[80];
static int descriptor;
static struct pt_writer writer;

static void write_block(enum pt_block_type type, const struct pt_buffer *payload)
{
    cr_assert_eq(pt_writer_block(&writer, type, payload->data, (uint32_t)payload->size, NULL), PT_OK);
}

static void write_header(const char *arena, const char *run_id)
{
    struct pt_buffer payload = {0};
    struct pt_header header = {
        .major = PT_FORMAT_MAJOR, .minor = PT_FORMAT_MINOR, .start_tick = 500, .tick_ps = 1000000};
    char path[128];
    snprintf(path, sizeof path, "%s", arena);
    header.arena = path;
    memcpy(header.run_id, run_id, sizeof header.run_id);
    cr_assert_eq(pt_header_encode(&header, &payload), PT_OK);
    write_block(PT_BLOCK_HEADER, &payload);
    pt_buffer_release(&payload);
}

static void set_up(void)
{
    arena_fixture_open(&fixture, 4, 4, 2 * PT_ARENA_RING_MIN);
    strcpy(trace_directory, "/tmp/pytrace-test-XXXXXX");
    cr_assert(mkdtemp(trace_directory));
    snprintf(trace_path, sizeof trace_path, "%s/trace.bin", trace_directory);
    descriptor = open(trace_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    cr_assert_geq(descriptor, 0);
    pt_writer_init(&writer, descriptor);
}

static void tear_down(void)
{
    pt_writer_release(&writer);
    close(descriptor);
    unlink(trace_path);
    rmdir(trace_directory);
    arena_fixture_close(&fixture);
}

/* --- The recording ------------------------------------------------------------------------------------------------ */

enum { PHASES = 4, EVENTS = 600 }; /* of a phase; the stack grows by a third of them, beyond what a keyframe holds */

enum { BACKSTEP = 600 }; /* of the clock before phase 2, to before the last event */

/* One thread recurses for ever, with new functions in each phase; the other one comes and goes. */
static void host_phase(unsigned phase)
{
    const uint64_t tick = 1000 + 1000 * phase - (phase >= 2 ? BACKSTEP : 0);
    if (phase == 0) {
        arena_fixture_enter(&fixture, 0, PT_ARENA_NO_PROCESS, 0);
        arena_fixture_claim(&fixture, 0, 0, tick);
    }
    arena_fixture_define(&fixture, 0, 1 + phase);
    for (uint32_t i = 0; i < EVENTS; i++)
        arena_fixture_event(&fixture, 0, i % 3 == 2 ? PT_KIND_RETURN : PT_KIND_START, i % 3 == 2 ? 0 : 1 + phase,
                            tick + i);
    if (phase == 1) {
        arena_fixture_claim(&fixture, 1, 0, tick);
        arena_fixture_event(&fixture, 1, PT_KIND_START, 2, tick);
    }
    if (phase == 2)
        arena_fixture_release(&fixture, 1, tick);
}

/* What the kernel does when the owner is killed. */
static void kill_owners(void)
{
    atomic_store(&pt_arena_process(&fixture.arena, 0)->owner.word, 0x40000000);
    atomic_store(&pt_arena_slot(&fixture.arena, 0)->owner.word, 0x40000000);
}

struct drain {
    unsigned dies_at; /* block, from 1 on; 0: never */
    bool writes_it;   /* dies behind the write, not before it */
    unsigned blocks;
};

static enum pt_status drain_take(void *context, enum pt_block_type type, const uint8_t *payload, uint32_t size)
{
    struct drain *drain = context;
    const bool dies = ++drain->blocks == drain->dies_at;
    if (!dies || drain->writes_it)
        cr_assert_eq(pt_writer_block(&writer, type, payload, size, NULL), PT_OK);
    return dies ? PT_IO : PT_OK;
}

/* Records all phases; the drain works until it dies. Returns whether it did. */
static bool record(struct drain *drain)
{
    const struct pt_collector_settings settings = {.live = true, .zstd_level = 1};
    struct pt_collector *collector;
    bool dead = false;
    write_header(fixture.directory, ARENA_FIXTURE_RUN_ID);
    cr_assert_eq(pt_collector_new(&collector, &fixture.arena, &settings, drain_take, drain), PT_OK);
    for (unsigned phase = 0; phase < PHASES; phase++) {
        host_phase(phase);
        dead = dead || pt_collector_turn(collector, PT_COLLECT_ALL, 0) != PT_OK;
    }
    kill_owners();
    dead = dead || pt_collector_turn(collector, PT_COLLECT_ALL, 0) != PT_OK;
    pt_collector_free(collector);
    return dead;
}

/* --- What a reader sees ------------------------------------------------------------------------------------------- */

static void print_chunk(FILE *out, const struct pt_trace *trace, const struct pt_trace_chunk *source,
                        struct pt_chunk *chunk)
{
    struct pt_chunk_cursor cursor;
    struct pt_chunk_entry entry;
    cr_assert_not(source->gap_before);
    cr_assert_eq(pt_chunk_decode(chunk, source->payload, source->size), PT_OK);
    pt_chunk_cursor_init(&cursor, chunk);
    while (pt_chunk_cursor_next(&cursor, &entry)) {
        const uint32_t id = entry.kind == PT_KIND_CONTROL ? 0 : entry.id;
        const uint32_t function = pt_trace_function(trace, 1, id);
        cr_assert(id == 0 || function != 0);
        fprintf(out, "%u %s %lu\n", entry.kind, trace->functions[function].qualname, (unsigned long)entry.tick);
    }
}

static char *print_trace(enum pt_trace_arena expected_arena)
{
    const struct pt_trace_options options = {0};
    struct pt_trace *trace;
    struct pt_chunk chunk = {0};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    cr_assert(out);
    cr_assert_eq(pt_trace_open(&trace, trace_path, &options, NULL), PT_OK);
    cr_assert_eq(trace->arena, expected_arena, "%s", trace->arena_text);
    for (size_t i = 0; i < trace->process_count; i++)
        fprintf(out, "process %lu %s %lu\n", (unsigned long)trace->processes[i].serial, trace->processes[i].ended,
                (unsigned long)trace->processes[i].end_tick);
    for (size_t i = 0; i < trace->thread_count; i++) {
        fprintf(out, "thread %lu %lu\n", (unsigned long)trace->threads[i].meta.serial,
                (unsigned long)trace->threads[i].meta.end_tick);
        for (size_t j = 0; j < trace->threads[i].chunk_count; j++)
            print_chunk(out, trace, &trace->threads[i].chunks[j], &chunk);
    }
    pt_chunk_release(&chunk);
    pt_trace_free(trace);
    fclose(out);
    return text;
}

/* The story as it is told when the drain dies at block `dies_at`. */
static char *tell(unsigned dies_at, bool writes_it, unsigned *blocks)
{
    struct drain drain = {.dies_at = dies_at, .writes_it = writes_it};
    set_up();
    cr_assert_eq(record(&drain), dies_at != 0);
    *blocks = drain.blocks;
    char *text = print_trace(PT_TRACE_ARENA_SALVAGED);
    char *again = print_trace(PT_TRACE_ARENA_SALVAGED);
    cr_assert_str_eq(again, text, "reading twice gives the same answer");
    free(again);
    tear_down();
    return text;
}

Test(salvage, it_does_not_matter_when_the_drain_died)
{
    unsigned blocks;
    unsigned ignored;
    char *expected = tell(0, false, &blocks);
    unsigned lines = 0;
    for (const char *at = expected; (at = strchr(at, '\n')); at++)
        lines++;
    /* A process, two threads, the events of both, the backstep, the frames that were open at the end. */
    cr_assert_eq(lines, 1 + 2 + PHASES * EVENTS + 1 + 1 + PHASES * EVENTS / 3 + 1);
    for (unsigned dies_at = 1; dies_at <= blocks; dies_at++)
        for (unsigned writes_it = 0; writes_it < 2; writes_it++) {
            char *text = tell(dies_at, writes_it, &ignored);
            cr_assert_str_eq(text, expected, "block %u of %u, %s", dies_at, blocks, writes_it ? "written" : "not");
            free(text);
        }
    free(expected);
}

/* --- Greenlets ---------------------------------------------------------------------------------------------------- */

static void go_to(uint64_t greenlet, uint64_t tick)
{
    arena_fixture_word(&fixture, 0, pt_record_pack_control(PT_CONTROL_SWITCH, 1, tick));
    arena_fixture_word(&fixture, 0, greenlet);
}

static void enter_all(uint32_t count, uint64_t tick)
{
    for (uint32_t i = 0; i < count; i++)
        arena_fixture_event(&fixture, 0, PT_KIND_START, 1 + i % 3, tick);
}

static void leave_all(uint32_t count, uint64_t tick)
{
    for (uint32_t i = 0; i < count; i++)
        arena_fixture_event(&fixture, 0, PT_KIND_RETURN, 0, tick);
}

static void none_of_stacks(void *context, uint64_t offset, const char *text)
{
    (void)context, (void)offset;
    cr_assert(!strstr(text, "keyframe") && !strstr(text, "switch"), "%s", text);
}

/* Greenlets that ran in the first chunk of the file go on when the drain is dead; one that was deeper than a keyframe, too. */
Test(salvage, greenlets_that_were_set_aside_go_on)
{
    const struct pt_collector_settings settings = {.live = true, .zstd_level = 1};
    const struct pt_trace_options options = {0};
    struct pt_collector *collector;
    struct drain drain = {0};
    struct pt_trace *trace;
    uint64_t findings;
    set_up();
    write_header(fixture.directory, ARENA_FIXTURE_RUN_ID);
    cr_assert_eq(pt_collector_new(&collector, &fixture.arena, &settings, drain_take, &drain), PT_OK);
    arena_fixture_enter(&fixture, 0, PT_ARENA_NO_PROCESS, 0);
    arena_fixture_claim(&fixture, 0, 0, 1000);
    for (uint32_t id = 1; id <= 3; id++)
        arena_fixture_define(&fixture, 0, id);
    enter_all(2, 1000);
    go_to(1, 1100);
    enter_all(30, 1100);
    go_to(2, 1200);
    enter_all(700, 1200);
    go_to(0, 1300);
    cr_assert_eq(pt_collector_turn(collector, PT_COLLECT_ALL, 0), PT_OK);
    enter_all(5, 1400); /* a chunk without a switch */
    leave_all(5, 1500);
    cr_assert_eq(pt_collector_turn(collector, PT_COLLECT_ALL, 0), PT_OK);
    pt_collector_free(collector);

    go_to(1, 1600);
    leave_all(30, 1600);
    go_to(2, 1700);
    leave_all(700, 1700);
    go_to(0, 1800);
    leave_all(2, 1800);
    kill_owners();
    cr_assert_eq(pt_trace_open(&trace, trace_path, &options, NULL), PT_OK);
    cr_assert_eq(pt_check(trace, none_of_stacks, NULL, &findings), PT_OK);
    struct pt_stack stack = {0};
    struct pt_chunk chunk = {0};
    for (size_t i = 0; i < trace->threads[0].chunk_count; i++) {
        struct pt_chunk_cursor cursor;
        struct pt_chunk_entry entry;
        bool agrees;
        cr_assert_eq(pt_chunk_decode(&chunk, trace->threads[0].chunks[i].payload, trace->threads[0].chunks[i].size),
                     PT_OK);
        cr_assert_eq(pt_chunk_begin(&chunk, &stack, &agrees), PT_OK);
        cr_assert(agrees);
        pt_chunk_cursor_init(&cursor, &chunk);
        while (pt_chunk_cursor_next(&cursor, &entry))
            cr_assert_eq(pt_chunk_entry_apply(&entry, &stack), PT_OK);
    }
    cr_assert_eq(trace->threads[0].chunk_count, 3);
    cr_assert_eq(stack.greenlet, 0);
    cr_assert_eq(stack.depth + stack.unmatched + stack.missing, 0);
    pt_stack_release(&stack);
    pt_chunk_release(&chunk);
    pt_trace_free(trace);
    tear_down();
}

/* --- Losses ------------------------------------------------------------------------------------------------------- */

static void lose(uint32_t slot, uint64_t count, bool told)
{
    pt_arena_slot(&fixture.arena, slot)->lost += count;
    if (!told)
        return;
    const uint64_t words[] = {pt_record_pack_control(PT_CONTROL_LOST, 4, 1100), count, 1, 0, 0};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        arena_fixture_word(&fixture, slot, words[i]);
}

static uint64_t lost_in_trace(void)
{
    const struct pt_trace_options options = {0};
    struct pt_trace *trace;
    cr_assert_eq(pt_trace_open(&trace, trace_path, &options, NULL), PT_OK);
    cr_assert_eq(trace->arena, PT_TRACE_ARENA_SALVAGED, "%s", trace->arena_text);
    const uint64_t lost = trace->lost;
    pt_trace_free(trace);
    return lost;
}

/* Some losses are told by chunks of the file, some by records in the rings, some are only counted; one slot was given
 * back since. */
Test(salvage, what_was_lost_is_summed_up_from_file_and_arena)
{
    const struct pt_collector_settings settings = {.live = true, .zstd_level = 1};
    struct pt_collector *collector;
    struct drain drain = {0};
    set_up();
    write_header(fixture.directory, ARENA_FIXTURE_RUN_ID);
    cr_assert_eq(pt_collector_new(&collector, &fixture.arena, &settings, drain_take, &drain), PT_OK);
    arena_fixture_enter(&fixture, 0, PT_ARENA_NO_PROCESS, 0);
    arena_fixture_claim(&fixture, 0, 0, 1000);
    arena_fixture_claim(&fixture, 1, 0, 1000);
    lose(0, 10, true);
    lose(1, 100, true);
    arena_fixture_release(&fixture, 1, 1200);
    cr_assert_eq(pt_collector_turn(collector, PT_COLLECT_ALL, 0), PT_OK);
    cr_assert_eq(pt_arena_slot(&fixture.arena, 1)->lost, 0, "given back");
    pt_collector_free(collector);

    lose(0, 1000, true);
    lose(0, 10000, false);
    arena_fixture_claim(&fixture, 1, 0, 1300);
    lose(1, 100000, false);
    pt_arena_control(&fixture.arena)->unslotted_events = 1000000;
    kill_owners();
    cr_expect_eq(lost_in_trace(), 1111110);
    tear_down();
}

/* --- Arenas that are not read ------------------------------------------------------------------------------------- */

static void record_alone(const char *arena, const char *run_id)
{
    write_header(arena, run_id);
    host_phase(0);
}

static void expect_unread(enum pt_trace_arena expected_arena)
{
    char *text = print_trace(expected_arena);
    cr_assert_str_eq(text, "");
    free(text);
}

TestSuite(salvage_refuses, .init = set_up, .fini = tear_down);

Test(salvage_refuses, nothing_if_all_is_well)
{
    record_alone(fixture.directory, ARENA_FIXTURE_RUN_ID);
    char *text = print_trace(PT_TRACE_ARENA_SALVAGED);
    cr_assert_neq(text[0], '\0');
    free(text);
}

Test(salvage_refuses, an_arena_of_another_recording)
{
    record_alone(fixture.directory, "fedcba9876543210");
    expect_unread(PT_TRACE_ARENA_REFUSED);
}

Test(salvage_refuses, an_arena_of_another_boot)
{
    record_alone(fixture.directory, ARENA_FIXTURE_RUN_ID);
    pt_arena_control(&fixture.arena)->boot_id[0] ^= 1;
    expect_unread(PT_TRACE_ARENA_REFUSED);
}

Test(salvage_refuses, a_directory_that_others_may_enter)
{
    record_alone(fixture.directory, ARENA_FIXTURE_RUN_ID);
    cr_assert_eq(chmod(fixture.directory, 0755), 0);
    expect_unread(PT_TRACE_ARENA_REFUSED);
}

Test(salvage_refuses, a_place_where_no_arena_is_expected)
{
    char moved[160];
    snprintf(moved, sizeof moved, "%s/a", trace_directory);
    cr_assert_eq(mkdir(moved, 0700), 0);
    snprintf(moved, sizeof moved, "%s/a/arena", trace_directory);
    cr_assert_eq(rename(fixture.directory, moved), 0);
    record_alone(moved, ARENA_FIXTURE_RUN_ID);
    expect_unread(PT_TRACE_ARENA_REFUSED);
    cr_assert_eq(rename(moved, fixture.directory), 0);
    snprintf(moved, sizeof moved, "%s/a", trace_directory);
    cr_assert_eq(rmdir(moved), 0);
}

Test(salvage_refuses, an_arena_that_is_gone)
{
    record_alone("/tmp/pytrace-test-not-there", ARENA_FIXTURE_RUN_ID);
    expect_unread(PT_TRACE_ARENA_NOT_FOUND);
}

Test(salvage, an_arena_that_was_moved_together_with_its_trace_is_found)
{
    char moved[160];
    set_up();
    snprintf(moved, sizeof moved, "%s/%s", trace_directory, strrchr(fixture.directory, '/') + 1);
    record_alone(fixture.directory, ARENA_FIXTURE_RUN_ID);
    cr_assert_eq(rename(fixture.directory, moved), 0);
    char *text = print_trace(PT_TRACE_ARENA_SALVAGED);
    cr_assert_neq(text[0], '\0');
    free(text);
    cr_assert_eq(rename(moved, fixture.directory), 0);
    tear_down();
}
