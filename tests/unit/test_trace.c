/* Opening whole traces: what is found in them, and what time it is there. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block.h"
#include "check.h"
#include "trace_file.h"

static enum pt_status open_path(const char *path, struct pt_error *error)
{
    static const struct pt_trace_options options = {.no_salvage = true};
    struct pt_trace *trace = NULL;
    enum pt_status status = pt_trace_open(&trace, path, &options, error);
    if (status == PT_OK)
        pt_trace_free(trace);
    return status;
}

static enum pt_status open_bytes(const void *bytes, size_t size, struct pt_error *error)
{
    struct trace_file file;
    trace_file_from_bytes(&file, bytes, size);
    enum pt_status status = open_path(file.path, error);
    trace_file_release(&file);
    return status;
}

Test(trace, sample_is_read_as_it_was_written)
{
    struct trace_file file;
    uint64_t findings;
    trace_file_sample(&file);
    struct pt_trace *trace = trace_file_open(&file);
    cr_expect(trace->has_header && trace->has_end);
    cr_expect_eq(trace->process_count, 1);
    cr_expect_str_eq(trace->processes[0].ended, "exited");
    cr_assert_eq(trace->thread_count, 1);
    cr_expect_eq(trace->threads[0].meta.end_tick, 12000);
    cr_expect_str_eq(trace->threads[0].meta.name, "worker");
    cr_expect_eq(trace->threads[0].chunk_count, 3, "two of events, one that closes");
    cr_expect_eq(trace->events, 12);
    cr_expect_eq(trace->lost, 0);
    cr_expect(trace->lost_known);
    cr_expect_eq(trace->function_count, 9);
    cr_expect_eq(trace->arena, PT_TRACE_ARENA_UNUSED);
    cr_expect(pt_trace_complete(trace));
    cr_assert_eq(pt_check(trace, NULL, NULL, &findings), PT_OK);
    cr_expect_eq(findings, 0);
    pt_trace_free(trace);
    trace_file_release(&file);
}

Test(trace, what_is_no_trace)
{
    struct pt_error error;
    uint8_t random[65536];
    uint32_t state = 1;
    for (size_t i = 0; i < sizeof random; i++) {
        state = state * 1664525 + 1013904223;
        random[i] = (uint8_t)(state >> 24);
    }
    cr_expect_eq(open_bytes("", 0, &error), PT_TRUNCATED);
    cr_expect_eq(open_bytes("print('hello')\n", 15, &error), PT_CORRUPT);
    cr_expect_not_null(strstr(error.text, "not a pytrace trace"));
    cr_expect_eq(open_bytes(random, sizeof random, &error), PT_CORRUPT);
    cr_expect_eq(open_path("/nonexistent/trace.bin", &error), PT_IO);
    cr_expect_eq(error.system_errno, ENOENT);
    cr_expect_eq(open_path("/tmp", &error), PT_IO);
    cr_expect_eq(error.system_errno, EISDIR);
    cr_expect_eq(open_path("/dev/null", &error), PT_IO);
    cr_expect_eq(error.system_errno, EINVAL);
}

Test(trace, blocks_of_the_future)
{
    struct trace_file file;
    struct pt_error error;
    size_t size;
    trace_file_sample(&file);
    uint8_t *bytes = trace_file_bytes(&file, &size);
    trace_file_release(&file);

    trace_file_begin(&file);
    trace_file_header(&file);
    trace_file_block(&file, 4000, "?", 1);
    cr_expect_eq(open_path(file.path, &error), PT_UNSUPPORTED);
    cr_expect_not_null(strstr(error.text, "4000"));
    trace_file_release(&file);
    free(bytes);

    struct pt_buffer payload = {0};
    struct pt_header header = {.major = 2};
    cr_assert_eq(pt_header_encode(&header, &payload), PT_OK);
    trace_file_begin(&file);
    trace_file_block(&file, PT_BLOCK_HEADER, payload.data, payload.size);
    cr_expect_eq(open_path(file.path, &error), PT_UNSUPPORTED);
    cr_expect_not_null(strstr(error.text, "version 2"));
    trace_file_release(&file);
    pt_buffer_release(&payload);
}

/* --- Threads -------------------------------------------------------------------------------------------------- */

