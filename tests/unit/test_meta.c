/* Metadata records: round trips, merging, and what is refused. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "cbor_writer.h"
#include "meta.h"

static void write_key(struct pt_buffer *out, const char *key)
{
    cr_assert_eq(pt_cbor_write_text(out, key, strlen(key)), PT_OK);
}

static void write_pair(struct pt_buffer *out, const char *key, uint64_t value)
{
    write_key(out, key);
    cr_assert_eq(pt_cbor_write_uint(out, value), PT_OK);
}

static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant;
}

static struct pt_header sample_header(void)
{
    static char *argv[] = {(char *)(uintptr_t) "app.py", (char *)(uintptr_t) "",
                           (char *)(uintptr_t) "\xE6\x97\xA5\xE6\x9C\xAC"};
    static char *notes[] = {(char *)(uintptr_t) "the arena lies beside the trace"};
    return (struct pt_header){
        .major = 1,
        .minor = 3,
        .compatible = 5,
        .run_id = "0123456789abcde",
        .boot_id = text("boot"),
        .recorder = text("0.1.0"),
        .implementation = text("CPython"),
        .python = text("3.13.0"),
        .hook = text("monitoring"),
        .program = text("app.py"),
        .argv = argv,
        .argv_count = 3,
        .executable = text("/usr/bin/python3"),
        .host = text("host"),
        .machine = text("x86_64"),
        .system = text("Linux"),
        .pid = 4242,
        .started_ns = 1700000000000000000,
        .clock = text("tsc"),
        .tick_ps = 3571,
        .start_tick = UINT64_MAX - 1,
        .c_calls = true,
        .lines = text("^app:"),
        .exceptions = true,
        .policy = text("block"),
        .children = true,
        .ring_size = 1 << 20,
        .max_threads = 256,
        .flush_interval_ns = 1000000000,
        .max_size = 0,
        .level = 1,
        .costs =
            {[PT_COST_CALL] = {21000, 32000}, [PT_COST_C_CALL] = {23000, 24000}, [PT_COST_RESUME] = {25000, 36000}},
        .arena = text("/dev/shm/pytrace-x"),
        .notes = notes,
        .note_count = 1,
    };
}

Test(meta, header_round_trip)
{
    struct pt_header in = sample_header(), out;
    struct pt_buffer payload = {0};
    cr_assert_eq(pt_header_encode(&in, &payload), PT_OK);
    cr_assert_eq(pt_header_decode(&out, payload.data, payload.size), PT_OK);
    cr_expect_eq(out.major, 1);
    cr_expect_eq(out.minor, 3);
    cr_expect_eq(out.compatible, 5);
    cr_expect_arr_eq(out.run_id, in.run_id, 16);
    cr_expect_str_eq(out.boot_id, "boot");
    cr_expect_str_eq(out.recorder, "0.1.0");
    cr_expect_str_eq(out.implementation, "CPython");
    cr_expect_str_eq(out.python, "3.13.0");
    cr_expect_str_eq(out.hook, "monitoring");
    cr_expect_str_eq(out.program, "app.py");
    cr_assert_eq(out.argv_count, 3);
    cr_expect_str_eq(out.argv[0], "app.py");
    cr_expect_str_eq(out.argv[1], "");
    cr_expect_str_eq(out.argv[2], "\xE6\x97\xA5\xE6\x9C\xAC");
    cr_expect_str_eq(out.executable, "/usr/bin/python3");
    cr_expect_str_eq(out.host, "host");
    cr_expect_str_eq(out.machine, "x86_64");
    cr_expect_str_eq(out.system, "Linux");
    cr_expect_eq(out.pid, 4242);
    cr_expect_eq(out.started_ns, 1700000000000000000);
    cr_expect_str_eq(out.clock, "tsc");
    cr_expect_eq(out.tick_ps, 3571);
    cr_expect_eq(out.start_tick, UINT64_MAX - 1);
    cr_expect(out.c_calls);
    cr_expect_str_eq(out.lines, "^app:");
    cr_expect_str_eq(out.opcodes, "");
    cr_expect(out.exceptions);
    cr_expect_str_eq(out.policy, "block");
    cr_expect(out.children);
    cr_expect_eq(out.ring_size, 1 << 20);
    cr_expect_eq(out.max_threads, 256);
    cr_expect_eq(out.flush_interval_ns, 1000000000);
    cr_expect_eq(out.max_size, 0);
    cr_expect_eq(out.level, 1);
    cr_expect_eq(out.costs[PT_COST_CALL].own_ps, 21000);
    cr_expect_eq(out.costs[PT_COST_CALL].caller_ps, 32000);
    cr_expect_eq(out.costs[PT_COST_C_CALL].own_ps, 23000);
    cr_expect_eq(out.costs[PT_COST_C_CALL].caller_ps, 24000);
    cr_expect_eq(out.costs[PT_COST_RESUME].own_ps, 25000);
    cr_expect_eq(out.costs[PT_COST_RESUME].caller_ps, 36000);
    cr_expect_str_eq(out.arena, "/dev/shm/pytrace-x");
    cr_assert_eq(out.note_count, 1);
    cr_expect_str_eq(out.notes[0], "the arena lies beside the trace");
    pt_header_release(&out);
    pt_buffer_release(&payload);
}

Test(meta, header_without_what_is_optional)
{
    struct pt_header in = {.major = 1, .costs = PT_COSTS_UNMEASURED}, out;
    struct pt_buffer payload = {0};
    cr_assert_eq(pt_header_encode(&in, &payload), PT_OK);
    cr_expect_null(memmem(payload.data, payload.size, "argv", 4));
    cr_expect_null(memmem(payload.data, payload.size, "executable", 10));
    cr_expect_null(memmem(payload.data, payload.size, "own_ps", 6));
    cr_assert_eq(pt_header_decode(&out, payload.data, payload.size), PT_OK);
    cr_expect_eq(out.argv_count, 0);
    cr_expect_null(out.argv);
    cr_expect_str_eq(out.executable, "");
    cr_expect_eq(out.costs[PT_COST_RESUME].caller_ps, PT_COST_UNMEASURED);
    cr_expect_str_eq(out.program, "");
    pt_header_release(&out);
    pt_buffer_release(&payload);
}

Test(meta, header_of_another_version_is_unsupported_before_it_is_anything_else)
{
    struct pt_header in = sample_header(), out;
    struct pt_buffer payload = {0};
    cr_assert_eq(pt_header_encode(&in, &payload), PT_OK);
    payload.data[PT_HEADER_FIXED_SIZE] = 0xFF; /* no CBOR of ours */
    cr_expect_eq(pt_header_decode(&out, payload.data, payload.size), PT_CORRUPT);
    payload.data[PT_HEADER_OFF_MAJOR] = 2;
    cr_expect_eq(pt_header_decode(&out, payload.data, payload.size), PT_UNSUPPORTED);
    payload.data[PT_HEADER_OFF_MAJOR] = 1;
    payload.data[PT_HEADER_OFF_INCOMPATIBLE + 7] = 0x80;
    cr_expect_eq(pt_header_decode(&out, payload.data, payload.size), PT_UNSUPPORTED);
    pt_buffer_release(&payload);
}

