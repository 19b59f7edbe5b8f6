/* The strict check: each thing that it finds, in a file that has nothing else wrong. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "bytes.h"
#include "check.h"
#include "trace_file.h"

/* The findings of a file, one a line. */
struct findings {
    char text[4096];
    uint64_t count;
};

static void add_finding(void *context, uint64_t offset, const char *text)
{
    struct findings *findings = context;
    (void)offset;
    strncat(findings->text, text, sizeof findings->text - strlen(findings->text) - 1);
    strncat(findings->text, "\n", sizeof findings->text - strlen(findings->text) - 1);
}

static struct findings check(const struct trace_file *file)
{
    struct findings findings = {.count = 0};
    struct pt_trace *trace = trace_file_open(file);
    cr_assert_eq(pt_check(trace, add_finding, &findings, &findings.count), PT_OK);
    pt_trace_free(trace);
    return findings;
}

static void expect_only(struct trace_file *file, const char *text)
{
    struct findings findings = check(file);
    cr_expect_eq(findings.count, 1, "%llu findings, not 1:\n%s", (unsigned long long)findings.count, findings.text);
    cr_expect_not_null(strstr(findings.text, text), "no \"%s\" in:\n%s", text, findings.text);
    trace_file_release(file);
}

/* Everything before the chunks; functions 1 to 8 are named. */
static void begin(struct trace_file *file)
{
    trace_file_begin(file);
    trace_file_header(file);
    trace_file_clock(file, 1000, 5000);
    trace_file_process(file, 1, 0, 0, 9000);
    trace_file_thread(file, 1, 1, 9000);
    trace_file_names(file, 1, 1, 8);
}

static void finish(struct trace_file *file)
{
    trace_file_clock(file, 9000, 21000);
    trace_file_end(file, 9000);
}

static void call(struct trace_stream *stream, uint32_t id, uint64_t tick)
{
    trace_stream_event(stream, PT_KIND_START, id, tick);
    trace_stream_event(stream, PT_KIND_RETURN, 0, tick + 1);
}

static void one_chunk(struct trace_file *file, uint32_t thread, uint32_t id)
{
    struct trace_stream stream;
    trace_stream_begin(&stream, thread, 1100);
    call(&stream, id, 1100);
    trace_stream_flush(&stream, file);
    trace_stream_release(&stream);
}

Test(check, finds_nothing_in_a_pristine_file)
{
    struct trace_file file;
    trace_file_sample(&file);
    cr_expect_eq(check(&file).count, 0);
    trace_file_release(&file);

    begin(&file);
    one_chunk(&file, 1, 1);
    finish(&file);
    cr_expect_eq(check(&file).count, 0);
    trace_file_release(&file);
}

Test(check, no_end)
{
    struct trace_file file;
    begin(&file);
    one_chunk(&file, 1, 1);
    expect_only(&file, "no END");
}

Test(check, no_header)
{
    struct trace_file file;
    struct findings findings;
    trace_file_begin(&file);
    trace_file_clock(&file, 1000, 5000);
    finish(&file);
    findings = check(&file);
    cr_expect_eq(findings.count, 2);
    cr_expect_not_null(strstr(findings.text, "the first block is no HEADER"));
    cr_expect_not_null(strstr(findings.text, "there is no HEADER"));
    trace_file_release(&file);
}

/* A HEADER or END of nothing but its fixed part and an empty map: readers make do with it. */
Test(check, keys_that_a_writer_must_not_leave_out)
{
    uint8_t header[PT_HEADER_FIXED_SIZE + 1] = {PT_FORMAT_MAJOR};
    uint8_t end[1 + PT_END_LENGTH_SIZE];
    struct trace_file file;
    header[PT_HEADER_FIXED_SIZE] = end[0] = 0xA0;
    pt_bytes_store32(end + 1, PT_BLOCK_HEADER_SIZE + sizeof end);
    trace_file_begin(&file);
    trace_file_block(&file, PT_BLOCK_HEADER, header, sizeof header);
    trace_file_block(&file, PT_BLOCK_END, end, sizeof end);
    struct findings findings = check(&file);
    cr_expect_not_null(strstr(findings.text, "the key \"run\" is missing"), "%s", findings.text);
    cr_expect_not_null(strstr(findings.text, "the key \"reason\" is missing"), "%s", findings.text);
    trace_file_release(&file);
}

