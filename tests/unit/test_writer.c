/* The writer: what it writes can be read, and what it could not write leaves no mark. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block.h"
#include "bytes.h"
#include "check.h"
#include "trace_file.h"

static uint64_t findings(const struct trace_file *file)
{
    uint64_t count;
    struct pt_trace *trace = trace_file_open(file);
    cr_assert_eq(pt_check(trace, NULL, NULL, &count), PT_OK);
    pt_trace_free(trace);
    return count;
}

Test(writer, blocks_follow_each_other)
{
    struct trace_file file;
    struct pt_block block;
    size_t size, at = 0, count = 0;
    trace_file_sample(&file);
    uint8_t *bytes = trace_file_bytes(&file, &size);
    uint64_t index = 0;
    while (at < size) {
        cr_assert_eq(pt_block_decode(bytes + at, size - at, &block), PT_OK);
        cr_expect_eq(block.sequence, count);
        if (block.type == PT_BLOCK_INDEX) {
            cr_expect_eq(block.length, count * PT_INDEX_ENTRY_SIZE);
            index = at;
        }
        count++;
        at += PT_BLOCK_HEADER_SIZE + block.length;
    }
    cr_expect_eq(block.type, PT_BLOCK_END);
    cr_expect_eq(pt_bytes_load32(bytes + size - 4), PT_BLOCK_HEADER_SIZE + block.length,
                 "the END is found from the end");
    free(bytes);

    struct pt_trace *trace = trace_file_open(&file);
    cr_expect_eq(trace->end.index, index);
    cr_expect_eq(trace->end.blocks, count - 1);
    pt_trace_free(trace);
    trace_file_release(&file);
}

Test(writer, end_is_no_longer_than_it_said)
{
    struct trace_file file;
    struct stat about;
    trace_file_begin(&file);
    trace_file_header(&file);
    for (uint64_t i = 1; i < 50; i++)
        trace_file_clock(&file, i, i);
    uint64_t most = file.writer.offset + pt_writer_end_size(&file.writer);
    trace_file_end(&file, UINT64_MAX - 1);
    cr_assert_eq(fstat(file.writer.descriptor, &about), 0);
    cr_expect_leq((uint64_t)about.st_size, most);
    trace_file_release(&file);
}

/* A limit on file size cuts a write short first and fails the next one, like a disk that runs full. */
Test(writer, full_disk_cuts_back_to_whole_blocks)
{
    char path[] = "/tmp/pytrace-writer-XXXXXX";
    uint8_t payload[100] = {0};
    struct rlimit limit = {.rlim_cur = 200, .rlim_max = RLIM_INFINITY};
    struct pt_error error;
    struct pt_writer writer;
    struct stat about;
    int descriptor = mkstemp(path);
    cr_assert_geq(descriptor, 0);
    unlink(path);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    pt_writer_init(&writer, descriptor);
    cr_expect_eq(pt_writer_block(&writer, PT_BLOCK_CLOCK, payload, sizeof payload, &error), PT_OK);
    cr_expect_eq(pt_writer_block(&writer, PT_BLOCK_CLOCK, payload, sizeof payload, &error), PT_IO);
    cr_expect_eq(error.system_errno, EFBIG);
    cr_expect_eq(error.offset, 132);
    cr_assert_eq(fstat(descriptor, &about), 0);
    cr_expect_eq(about.st_size, 132, "what was written of the second block is gone");

    cr_expect_eq(pt_writer_block(&writer, PT_BLOCK_CLOCK, payload, 10, &error), PT_OK, "a block that fits still does");
    limit.rlim_cur = RLIM_INFINITY;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_expect_eq(pt_writer_block(&writer, PT_BLOCK_CLOCK, payload, sizeof payload, &error), PT_OK);
    cr_expect_eq(writer.sequence, 3);
    pt_writer_release(&writer);
    close(descriptor);
}

/* Room for the END but not for the INDEX: the file is complete without. No room for either: nothing of them stays. */
Test(writer, end_without_room_for_the_index)
{
    char path[] = "/tmp/pytrace-writer-XXXXXX";
    struct trace_file file;
    struct rlimit limit = {.rlim_max = RLIM_INFINITY};
    struct pt_end end = {.end_tick = 9};
    struct stat about;
    trace_file_begin(&file);
    int descriptor = mkstemp(path);
    cr_assert_geq(descriptor, 0);
    cr_assert_geq(dup2(descriptor, file.writer.descriptor), 0);
    trace_file_header(&file);
    trace_file_clock(&file, 1, 1);
    for (uint64_t i = 2; i < 40; i++)
        trace_file_clock(&file, i, i);
    uint64_t size = file.writer.offset;
    signal(SIGXFSZ, SIG_IGN);

    limit.rlim_cur = size + 100;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_expect_eq(pt_writer_end(&file.writer, &end, NULL), PT_IO);
    cr_assert_eq(fstat(descriptor, &about), 0);
    cr_expect_eq((uint64_t)about.st_size, size);

    limit.rlim_cur = size + 500;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_expect_eq(pt_writer_end(&file.writer, &end, NULL), PT_OK);
    cr_expect_eq(end.index, PT_META_ABSENT);
    cr_expect_eq(end.blocks, 40);
    limit.rlim_cur = RLIM_INFINITY;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_expect_eq(findings(&file), 0);
    trace_file_release(&file);
    close(descriptor);
    unlink(path);
}

Test(writer, refuses_blocks_beyond_the_rules)
{
    static uint8_t payload[PT_BLOCK_PAYLOAD_MAX + 1];
    struct trace_file file;
    trace_file_begin(&file);
    cr_expect_eq(pt_writer_block(&file.writer, PT_BLOCK_CLOCK, payload, sizeof payload, NULL), PT_MISUSE);
    cr_expect_eq(pt_writer_block(&file.writer, PT_BLOCK_CHUNK, payload, PT_CHUNK_FIXED_SIZE - 1, NULL), PT_MISUSE);
    cr_expect_eq(file.writer.sequence, 0);
    trace_file_release(&file);
}
