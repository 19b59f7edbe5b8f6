/* A trace opened by its INDEX is the trace that a search for blocks finds; what is wrong with either is noticed. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "trace_file.h"

static struct pt_trace *open_late(const struct trace_file *file)
{
    static const struct pt_trace_options options = {.no_salvage = true, .late_checks_min = 1};
    struct pt_trace *trace = NULL;
    cr_assert_eq(pt_trace_open(&trace, file->path, &options, NULL), PT_OK);
    return trace;
}

static void expect_same(const struct pt_trace *a, const struct pt_trace *b)
{
    cr_expect_eq(a->events, b->events);
    cr_expect_eq(a->lost, b->lost);
    cr_expect_eq(a->block_count, b->block_count);
    cr_expect_eq(a->function_count, b->function_count);
    cr_expect_eq(a->damage_count, b->damage_count);
    cr_expect_eq(a->clock_count, b->clock_count);
    cr_assert_eq(a->thread_count, b->thread_count);
    for (size_t i = 0; i < a->thread_count; i++) {
        cr_assert_eq(a->threads[i].chunk_count, b->threads[i].chunk_count);
        for (size_t c = 0; c < a->threads[i].chunk_count; c++) {
            const struct pt_trace_chunk *x = &a->threads[i].chunks[c], *y = &b->threads[i].chunks[c];
            cr_expect_eq(x->offset, y->offset);
            cr_expect_eq(x->size, y->size);
            cr_expect_eq(x->gap_before, y->gap_before);
            cr_expect_arr_eq(&x->info, &y->info, sizeof x->info);
        }
    }
}

/* Opens a file with one byte changed: damage anywhere but in what is left for later makes the index useless. */
static void expect_searched(const uint8_t *bytes, size_t size, size_t changed)
{
    struct trace_file file;
    uint8_t *copy = malloc(size);
    cr_assert_not_null(copy);
    memcpy(copy, bytes, size);
    copy[changed] ^= 0x10;
    trace_file_from_bytes(&file, copy, size);
    struct pt_trace *searched = trace_file_open(&file);
    struct pt_trace *late = open_late(&file);
    cr_expect_eq(late->unchecked_chunks, 0, "byte %zu", changed);
    expect_same(late, searched);
    pt_trace_free(late);
    pt_trace_free(searched);
    trace_file_release(&file);
    free(copy);
}

Test(trace_index, tells_what_a_search_finds)
{
    struct trace_file file;
    struct pt_chunk chunk = {0};
    trace_file_sample(&file);
    struct pt_trace *searched = trace_file_open(&file);
    struct pt_trace *late = open_late(&file);
    cr_expect_eq(searched->unchecked_chunks, 0);
    cr_expect_eq(late->unchecked_chunks, searched->threads[0].chunk_count);
    expect_same(late, searched);
    for (size_t c = 0; c < late->threads[0].chunk_count; c++)
        cr_expect_eq(pt_trace_chunk_decode(late, &late->threads[0].chunks[c], &chunk), PT_OK);
    pt_chunk_release(&chunk);
    pt_trace_free(late);
    pt_trace_free(searched);
    trace_file_release(&file);
}

Test(trace_index, damage_in_a_chunk_is_noticed_when_it_is_read)
{
    struct trace_file file, damaged;
    struct pt_chunk chunk = {0};
    size_t size;
    trace_file_sample(&file);
    struct pt_trace *whole = trace_file_open(&file);
    const uint64_t offset = whole->threads[0].chunks[1].offset;
    uint8_t *bytes = trace_file_bytes(&file, &size);
    bytes[offset + PT_BLOCK_HEADER_SIZE + PT_CHUNK_FIXED_SIZE + 20] ^= 1;
    trace_file_from_bytes(&damaged, bytes, size);
    struct pt_trace *late = open_late(&damaged);
    cr_expect_gt(late->unchecked_chunks, 0);
    cr_expect_eq(pt_trace_chunk_decode(late, &late->threads[0].chunks[0], &chunk), PT_OK);
    cr_expect_eq(pt_trace_chunk_decode(late, &late->threads[0].chunks[1], &chunk), PT_CORRUPT);
    pt_chunk_release(&chunk);
    pt_trace_free(late);
    pt_trace_free(whole);
    trace_file_release(&damaged);
    trace_file_release(&file);
    free(bytes);
}

Test(trace_index, is_believed_only_where_it_is_right)
{
    struct trace_file file;
    size_t size;
    trace_file_sample(&file);
    uint8_t *bytes = trace_file_bytes(&file, &size);
    struct pt_trace *whole = open_late(&file);
    const uint64_t chunk = whole->threads[0].chunks[0].offset, index = whole->end.index;
    pt_trace_free(whole);
    for (size_t at = 0; at < PT_BLOCK_HEADER_SIZE; at++)
        expect_searched(bytes, size, chunk + at);
    expect_searched(bytes, size, chunk + PT_BLOCK_HEADER_SIZE + PT_CHUNK_OFF_EVENTS); /* not what the index says */
    expect_searched(bytes, size, PT_BLOCK_HEADER_SIZE + 30);                          /* the HEADER's payload */
    for (size_t at = index; at < size; at++)
        expect_searched(bytes, size, at);
    free(bytes);
    trace_file_release(&file);
}

Test(trace_index, a_file_that_was_cut_off_is_searched)
{
    static const struct pt_trace_options options = {.no_salvage = true, .late_checks_min = 1};
    struct trace_file file, cut;
    size_t size;
    trace_file_sample(&file);
    uint8_t *bytes = trace_file_bytes(&file, &size);
    for (size_t left = 1; left < size; left++) {
        struct pt_trace *trace = NULL;
        trace_file_from_bytes(&cut, bytes, left);
        if (pt_trace_open(&trace, cut.path, &options, NULL) == PT_OK)
            cr_expect_eq(trace->unchecked_chunks, 0);
        pt_trace_free(trace);
        trace_file_release(&cut);
    }
    free(bytes);
    trace_file_release(&file);
}