Test(check, clocks)
{
    struct trace_file file;
    trace_file_begin(&file);
    trace_file_header(&file);
    trace_file_clock(&file, 1000, 5000);
    trace_file_end(&file, 9000);
    expect_only(&file, "a CLOCK at its start and one at its end");

    begin(&file);
    trace_file_clock(&file, 1000, 6000);
    finish(&file);
    expect_only(&file, "does not go forward");

    begin(&file);
    trace_file_clock(&file, 2000, 5000);
    finish(&file);
    expect_only(&file, "does not go forward");
}

Test(check, functions_without_a_name)
{
    struct trace_file file;
    begin(&file);
    one_chunk(&file, 1, 9);
    finish(&file);
    expect_only(&file, "uses functions that no block before it names: id 9 of process 1");

    begin(&file);
    one_chunk(&file, 1, 9);
    trace_file_names(&file, 1, 9, 1);
    finish(&file);
    expect_only(&file, "uses functions that no block before it names: id 9 of process 1");

    begin(&file);
    one_chunk(&file, 1, 0); /* the id of all that have none */
    finish(&file);
    cr_expect_eq(check(&file).count, 0);
    trace_file_release(&file);
}

Test(check, names_defined_twice)
{
    struct trace_file file;
    begin(&file);
    trace_file_names(&file, 1, 8, 1);
    finish(&file);
    expect_only(&file, "id 8 of process 1 is defined twice");

    begin(&file);
    trace_file_process(&file, 2, 1, 8, 9000);
    trace_file_names(&file, 2, 8, 2);
    finish(&file);
    expect_only(&file, "id 8 of process 2 is defined, and inherited");
}

Test(check, processes)
{
    struct trace_file file;
    begin(&file);
    trace_file_process(&file, 3, 1, 0, 9000);
    finish(&file);
    expect_only(&file, "there is no process 2");

    begin(&file);
    trace_file_process(&file, 2, 2, 0, 9000);
    finish(&file);
    expect_only(&file, "process 2 has no parent 2");

    begin(&file);
    trace_file_process(&file, 2, 0, 5, 9000);
    finish(&file);
    expect_only(&file, "process 2 inherits 5 ids from nobody");

    begin(&file);
    trace_file_process(&file, 2, 1, 5, PT_META_ABSENT);
    finish(&file);
    expect_only(&file, "process 2 has no end");

    begin(&file);
    trace_file_process(&file, 2, 1, 5, 10);
    finish(&file);
    expect_only(&file, "process 2 ends before it starts");
}

Test(check, threads)
{
    struct trace_file file;
    begin(&file);
    trace_file_thread(&file, 3, 1, 9000);
    finish(&file);
    expect_only(&file, "there is no thread 2");

    begin(&file);
    trace_file_thread(&file, 2, 7, 9000);
    finish(&file);
    expect_only(&file, "thread 2 has no process 7");

    begin(&file);
    trace_file_thread(&file, 2, 1, PT_META_ABSENT);
    finish(&file);
    expect_only(&file, "thread 2 has no end");

    begin(&file);
    trace_file_thread(&file, 2, 1, 10);
    finish(&file);
    expect_only(&file, "thread 2 ends before it starts");
}

Test(check, losses)
{
    struct trace_file file;
    struct trace_stream stream;
    begin(&file);
    trace_stream_begin(&stream, 1, 1100);
    call(&stream, 1, 1100);
    trace_stream_lost(&stream, 40, 1200);
    trace_stream_flush(&stream, &file);
    finish(&file);
    trace_stream_release(&stream);
    expect_only(&file, "events lost while recording: 40");
}

Test(check, end_totals)
{
    struct trace_file file;
    begin(&file);
    one_chunk(&file, 1, 1);
    file.events++;
    finish(&file);
    expect_only(&file, "END counts 3 events, the chunks hold 2");
}

Test(check, ends_after_the_end)
{
    static const struct {
        uint64_t process, thread;
        const char *finding;
    } ends[] = {{9001, 9000, "process 1 ends after the recording"}, {9000, 9001, "thread 1 ends after the recording"}};
    for (size_t i = 0; i < 2; i++) {
        struct trace_file file;
        trace_file_begin(&file);
        trace_file_header(&file);
        trace_file_clock(&file, 1000, 5000);
        trace_file_process(&file, 1, 0, 0, ends[i].process);
        trace_file_thread(&file, 1, 1, ends[i].thread);
        finish(&file);
        expect_only(&file, ends[i].finding);
    }
}