static void call(struct trace_stream *stream, uint64_t tick)
{
    trace_stream_event(stream, PT_KIND_START, 1, tick);
    trace_stream_event(stream, PT_KIND_RETURN, 0, tick + 1);
}

static void begin_recording(struct trace_file *file)
{
    trace_file_begin(file);
    trace_file_header(file);
    trace_file_process(file, 1, 0, 0, 5000);
    trace_file_thread(file, 1, 1, 5000);
    trace_file_names(file, 1, 1, 1);
}

Test(trace, missing_chunks_are_gaps)
{
    struct trace_file file;
    struct trace_stream stream;
    begin_recording(&file);
    trace_stream_begin(&stream, 1, 1100);
    call(&stream, 1100);
    trace_stream_flush(&stream, &file);
    call(&stream, 1200);
    trace_stream_drop(&stream, &file);
    call(&stream, 1300);
    trace_stream_flush(&stream, &file);
    call(&stream, 1400);
    trace_stream_flush(&stream, &file);
    trace_file_end(&file, 5000);
    struct pt_trace *trace = trace_file_open(&file);
    const struct pt_trace_thread *thread = &trace->threads[0];
    cr_assert_eq(thread->chunk_count, 3);
    cr_expect_not(thread->chunks[0].gap_before);
    cr_expect(thread->chunks[1].gap_before);
    cr_expect_not(thread->chunks[2].gap_before);
    cr_assert_eq(trace->damage_count, 1);
    cr_expect_str_eq(trace->damages[0].text, "chunks of thread 1 are missing: 2 records");
    cr_expect_not(trace->lost_known);
    cr_expect_not(pt_trace_complete(trace));
    pt_trace_free(trace);
    trace_stream_release(&stream);
    trace_file_release(&file);
}

Test(trace, first_chunk_missing)
{
    struct trace_file file;
    struct trace_stream stream;
    begin_recording(&file);
    trace_stream_begin(&stream, 1, 1100);
    call(&stream, 1100);
    trace_stream_drop(&stream, &file);
    call(&stream, 1300);
    trace_stream_flush(&stream, &file);
    trace_file_end(&file, 5000);
    struct pt_trace *trace = trace_file_open(&file);
    cr_expect(trace->threads[0].chunks[0].gap_before);
    pt_trace_free(trace);
    trace_stream_release(&stream);
    trace_file_release(&file);
}

/* Copies the blocks of `from` whose numbers are given, with new sequence numbers. */
static void copy_blocks(struct trace_file *from, struct trace_file *to, const size_t *numbers, size_t count)
{
    size_t size;
    uint8_t *bytes = trace_file_bytes(from, &size);
    trace_file_begin(to);
    for (size_t i = 0; i < count; i++) {
        struct pt_block block = {0};
        size_t at = 0;
        for (size_t number = 0; number < numbers[i]; number++) {
            cr_assert_eq(pt_block_decode(bytes + at, size - at, &block), PT_OK);
            at += PT_BLOCK_HEADER_SIZE + block.length;
        }
        cr_assert_eq(pt_block_decode(bytes + at, size - at, &block), PT_OK);
        trace_file_block(to, block.type, bytes + at + PT_BLOCK_HEADER_SIZE, block.length);
    }
    free(bytes);
}

