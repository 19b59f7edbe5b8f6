/* A long trace takes no more memory than a short one. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "block.h"
#include "trace_file.h"

/* Of the mapped trace file, as the kernel counts it. */
static unsigned long resident_kib(void)
{
    unsigned long kib = 0, sum = 0;
    bool ours = false;
    char line[512];
    FILE *file = fopen("/proc/self/smaps", "re");
    cr_assert_not_null(file);
    while (fgets(line, sizeof line, file)) {
        if (line[0] < 'A' || line[0] > 'Z') /* an address: the line that names a mapping */
            ours = strstr(line, "/memfd:trace") != NULL;
        else if (ours && sscanf(line, "Rss: %lu", &kib) == 1)
            sum += kib;
    }
    fclose(file);
    return sum;
}

enum { BLOCKS = 64, BLOCK_SIZE = 1 << 20 };

Test(trace_memory, opening_a_long_trace_keeps_little_of_it)
{
    struct trace_file file;
    uint8_t *block = calloc(1, PT_BLOCK_HEADER_SIZE + BLOCK_SIZE);
    cr_assert_not_null(block);
    trace_file_begin(&file);
    trace_file_header(&file);
    cr_assert_geq(lseek(file.writer.descriptor, 0, SEEK_END), 0);
    for (unsigned i = 0; i < BLOCKS; i++) {
        pt_block_encode(block, 4000, PT_BLOCK_FLAG_OPTIONAL, 1 + i, block + PT_BLOCK_HEADER_SIZE, BLOCK_SIZE);
        cr_assert_eq(write(file.writer.descriptor, block, PT_BLOCK_HEADER_SIZE + BLOCK_SIZE),
                     PT_BLOCK_HEADER_SIZE + BLOCK_SIZE);
    }
    struct pt_trace *trace = trace_file_open(&file);
    cr_expect_eq(trace->block_count, 1 + BLOCKS);
    cr_expect_eq(trace->damage_count, 0);
    cr_expect_leq(resident_kib(), 8 << 10, "%lu KiB", resident_kib());
    pt_trace_free(trace);
    trace_file_release(&file);
    free(block);
}

Test(trace_memory, a_chunk_that_was_decoded_takes_no_memory)
{
    struct trace_file file;
    struct pt_chunk chunk = {0};
    trace_file_sample(&file);
    struct pt_trace *trace = trace_file_open(&file);
    const struct pt_trace_chunk *first = &trace->threads[0].chunks[0];
    cr_expect_gt(resident_kib(), 0);
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(pt_trace_chunk_decode(trace, first, &chunk), PT_OK);
        cr_expect_eq(resident_kib(), 0, "%lu KiB", resident_kib());
    }
    pt_chunk_release(&chunk);
    pt_trace_free(trace);
    trace_file_release(&file);
}