Test(check, chunk_that_ends_after_the_end)
{
    struct trace_file file;
    begin(&file);
    one_chunk(&file, 1, 1);
    trace_file_clock(&file, 9000, 21000);
    trace_file_end(&file, 1100);
    struct findings findings = check(&file);
    cr_expect_not_null(strstr(findings.text, "chunk of thread 1 ends after the recording"), "%s", findings.text);
    trace_file_release(&file);
}

/* Writes a sample in which the payload of the first block of `type` was changed at `at`. */
static void change(struct trace_file *file, uint32_t type, size_t at, uint8_t mask)
{
    struct pt_block block;
    struct trace_file sample;
    size_t size;
    trace_file_sample(&sample);
    uint8_t *bytes = trace_file_bytes(&sample, &size);
    for (size_t offset = 0; offset < size; offset += PT_BLOCK_HEADER_SIZE + block.length) {
        cr_assert_eq(pt_block_decode(bytes + offset, size - offset, &block), PT_OK);
        if (block.type != type)
            continue;
        uint8_t *payload = bytes + offset + PT_BLOCK_HEADER_SIZE;
        payload[at] ^= mask;
        pt_block_encode(bytes + offset, type, 0, block.sequence, payload, block.length);
        break;
    }
    trace_file_from_bytes(file, bytes, size);
    free(bytes);
    trace_file_release(&sample);
}

Test(check, index)
{
    static const size_t fields[] = {PT_INDEX_OFF_OFFSET,     PT_INDEX_OFF_TYPE,      PT_INDEX_OFF_THREAD,
                                    PT_INDEX_OFF_FIRST_TICK, PT_INDEX_OFF_LAST_TICK, PT_INDEX_OFF_EVENTS,
                                    PT_INDEX_OFF_RESERVED};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct trace_file file;
        change(&file, PT_BLOCK_INDEX, 5 * PT_INDEX_ENTRY_SIZE + fields[i], 4);
        expect_only(&file, "INDEX entry 5 is not that of block 5");
    }
}

Test(check, chunk_of_another_slot)
{
    struct trace_file file;
    change(&file, PT_BLOCK_CHUNK, PT_CHUNK_OFF_SLOT, 2);
    struct findings findings = check(&file);
    cr_expect_not_null(strstr(findings.text, "is of another slot than its thread"));
    trace_file_release(&file);
}

Test(check, stream_after_its_last_chunk)
{
    struct trace_file file;
    change(&file, PT_BLOCK_CHUNK, PT_CHUNK_OFF_FLAGS, PT_CHUNK_FLAG_LAST);
    expect_only(&file, "thread 1 goes on after its last chunk");
}

Test(check, chunk_that_cannot_be_decoded)
{
    struct trace_file file;
    change(&file, PT_BLOCK_CHUNK, PT_CHUNK_FIXED_SIZE, 0xFF);
    expect_only(&file, "the content of CHUNK breaks the rules");
}

/* A stream that, for its position, follows another one, but starts from an empty stack. */
Test(check, keyframe_that_does_not_follow)
{
    struct trace_file file;
    struct trace_stream stream, other;
    begin(&file);
    trace_stream_begin(&stream, 1, 1100);
    trace_stream_event(&stream, PT_KIND_START, 1, 1100);
    trace_stream_flush(&stream, &file);
    other = stream;
    other.source.stack = (struct pt_stack){0};
    call(&other, 2, 1200);
    trace_stream_flush(&other, &file);
    finish(&file);
    trace_stream_release(&stream);
    trace_stream_release(&other);
    expect_only(&file, "the keyframe of a chunk of thread 1 is not what the chunk before led to");
}

Test(check, thread_without_a_thread_block)
{
    struct trace_file file;
    begin(&file);
    one_chunk(&file, 2, 1);
    finish(&file);
    struct findings findings = check(&file);
    cr_expect_not_null(strstr(findings.text, "threads that have chunks but no THREAD block: 1"), "%s", findings.text);
    trace_file_release(&file);
}