Test(trace, chunks_in_any_order_and_twice)
{
    struct trace_file sample, file;
    trace_file_sample(&sample); /* HEADER CLOCK PROCESS THREAD NAMES CHUNK CHUNK CHUNK(close) … */
    copy_blocks(&sample, &file, (const size_t[]){0, 1, 2, 3, 4, 7, 6, 5, 6, 7, 8, 9, 10}, 13);
    file.events = 12;
    trace_file_end(&file, 13000);
    struct pt_trace *trace = trace_file_open(&file);
    const struct pt_trace_thread *thread = &trace->threads[0];
    cr_assert_eq(thread->chunk_count, 3);
    for (size_t i = 0; i < 3; i++)
        cr_expect_not(thread->chunks[i].gap_before);
    cr_expect_eq(trace->events, 12);
    cr_expect(pt_trace_complete(trace));
    uint64_t findings;
    cr_assert_eq(pt_check(trace, NULL, NULL, &findings), PT_OK);
    cr_expect_eq(findings, 1, "that chunks stand there twice");
    pt_trace_free(trace);
    trace_file_release(&file);
    trace_file_release(&sample);
}

Test(trace, thread_that_only_chunks_tell_of)
{
    struct trace_file sample, file;
    trace_file_sample(&sample);
    copy_blocks(&sample, &file, (const size_t[]){0, 2, 4, 5}, 4);
    struct pt_trace *trace = trace_file_open(&file);
    cr_assert_eq(trace->thread_count, 1);
    cr_expect_eq(trace->threads[0].meta.serial, 1);
    cr_expect_eq(trace->threads[0].meta.process, 1);
    cr_expect_str_eq(trace->threads[0].meta.name, "");
    pt_trace_free(trace);
    trace_file_release(&file);
    trace_file_release(&sample);
}

Test(trace, losses_are_the_greater_of_what_is_told)
{
    struct trace_file file;
    struct trace_stream stream;
    begin_recording(&file);
    trace_stream_begin(&stream, 1, 1100);
    call(&stream, 1100);
    trace_stream_lost(&stream, 40, 1200);
    trace_stream_lost(&stream, 2, 1300);
    trace_stream_flush(&stream, &file);
    file.lost += 8; /* of threads without a slot */
    trace_file_end(&file, 5000);
    struct pt_trace *trace = trace_file_open(&file);
    cr_expect_eq(trace->threads[0].chunks[0].info.lost, 42);
    cr_expect_eq(trace->lost, 50);
    cr_expect(trace->lost_known);
    cr_expect_not(pt_trace_complete(trace));
    pt_trace_free(trace);
    trace_stream_release(&stream);
    trace_file_release(&file);
}

/* --- Hostile numbers ------------------------------------------------------------------------------------------ */

Test(trace, serial_numbers_beyond_the_file_are_damage)
{
    struct trace_file file;
    trace_file_begin(&file);
    trace_file_header(&file);
    trace_file_process(&file, UINT64_MAX, 0, 0, 5000);
    trace_file_process(&file, 1u << 30, 0, 0, 5000);
    trace_file_thread(&file, UINT32_MAX, 1, 5000);
    trace_file_names(&file, 1u << 31, 1, 1);
    trace_file_end(&file, 5000);
    struct pt_trace *trace = trace_file_open(&file);
    cr_expect_eq(trace->process_count, 0);
    cr_expect_eq(trace->thread_count, 0);
    cr_expect_eq(trace->damage_count, 4);
    pt_trace_free(trace);
    trace_file_release(&file);
}

/* Whatever the cap: what does not fit is refused, and nothing stays behind (which the sanitizers see). */
Test(trace, memory_has_a_cap)
{
    struct pt_trace_options options = {.no_salvage = true};
    struct trace_file file;
    struct pt_trace *trace;
    unsigned refused = 0;
    trace_file_begin(&file);
    trace_file_header(&file);
    trace_file_process(&file, 1, 0, 0, 5000);
    trace_file_names(&file, 1, 1, 20000);
    for (options.memory_max = 1; options.memory_max < 1 << 30; options.memory_max += 100 + options.memory_max / 4) {
        enum pt_status status = pt_trace_open(&trace, file.path, &options, NULL);
        if (status == PT_OK)
            break;
        cr_expect_eq(status, PT_NOMEM);
        refused++;
    }
    cr_assert_lt(options.memory_max, 64 << 20);
    cr_expect_gt(refused, 10);
    cr_expect_eq(trace->function_count, 20001);
    pt_trace_free(trace);
    trace_file_release(&file);
}

