/* Block headers, and finding blocks among other bytes. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "buffer.h"
#include "bytes.h"

static void append_block(struct pt_buffer *out, uint32_t type, uint32_t flags, const char *payload)
{
    uint8_t header[PT_BLOCK_HEADER_SIZE];
    uint32_t length = (uint32_t)strlen(payload);
    pt_block_encode(header, type, flags, 7, (const uint8_t *)payload, length);
    cr_assert_eq(pt_buffer_append(out, header, sizeof header), PT_OK);
    cr_assert_eq(pt_buffer_append(out, payload, length), PT_OK);
}

Test(block, decodes_what_was_encoded)
{
    struct pt_buffer out = {0};
    struct pt_block block;
    append_block(&out, 4000, PT_BLOCK_FLAG_OPTIONAL, "payload");
    cr_assert_eq(pt_block_decode(out.data, out.size, &block), PT_OK);
    cr_expect_eq(block.type, 4000);
    cr_expect_eq(block.flags, PT_BLOCK_FLAG_OPTIONAL);
    cr_expect_eq(block.length, 7);
    cr_expect_eq(block.sequence, 7);
    pt_buffer_release(&out);
}

Test(block, is_truncated_at_every_shorter_length)
{
    struct pt_buffer out = {0};
    struct pt_block block;
    append_block(&out, PT_BLOCK_CLOCK, 0, "payload");
    for (size_t size = 0; size < out.size; size++)
        cr_expect_eq(pt_block_decode(out.data, size, &block), PT_TRUNCATED, "%zu bytes", size);
    pt_buffer_release(&out);
}

Test(block, is_corrupt_with_any_bit_flipped)
{
    struct pt_buffer out = {0};
    struct pt_block block;
    append_block(&out, PT_BLOCK_CLOCK, 0, "payload");
    for (size_t bit = 0; bit < 8 * out.size; bit++) {
        out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_expect_eq(pt_block_decode(out.data, out.size, &block), PT_CORRUPT, "bit %zu", bit);
        out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    pt_buffer_release(&out);
}

Test(block, refuses_flags_and_lengths_beyond_the_rules)
{
    struct pt_block block;
    uint8_t at[PT_BLOCK_HEADER_SIZE];
    pt_block_encode(at, PT_BLOCK_CLOCK, 2, 0, NULL, 0);
    cr_expect_eq(pt_block_decode(at, sizeof at, &block), PT_CORRUPT);
    pt_block_encode(at, PT_BLOCK_CLOCK, 0, 0, NULL, 0);
    pt_bytes_store32(at + PT_BLOCK_OFF_LENGTH, PT_BLOCK_PAYLOAD_MAX + 1);
    pt_bytes_store32(at + PT_BLOCK_OFF_HEADER_CRC, pt_block_crc(at, PT_BLOCK_OFF_HEADER_CRC));
    cr_expect_eq(pt_block_decode(at, sizeof at, &block), PT_CORRUPT);
}

Test(block, search_finds_blocks_between_other_bytes)
{
    struct pt_buffer out = {0};
    struct pt_block_search search;
    struct pt_block block;
    cr_assert_eq(pt_buffer_append(&out, "rubbish\xB7PTRC\r\n", 14), PT_OK);
    size_t first = out.size;
    append_block(&out, PT_BLOCK_CLOCK, 0, "one");
    cr_assert_eq(pt_buffer_append(&out, PT_BLOCK_MAGIC PT_BLOCK_MAGIC, 16), PT_OK);
    size_t second = out.size;
    append_block(&out, PT_BLOCK_CLOCK, 0, "two");
    size_t end = out.size;
    cr_assert_eq(pt_buffer_append(&out, PT_BLOCK_MAGIC, 8), PT_OK);

    pt_block_search_init(&search, out.data, out.size);
    cr_expect_eq(pt_block_search_next(&search, 0, &block), first);
    cr_expect_eq(pt_block_search_next(&search, first, &block), first);
    cr_expect_eq(pt_block_search_next(&search, first + 1, &block), second);
    cr_expect_eq(block.length, 3);
    cr_expect_eq(pt_block_search_next(&search, end, &block), out.size);
    pt_buffer_release(&out);
}

/* Headers that are right, each with the rest of the file as payload, of which no checksum is right: checking each would
 * take the square of the size. What the search may check in vain is counted, not timed. */
Test(block, search_checks_no_more_in_vain_than_its_credit)
{
    enum { COUNT = 4096 };
    const size_t size = COUNT * PT_BLOCK_HEADER_SIZE;
    uint8_t *bytes = malloc(size);
    cr_assert_not_null(bytes);
    for (size_t i = 0; i < COUNT; i++) {
        uint8_t *at = bytes + i * PT_BLOCK_HEADER_SIZE;
        pt_block_encode(at, PT_BLOCK_CLOCK, 0, i, NULL, 0);
        pt_bytes_store32(at + PT_BLOCK_OFF_LENGTH, (uint32_t)(size - (i + 1) * PT_BLOCK_HEADER_SIZE));
        pt_bytes_store32(at + PT_BLOCK_OFF_PAYLOAD_CRC, 0x12345678);
        pt_bytes_store32(at + PT_BLOCK_OFF_HEADER_CRC, pt_block_crc(at, PT_BLOCK_OFF_HEADER_CRC));
    }
    struct pt_block_search search;
    struct pt_block block;
    pt_block_search_init(&search, bytes, size);
    uint64_t credit = search.credit;
    cr_expect_eq(pt_block_search_next(&search, 0, &block), size);
    cr_expect_leq(credit, 4 * size);
    cr_expect_lt(search.credit, credit);
    free(bytes);
}