Test(meta, header_with_wrong_fixed_part_is_corrupt)
{
    struct pt_header in = sample_header(), out;
    struct pt_buffer payload = {0};
    cr_assert_eq(pt_header_encode(&in, &payload), PT_OK);
    payload.data[PT_HEADER_OFF_RESERVED] = 1;
    cr_expect_eq(pt_header_decode(&out, payload.data, payload.size), PT_CORRUPT);
    payload.data[PT_HEADER_OFF_RESERVED] = 0;
    payload.data[PT_HEADER_OFF_MAJOR] = 0;
    cr_expect_eq(pt_header_decode(&out, payload.data, payload.size), PT_CORRUPT);
    pt_buffer_release(&payload);
}

Test(meta, header_is_refused_at_every_shorter_length)
{
    struct pt_header in = sample_header(), out;
    struct pt_buffer payload = {0};
    cr_assert_eq(pt_header_encode(&in, &payload), PT_OK);
    for (size_t size = 0; size < payload.size; size++) {
        uint8_t *exact = malloc(size + 1); /* so that a read behind the end is seen */
        memcpy(exact, payload.data, size);
        cr_expect_eq(pt_header_decode(&out, exact, size), PT_TRUNCATED, "%zu bytes", size);
        free(exact);
    }
    cr_assert_eq(pt_buffer_append(&payload, "\0", 1), PT_OK);
    cr_expect_eq(pt_header_decode(&out, payload.data, payload.size), PT_CORRUPT);
    pt_buffer_release(&payload);
}

