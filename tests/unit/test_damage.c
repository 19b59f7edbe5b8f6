/* The corruption sweep: every truncation and every flipped byte of a small trace is noticed, and costs no other block.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "bytes.h"
#include "check.h"
#include "trace_file.h"

struct sample {
    uint8_t *bytes;
    size_t size;
    size_t starts[32]; /* of the blocks, and the end of the last */
    size_t blocks;
};

static struct sample sample_make(void)
{
    struct sample sample = {0};
    struct trace_file file;
    struct pt_block block;
    trace_file_sample(&file);
    sample.bytes = trace_file_bytes(&file, &sample.size);
    trace_file_release(&file);
    for (size_t at = 0; at < sample.size; at += PT_BLOCK_HEADER_SIZE + block.length) {
        cr_assert_eq(pt_block_decode(sample.bytes + at, sample.size - at, &block), PT_OK);
        cr_assert_lt(sample.blocks, 31);
        sample.starts[sample.blocks++] = at;
    }
    sample.starts[sample.blocks] = sample.size;
    return sample;
}

/* What became of a changed file. */
struct outcome {
    enum pt_status status;
    uint64_t findings;
    uint64_t blocks;
    bool complete;
    bool damaged_there; /* damage is noted at `where` */
};

static void ignore(void *context, uint64_t offset, const char *text)
{
    (void)offset;
    cr_assert_gt(strlen(text), 0);
    ++*(unsigned *)context;
}

static struct outcome examine(const uint8_t *bytes, size_t size, uint64_t where)
{
    static const struct pt_trace_options options = {.no_salvage = true};
    struct outcome outcome = {0};
    struct trace_file file;
    struct pt_trace *trace;
    unsigned reported = 0;
    trace_file_from_bytes(&file, bytes, size);
    outcome.status = pt_trace_open(&trace, file.path, &options, NULL);
    if (outcome.status == PT_OK) {
        cr_assert_eq(pt_check(trace, ignore, &reported, &outcome.findings), PT_OK);
        cr_assert_eq(reported, outcome.findings);
        outcome.blocks = trace->block_count;
        outcome.complete = pt_trace_complete(trace);
        for (size_t i = 0; i < trace->damage_count; i++)
            outcome.damaged_there = outcome.damaged_there || trace->damages[i].offset == where;
        pt_trace_free(trace);
    }
    trace_file_release(&file);
    return outcome;
}

Test(damage, every_truncation_is_noticed, .timeout = 100)
{
    struct sample sample = sample_make();
    size_t whole = 0; /* blocks */
    for (size_t size = 0; size < sample.size; size++) {
        if (size == sample.starts[whole + 1])
            whole++;
        struct outcome outcome = examine(sample.bytes, size, sample.starts[whole]);
        if (whole == 0) {
            cr_expect_eq(outcome.status, PT_TRUNCATED, "%zu bytes", size);
            continue;
        }
        cr_expect_eq(outcome.status, PT_OK, "%zu bytes", size);
        cr_expect_eq(outcome.blocks, whole, "%zu bytes", size);
        cr_expect_gt(outcome.findings, 0, "%zu bytes", size);
        cr_expect_not(outcome.complete, "%zu bytes", size);
        cr_expect_eq(outcome.damaged_there, size > sample.starts[whole], "%zu bytes", size);
    }
    free(sample.bytes);
}

static void flip_every_byte(uint8_t mask)
{
    struct sample sample = sample_make();
    size_t block = 0;
    for (size_t at = 0; at < sample.size; at++) {
        if (at == sample.starts[block + 1])
            block++;
        sample.bytes[at] ^= mask;
        struct outcome outcome = examine(sample.bytes, sample.size, sample.starts[block]);
        sample.bytes[at] ^= mask;
        cr_expect_eq(outcome.status, PT_OK, "byte %zu", at);
        cr_expect_eq(outcome.blocks, sample.blocks - 1, "byte %zu", at);
        cr_expect_gt(outcome.findings, 0, "byte %zu", at);
        cr_expect_not(outcome.complete, "byte %zu", at);
        cr_expect(outcome.damaged_there, "byte %zu", at);
    }
    free(sample.bytes);
}

Test(damage, every_flipped_low_bit_is_noticed, .timeout = 100)
{
    flip_every_byte(0x01);
}

Test(damage, every_flipped_high_bit_is_noticed, .timeout = 100)
{
    flip_every_byte(0x80);
}

/* Damage that a checksum does not show: each byte of each payload changed, and the checksums set right. Anything may
 * come of it but a crash. */
Test(damage, wrong_content_under_right_checksums_is_survived, .timeout = 100)
{
    struct sample sample = sample_make();
    for (size_t i = 0; i < sample.blocks; i++) {
        uint8_t *header = sample.bytes + sample.starts[i];
        uint8_t *payload = header + PT_BLOCK_HEADER_SIZE;
        uint8_t kept[PT_BLOCK_HEADER_SIZE];
        uint32_t length = pt_bytes_load32(header + PT_BLOCK_OFF_LENGTH);
        memcpy(kept, header, sizeof kept);
        for (uint32_t at = 0; at < length; at++) {
            for (unsigned bit = 0; bit < 8; bit += 3) {
                payload[at] ^= (uint8_t)(1u << bit);
                pt_block_encode(header, pt_bytes_load16(kept + PT_BLOCK_OFF_TYPE), 0, i, payload, length);
                struct outcome outcome = examine(sample.bytes, sample.size, 0);
                payload[at] ^= (uint8_t)(1u << bit);
                cr_expect(outcome.status == PT_OK || (i == 0 && outcome.status == PT_UNSUPPORTED));
            }
        }
        memcpy(header, kept, sizeof kept);
    }
    free(sample.bytes);
}

Test(damage, lost_middle_is_skipped)
{
    struct sample sample = sample_make();
    size_t from = sample.starts[3] + 5, to = sample.starts[6] + 7;
    memmove(sample.bytes + from, sample.bytes + to, sample.size - to);
    struct outcome outcome = examine(sample.bytes, sample.size - (to - from), sample.starts[3]);
    cr_expect_eq(outcome.status, PT_OK);
    cr_expect_eq(outcome.blocks, sample.blocks - 4);
    cr_expect(outcome.damaged_there);
    free(sample.bytes);
}

Test(damage, two_files_in_one_are_not_mixed)
{
    struct sample sample = sample_make();
    uint8_t *twice = malloc(2 * sample.size);
    cr_assert_not_null(twice);
    memcpy(twice, sample.bytes, sample.size);
    memcpy(twice + sample.size, sample.bytes, sample.size);
    struct outcome outcome = examine(twice, 2 * sample.size, sample.size);
    cr_expect_eq(outcome.status, PT_OK);
    cr_expect_eq(outcome.blocks, sample.blocks);
    cr_expect(outcome.damaged_there);
    free(twice);
    free(sample.bytes);
}
