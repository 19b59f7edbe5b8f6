/* The CBOR reader on honest and on hostile input. */
#include <criterion/criterion.h>
#include <string.h>

#include "cbor_reader.h"
#include "cbor_writer.h"

static struct pt_cbor_reader reader_of(const void *bytes, size_t size)
{
    return (struct pt_cbor_reader){.at = bytes, .end = (const uint8_t *)bytes + size};
}

static enum pt_status read_one(const char *bytes, size_t size, struct pt_cbor_item *item)
{
    struct pt_cbor_reader reader = reader_of(bytes, size);
    return pt_cbor_read(&reader, item);
}

Test(cbor, what_is_written_is_read)
{
    static const uint64_t numbers[] = {0,         23, 24, 255, 256, 65535, 65536, UINT32_MAX, (uint64_t)UINT32_MAX + 1,
                                       UINT64_MAX};
    const size_t count = sizeof numbers / sizeof *numbers;
    struct pt_buffer out = {0};
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(pt_cbor_write_uint(&out, numbers[i]), PT_OK);
    cr_assert_eq(pt_cbor_write_text(&out, "h\xC3\xA9llo", 6), PT_OK);
    cr_assert_eq(pt_cbor_write_bytes(&out, (const uint8_t *)"\0\1", 2), PT_OK);
    cr_assert_eq(pt_cbor_write_bool(&out, true), PT_OK);
    cr_assert_eq(pt_cbor_write_array(&out, 0), PT_OK);
    cr_assert_eq(pt_cbor_write_map(&out, 0), PT_OK);

    struct pt_cbor_reader reader = reader_of(out.data, out.size);
    struct pt_cbor_item item;
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(pt_cbor_read_type(&reader, PT_CBOR_UINT, &item), PT_OK);
        cr_assert_eq(item.number, numbers[i]);
    }
    cr_assert_eq(pt_cbor_read(&reader, &item), PT_OK);
    cr_assert(pt_cbor_text_equals(&item, "h\xC3\xA9llo"));
    cr_assert_not(pt_cbor_text_equals(&item, "h\xC3\xA9ll"));
    cr_assert_eq(pt_cbor_read_type(&reader, PT_CBOR_BYTES, &item), PT_OK);
    cr_assert_eq(item.number, 2);
    cr_assert_eq(pt_cbor_read_type(&reader, PT_CBOR_BOOL, &item), PT_OK);
    cr_assert_eq(item.number, 1);
    cr_assert_eq(pt_cbor_read_type(&reader, PT_CBOR_ARRAY, &item), PT_OK);
    cr_assert_eq(pt_cbor_read_end(&reader), PT_CORRUPT);
    cr_assert_eq(pt_cbor_read_type(&reader, PT_CBOR_MAP, &item), PT_OK);
    cr_assert_eq(pt_cbor_read_end(&reader), PT_OK);
    cr_assert_eq(pt_cbor_read(&reader, &item), PT_TRUNCATED);
    pt_buffer_release(&out);
}

Test(cbor, types_that_are_not_ours_are_corrupt)
{
    static const struct {
        const char *bytes;
        size_t size;
    } inputs[] = {
        {"\x20", 1},          /* -1 */
        {"\x5F\x41x\xFF", 4}, /* byte string of indefinite length */
        {"\x7F\x61x\xFF", 4}, /* text of indefinite length */
        {"\x9F\xFF", 2},      /* array of indefinite length */
        {"\xBF\xFF", 2},      /* map of indefinite length */
        {"\xC0\x00", 2},      /* tag */
        {"\xF6", 1},          /* null */
        {"\xF7", 1},          /* undefined */
        {"\xF9\x3C\x00", 3},  /* half float */
        {"\xFB\0\0\0\0\0\0\0\0", 9},
        {"\xFF", 1}, /* break */
        {"\x1C", 1}, /* reserved */
    };
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        struct pt_cbor_item item;
        cr_expect_eq(read_one(inputs[i].bytes, inputs[i].size, &item), PT_CORRUPT, "input %zu", i);
    }
}

Test(cbor, lengths_and_counts_are_held_against_the_bytes_left)
{
    static const struct {
        const char *bytes;
        size_t size;
    } inputs[] = {
        {"\x19\x01", 2}, /* half a number */
        {"\x63xy", 3},   /* a text of three with two */
        {"\x7B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
         "x",
         10}, /* a text of 2^64 - 1 */
        {"\x5B\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
         "x",
         10},
        {"\x9B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0", 10}, /* an array of as many */
        {"\xBB\x80\0\0\0\0\0\0\0\0\0", 11},             /* a map whose pairs, doubled, wrap around to 0 */
        {"\xA2\0\0\0", 4},                              /* a map of two with one and a half */
        {"\x83\0\0", 3},
    };
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        struct pt_cbor_item item;
        cr_expect_eq(read_one(inputs[i].bytes, inputs[i].size, &item), PT_TRUNCATED, "input %zu", i);
    }
}

Test(cbor, skip_takes_one_value_whatever_is_in_it)
{
    struct pt_buffer out = {0};
    cr_assert_eq(pt_cbor_write_map(&out, 2), PT_OK);
    cr_assert_eq(pt_cbor_write_text(&out, "a", 1), PT_OK);
    cr_assert_eq(pt_cbor_write_array(&out, 3), PT_OK);
    for (unsigned i = 0; i < 3; i++)
        cr_assert_eq(pt_cbor_write_array(&out, 0), PT_OK);
    cr_assert_eq(pt_cbor_write_text(&out, "b", 1), PT_OK);
    cr_assert_eq(pt_cbor_write_bool(&out, false), PT_OK);
    cr_assert_eq(pt_cbor_write_uint(&out, 7), PT_OK);

    struct pt_cbor_reader reader = reader_of(out.data, out.size);
    struct pt_cbor_item item;
    cr_assert_eq(pt_cbor_skip(&reader), PT_OK);
    cr_assert_eq(pt_cbor_read_type(&reader, PT_CBOR_UINT, &item), PT_OK);
    cr_assert_eq(item.number, 7);
    pt_buffer_release(&out);
}

Test(cbor, skip_goes_eight_deep_with_the_map_around_it)
{
    uint8_t nested[100000];
    memset(nested, 0x81, sizeof nested);
    nested[7] = 0;
    struct pt_cbor_reader reader = reader_of(nested, 8);
    cr_expect_eq(pt_cbor_skip(&reader), PT_OK);
    nested[7] = 0x81;
    nested[8] = 0;
    reader = reader_of(nested, 9);
    cr_expect_eq(pt_cbor_skip(&reader), PT_CORRUPT);
    nested[8] = 0x81;
    reader = reader_of(nested, sizeof nested);
    cr_expect_eq(pt_cbor_skip(&reader), PT_CORRUPT);
}