Test(meta, process_round_trip_and_update)
{
    struct pt_process in = {.serial = 3,
                            .parent = 2,
                            .pid = 99,
                            .entry = 4,
                            .generation = 5,
                            .inherited = 6,
                            .start_tick = 7,
                            .end_tick = PT_META_ABSENT};
    struct pt_process out;
    struct pt_buffer first = {0}, second = {0};
    cr_assert_eq(pt_process_encode(&in, &first), PT_OK);
    cr_assert_eq(pt_process_decode(&out, first.data, first.size), PT_OK);
    cr_expect_eq(out.parent, 2);
    cr_expect_eq(out.pid, 99);
    cr_expect_eq(out.entry, 4);
    cr_expect_eq(out.generation, 5);
    cr_expect_eq(out.inherited, 6);
    cr_expect_eq(out.start_tick, 7);
    cr_expect_eq(out.end_tick, PT_META_ABSENT);
    cr_expect_str_eq(out.ended, "");

    cr_assert_eq(pt_cbor_write_map(&second, 3), PT_OK);
    write_pair(&second, "process", 3);
    write_pair(&second, "end_tick", 70);
    write_key(&second, "ended");
    cr_assert_eq(pt_cbor_write_text(&second, "killed", 6), PT_OK);
    cr_assert_eq(pt_process_update(&out, second.data, second.size), PT_OK);
    cr_expect_eq(out.pid, 99, "keys that the later block lacks stay");
    cr_expect_eq(out.end_tick, 70);
    cr_expect_str_eq(out.ended, "killed");

    cr_expect_eq(pt_process_update(&out, second.data, second.size - 1), PT_TRUNCATED);
    cr_expect_str_eq(out.ended, "killed", "a failed update changes nothing");
    pt_process_release(&out);
    pt_buffer_release(&first);
    pt_buffer_release(&second);
}

Test(meta, thread_round_trip_with_a_long_name)
{
    char name[100001];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    struct pt_thread in = {.serial = 1,
                           .process = 2,
                           .slot = 3,
                           .generation = 4,
                           .native_id = 5,
                           .name = name,
                           .start_tick = 6,
                           .end_tick = 7};
    struct pt_thread out;
    struct pt_buffer payload = {0};
    cr_assert_eq(pt_thread_encode(&in, &payload), PT_OK);
    cr_assert_eq(pt_thread_decode(&out, payload.data, payload.size), PT_OK);
    cr_expect_eq(out.process, 2);
    cr_expect_eq(out.slot, 3);
    cr_expect_eq(out.generation, 4);
    cr_expect_eq(out.native_id, 5);
    cr_expect_str_eq(out.name, name);
    cr_expect_eq(out.start_tick, 6);
    cr_expect_eq(out.end_tick, 7);
    pt_thread_release(&out);
    pt_buffer_release(&payload);
}

Test(meta, end_round_trip_and_its_length)
{
    struct pt_end in = {.reason = text("limit"),
                        .end_tick = 1,
                        .index = 2,
                        .blocks = 3,
                        .events = 4,
                        .lost = 5,
                        .stalled_ticks = 6,
                        .unslotted_threads = 7,
                        .unslotted_events = 8};
    struct pt_end out;
    struct pt_buffer payload = {0};
    cr_assert_eq(pt_end_encode(&in, &payload), PT_OK);
    cr_expect_eq(pt_bytes_load32(payload.data + payload.size - 4), PT_BLOCK_HEADER_SIZE + payload.size);
    cr_assert_eq(pt_end_decode(&out, payload.data, payload.size), PT_OK);
    cr_expect_str_eq(out.reason, "limit");
    cr_expect_eq(out.end_tick, 1);
    cr_expect_eq(out.index, 2);
    cr_expect_eq(out.blocks, 3);
    cr_expect_eq(out.events, 4);
    cr_expect_eq(out.lost, 5);
    cr_expect_eq(out.stalled_ticks, 6);
    cr_expect_eq(out.unslotted_threads, 7);
    cr_expect_eq(out.unslotted_events, 8);
    pt_end_release(&out);

    payload.data[payload.size - 1] ^= 1;
    cr_expect_eq(pt_end_decode(&out, payload.data, payload.size), PT_CORRUPT);
    cr_expect_eq(pt_end_decode(&out, payload.data, 3), PT_TRUNCATED);
    pt_buffer_release(&payload);
}