/* --- Time ----------------------------------------------------------------------------------------------------- */

static struct pt_trace *trace_with_clocks(struct trace_file *file, const uint64_t (*clocks)[2], size_t count)
{
    trace_file_begin(file);
    trace_file_header(file);
    for (size_t i = 0; i < count; i++)
        trace_file_clock(file, clocks[i][0], clocks[i][1]);
    trace_file_end(file, 100000);
    return trace_file_open(file);
}

Test(trace, time_follows_the_clock_triples)
{
    static const uint64_t clocks[][2] = {{900, 50000},  {2000, 52200}, {2000, 60000},
                                         {1500, 60001}, {3000, 52100}, {4000, 62200}};
    struct trace_file file;
    struct pt_trace *trace = trace_with_clocks(&file, clocks, 6);
    cr_assert_eq(trace->clock_count, 3, "those that do not grow are left out");
    cr_expect_eq(pt_trace_start_tick(trace), TRACE_FILE_START_TICK);
    cr_expect_eq(pt_trace_ns(trace, 1000), 0);
    cr_expect_eq(pt_trace_ns(trace, 0), 0, "never negative");
    cr_expect_eq(pt_trace_ns(trace, 1001), 2);
    cr_expect_eq(pt_trace_ns(trace, 2000), 2000);
    cr_expect_eq(pt_trace_ns(trace, 3000), 7000);
    cr_expect_eq(pt_trace_ns(trace, 4000), 12000);
    cr_expect_eq(pt_trace_ns(trace, 6000), 22000, "the last line goes on");
    cr_expect_float_eq(pt_trace_tick_ns(trace), 12200.0 / 3100, 1e-9);
    cr_expect_eq(pt_trace_end_tick(trace), 100000);
    pt_trace_free(trace);
    trace_file_release(&file);
}

Test(trace, time_rounds_down_on_both_sides)
{
    /* 10 ns in 3 ticks, through tick 1001: the start tick, 1000, is at -3.33, that is -4. */
    static const uint64_t clocks[][2] = {{1001, 100}, {1004, 110}};
    struct trace_file file;
    struct pt_trace *trace = trace_with_clocks(&file, clocks, 2);
    cr_expect_eq(pt_trace_ns(trace, 1001), 4);
    cr_expect_eq(pt_trace_ns(trace, 1002), 7);
    cr_expect_eq(pt_trace_ns(trace, 1003), 10);
    cr_expect_eq(pt_trace_ns(trace, 1004), 14);
    pt_trace_free(trace);
    trace_file_release(&file);
}

Test(trace, time_without_enough_triples_goes_by_the_length_of_a_tick)
{
    static const uint64_t clocks[][2] = {{5000, 100}};
    for (size_t count = 0; count <= 1; count++) {
        struct trace_file file;
        struct pt_trace *trace = trace_with_clocks(&file, clocks, count);
        cr_expect_eq(pt_trace_ns(trace, 1000), 0);
        cr_expect_eq(pt_trace_ns(trace, 1500), 1000);
        cr_expect_float_eq(pt_trace_tick_ns(trace), 2.0, 1e-12);
        pt_trace_free(trace);
        trace_file_release(&file);
    }
}

Test(trace, time_of_absurd_triples_does_not_overflow)
{
    static const uint64_t clocks[][2] = {{1, 1}, {2, UINT64_MAX}, {UINT64_MAX - 1, UINT64_MAX}};
    struct trace_file file;
    struct pt_trace *trace = trace_with_clocks(&file, clocks, 3);
    uint64_t before = 0;
    for (unsigned shift = 0; shift < 64; shift++) {
        uint64_t ns = pt_trace_ns(trace, UINT64_C(1) << shift);
        cr_expect_geq(ns, before);
        before = ns;
    }
    cr_expect_eq(pt_trace_ns(trace, UINT64_MAX), UINT64_MAX);
    pt_trace_free(trace);
    trace_file_release(&file);
}

