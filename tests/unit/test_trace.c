/* Opening whole traces: what is found in them, and what is refused. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