Test(meta, clock_needs_all_three_readings)
{
    struct pt_clock in = {.tick = 1, .monotonic_ns = 2, .realtime_ns = 3}, out;
    struct pt_buffer payload = {0};
    cr_assert_eq(pt_clock_encode(&in, &payload), PT_OK);
    cr_assert_eq(pt_clock_decode(&out, payload.data, payload.size), PT_OK);
    cr_expect(out.tick == 1 && out.monotonic_ns == 2 && out.realtime_ns == 3);
    payload.size = 0;
    cr_assert_eq(pt_cbor_write_map(&payload, 2), PT_OK);
    write_pair(&payload, "tick", 1);
    write_pair(&payload, "realtime_ns", 3);
    cr_expect_eq(pt_clock_decode(&out, payload.data, payload.size), PT_CORRUPT);
    pt_buffer_release(&payload);
}

/* Decodes a PROCESS map of the pairs that `write` adds to the serial number. */
static enum pt_status decode_process_with(void (*write)(struct pt_buffer *), size_t pairs)
{
    struct pt_process out;
    struct pt_buffer payload = {0};
    cr_assert_eq(pt_cbor_write_map(&payload, 1 + pairs), PT_OK);
    write_pair(&payload, "process", 1);
    write(&payload);
    enum pt_status status = pt_process_decode(&out, payload.data, payload.size);
    pt_process_release(&out);
    pt_buffer_release(&payload);
    return status;
}

static void unknown_keys(struct pt_buffer *out)
{
    write_key(out, "mood");
    cr_assert_eq(pt_cbor_write_map(out, 1), PT_OK);
    write_pair(out, "deep", 1);
    write_pair(out, "processes", 2);
}

static void known_key_twice(struct pt_buffer *out)
{
    write_pair(out, "pid", 1);
    write_pair(out, "pid", 1);
}

static void text_twice(struct pt_buffer *out)
{
    for (unsigned i = 0; i < 2; i++) {
        write_key(out, "ended");
        cr_assert_eq(pt_cbor_write_text(out, "killed", 6), PT_OK);
    }
}

static void wrong_type(struct pt_buffer *out)
{
    write_key(out, "pid");
    cr_assert_eq(pt_cbor_write_text(out, "1", 1), PT_OK);
}

static void number_as_key(struct pt_buffer *out)
{
    cr_assert_eq(pt_cbor_write_uint(out, 1), PT_OK);
    cr_assert_eq(pt_cbor_write_uint(out, 1), PT_OK);
}

static void text_with_nul(struct pt_buffer *out)
{
    write_key(out, "ended");
    cr_assert_eq(pt_cbor_write_text(out, "kil\0led", 7), PT_OK);
}

static void serial_zero(struct pt_buffer *out)
{
    out->size--;
    cr_assert_eq(pt_cbor_write_uint(out, 0), PT_OK);
}

Test(meta, maps_that_break_the_rules)
{
    cr_expect_eq(decode_process_with(unknown_keys, 2), PT_OK);
    cr_expect_eq(decode_process_with(known_key_twice, 2), PT_CORRUPT);
    cr_expect_eq(decode_process_with(text_twice, 2), PT_CORRUPT);
    cr_expect_eq(decode_process_with(wrong_type, 1), PT_CORRUPT);
    cr_expect_eq(decode_process_with(number_as_key, 1), PT_CORRUPT);
    cr_expect_eq(decode_process_with(text_with_nul, 1), PT_CORRUPT);
    cr_expect_eq(decode_process_with(serial_zero, 0), PT_CORRUPT);
}

Test(meta, a_header_of_countless_texts_is_refused)
{
    const size_t count = PT_META_TEXTS_MAX + 1;
    struct pt_header out;
    struct pt_buffer payload = {0};
    cr_assert_eq(pt_buffer_reserve(&payload, count + 64), PT_OK);
    memset(payload.data, 0, PT_HEADER_FIXED_SIZE);
    payload.data[PT_HEADER_OFF_MAJOR] = 1;
    payload.size = PT_HEADER_FIXED_SIZE;
    cr_assert_eq(pt_cbor_write_map(&payload, 1), PT_OK);
    write_key(&payload, "argv");
    cr_assert_eq(pt_cbor_write_array(&payload, count), PT_OK);
    memset(payload.data + payload.size, 0x60, count);
    payload.size += count;
    cr_expect_eq(pt_header_decode(&out, payload.data, payload.size), PT_CORRUPT);
    pt_buffer_release(&payload);
}