/* --- Being written -------------------------------------------------------------------------------------------- */

static void count_wait(void *context)
{
    ++*(unsigned *)context;
}

/* The drain's lock is that of an open file description: one of our own, opened apart, shows as another's. */
static int lock_for_writing(const char *path)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int descriptor = open(path, O_RDWR | O_CLOEXEC);
    cr_assert_geq(descriptor, 0);
    cr_assert_eq(fcntl(descriptor, F_OFD_SETLK, &lock), 0);
    return descriptor;
}

static void unfinished(struct trace_file *file, uint64_t pid)
{
    struct pt_buffer payload = {0};
    struct pt_process process = {.serial = 1, .pid = pid, .end_tick = PT_META_ABSENT};
    trace_file_begin(file);
    trace_file_header(file);
    cr_assert_eq(pt_process_encode(&process, &payload), PT_OK);
    trace_file_block(file, PT_BLOCK_PROCESS, payload.data, payload.size);
    pt_buffer_release(&payload);
    trace_file_thread(file, 1, 1, PT_META_ABSENT);
}

Test(trace, of_a_living_program_is_read_as_it_stands)
{
    unsigned waits = 0;
    struct pt_trace_options options = {.wait_ms = 60000, .waiting = count_wait, .context = &waits};
    struct trace_file file;
    struct pt_trace *trace;
    unfinished(&file, (uint64_t)getpid());
    int lock = lock_for_writing(file.path);
    cr_assert_eq(write(file.writer.descriptor, PT_BLOCK_MAGIC, 8), 8);
    cr_assert_eq(pt_trace_open(&trace, file.path, &options, NULL), PT_OK);
    cr_expect_eq(trace->arena, PT_TRACE_ARENA_LIVE);
    cr_expect_eq(waits, 0);
    cr_expect_eq(trace->damage_count, 0, "a block that is being written is no damage");
    cr_expect_not(pt_trace_complete(trace));
    pt_trace_free(trace);
    close(lock);
    trace_file_release(&file);
}

Test(trace, of_a_dead_program_waits_for_the_drain)
{
    unsigned waits = 0;
    struct pt_trace_options options = {.wait_ms = 60000, .waiting = count_wait, .context = &waits};
    struct trace_file file;
    struct pt_trace *trace;
    unfinished(&file, 0);
    int lock = lock_for_writing(file.path);
    int ready[2];
    cr_assert_eq(pipe(ready), 0);
    pid_t drain = fork();
    cr_assert_geq(drain, 0);
    if (drain == 0) { /* holds the lock, too, until it has written the end */
        char byte;
        if (read(ready[0], &byte, 1) != 1)
            _exit(1);
        trace_file_end(&file, 5000);
        _exit(0);
    }
    close(lock);
    cr_assert_eq(write(ready[1], "x", 1), 1);
    cr_assert_eq(pt_trace_open(&trace, file.path, &options, NULL), PT_OK);
    cr_expect(trace->has_end);
    pt_trace_free(trace);
    cr_assert_eq(waitpid(drain, NULL, 0), drain);
    trace_file_release(&file);
}

Test(trace, wait_has_an_end)
{
    unsigned waits = 0;
    struct pt_trace_options options = {.wait_ms = 30, .waiting = count_wait, .context = &waits};
    struct trace_file file;
    struct pt_trace *trace;
    unfinished(&file, 0);
    int lock = lock_for_writing(file.path);
    cr_assert_eq(pt_trace_open(&trace, file.path, &options, NULL), PT_OK);
    cr_expect_eq(trace->arena, PT_TRACE_ARENA_LIVE);
    cr_expect_eq(waits, 1);
    pt_trace_free(trace);
    close(lock);
    trace_file_release(&file);
}
