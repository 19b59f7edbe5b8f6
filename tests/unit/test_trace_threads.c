/* Opening a trace: the chunks of each thread, in order, with what is missing between them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "block.h"
#include "check.h"
#include "trace_file.h"

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

Test(trace_threads, missing_chunks_are_gaps)
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

Test(trace_threads, first_chunk_missing)
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

Test(trace_threads, chunks_in_any_order_and_twice)
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

Test(trace_threads, thread_that_only_chunks_tell_of)
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

Test(trace_threads, losses_are_the_greater_of_what_is_told)
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
