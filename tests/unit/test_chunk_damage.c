/* Chunks that nobody honest wrote: the decoder refuses them, and never reads what is not there. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "bytes.h"
#include "chunk.h"
#include "record.h"

/* A small chunk with something in each of its parts. */
static void make_payload(struct pt_buffer *payload)
{
    const uint64_t t = 1000;
    const uint64_t ring[32] = {
        pt_record_pack_control(PT_CONTROL_REBASE, 1, t),
        t,
        pt_record_pack(PT_KIND_START, 1, t),
        pt_record_pack(PT_KIND_START, 2, t + 3),
        /* the second chunk begins here */
        pt_record_pack(PT_KIND_C_CALL, 3, t + 700),
        pt_record_pack(PT_KIND_C_RETURN, 0, t + 703),
        pt_record_pack_control(PT_CONTROL_LOST, 6, t + 900),
        12,
        80,
        1,
        2,
        pt_record_frame(5, 0),
        pt_record_frame(6, 1),
        pt_record_pack_control(PT_CONTROL_STALL, 1, t + 901),
        444,
        pt_record_pack(PT_KIND_UNWIND, 5, t + 800),
    };
    struct pt_chunk_encoder *encoder;
    struct pt_chunk_source source = {0};
    struct pt_buffer first = {0};
    cr_assert_eq(pt_chunk_encoder_new(&encoder, 1), PT_OK);
    cr_assert_eq(pt_chunk_encode(encoder, &source, ring, 31, 4, &first), PT_OK);
    cr_assert_eq(pt_chunk_encode(encoder, &source, ring, 31, 16, payload), PT_OK);
    cr_assert_not(source.corrupt);
    pt_stack_release(&source.stack);
    pt_buffer_release(&first);
    pt_chunk_encoder_free(encoder);
}

/* Walks what was decoded, as every reader would. */
static void walk(const struct pt_chunk *chunk)
{
    struct pt_chunk_cursor cursor;
    struct pt_chunk_entry entry;
    struct pt_stack stack = {0};
    uint32_t entries = 0;
    pt_chunk_cursor_init(&cursor, chunk);
    for (; pt_chunk_cursor_next(&cursor, &entry); entries++)
        cr_assert_eq(pt_chunk_entry_apply(&entry, &stack), PT_OK);
    cr_assert_eq(entries, chunk->info.entries);
    cr_assert_eq(cursor.tick, chunk->info.last_tick);
    pt_stack_release(&stack);
}

/* Decodes a copy that ends where its memory ends, so that a sanitizer sees the first byte too many. */
static enum pt_status decode_copy(struct pt_chunk *chunk, const uint8_t *payload, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    cr_assert(copy);
    memcpy(copy, payload, size);
    enum pt_status status = pt_chunk_decode(chunk, copy, size);
    free(copy);
    if (status == PT_OK)
        walk(chunk);
    return status;
}

Test(chunk_damage, the_chunk_itself_is_good)
{
    struct pt_buffer payload = {0};
    struct pt_chunk chunk = {0};
    make_payload(&payload);
    cr_assert_eq(decode_copy(&chunk, payload.data, payload.size), PT_OK);
    cr_assert_gt(chunk.info.wide_bytes, 0);
    cr_assert_gt(chunk.info.argument_bytes, 0);
    cr_assert_eq(chunk.keyframe.count, 2);
    pt_chunk_release(&chunk);
    pt_buffer_release(&payload);
}

Test(chunk_damage, every_truncation_is_refused)
{
    struct pt_buffer payload = {0};
    struct pt_chunk chunk = {0};
    make_payload(&payload);
    for (size_t size = 0; size < payload.size; size++)
        cr_assert_neq(decode_copy(&chunk, payload.data, size), PT_OK, "%zu bytes", size);
    pt_chunk_release(&chunk);
    pt_buffer_release(&payload);
}

Test(chunk_damage, a_byte_too_many_is_refused)
{
    struct pt_buffer payload = {0};
    struct pt_chunk chunk = {0};
    make_payload(&payload);
    cr_assert_eq(pt_buffer_append(&payload, "", 1), PT_OK);
    cr_assert_eq(decode_copy(&chunk, payload.data, payload.size), PT_CORRUPT);
    pt_chunk_release(&chunk);
    pt_buffer_release(&payload);
}

Test(chunk_damage, every_flipped_bit_is_refused_or_changes_what_is_read_within_bounds)
{
    struct pt_buffer payload = {0};
    struct pt_chunk chunk = {0};
    make_payload(&payload);
    for (size_t at = 0; at < payload.size; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            payload.data[at] ^= (uint8_t)(1u << bit);
            (void)!decode_copy(&chunk, payload.data, payload.size);
            payload.data[at] ^= (uint8_t)(1u << bit);
        }
    cr_assert_eq(decode_copy(&chunk, payload.data, payload.size), PT_OK, "a chunk can be used again after failures");
    pt_chunk_release(&chunk);
    pt_buffer_release(&payload);
}

/* The same below the compression: each byte of the parts takes each value. */
Test(chunk_damage, every_byte_of_the_parts_is_checked)
{
    struct pt_buffer payload = {0};
    struct pt_chunk chunk = {0};
    make_payload(&payload);
    cr_assert_eq(pt_chunk_decode(&chunk, payload.data, payload.size), PT_OK);
    const struct pt_chunk_info info = chunk.info;
    uint8_t *raw = malloc(info.raw_bytes);
    const size_t bound = PT_CHUNK_FIXED_SIZE + ZSTD_compressBound(info.raw_bytes);
    uint8_t *packed = malloc(bound);
    cr_assert(raw && packed);
    memcpy(raw, chunk.raw.data, info.raw_bytes);
    memcpy(packed, payload.data, PT_CHUNK_FIXED_SIZE);

    /* These alone are free to change without a contradiction: another function's id, another tick of entry, other
     * arguments of the same length, the order of entries. */
    size_t refused = 0;
    for (size_t at = 0; at < info.raw_bytes; at++)
        for (unsigned value = 0; value < 256; value++) {
            const uint8_t was = raw[at];
            raw[at] = (uint8_t)value;
            size_t size =
                ZSTD_compress(packed + PT_CHUNK_FIXED_SIZE, bound - PT_CHUNK_FIXED_SIZE, raw, info.raw_bytes, 1);
            cr_assert_not(ZSTD_isError(size));
            refused += decode_copy(&chunk, packed, PT_CHUNK_FIXED_SIZE + size) != PT_OK;
            raw[at] = was;
        }
    cr_assert_gt(refused, info.raw_bytes * 256 / 2);
    free(packed);
    free(raw);
    pt_chunk_release(&chunk);
    pt_buffer_release(&payload);
}

/* --- One rule each ------------------------------------------------------------------------------------------------ */

/* What is written over the chunk of make_payload: `bytes` at `offset` of the parts, or a field of the fixed header. */
static enum pt_status decode_changed(size_t raw_offset, const void *bytes, size_t count, size_t field, int field_size,
                                     uint64_t value)
{
    struct pt_buffer payload = {0};
    struct pt_chunk chunk = {0};
    make_payload(&payload);
    cr_assert_eq(pt_chunk_decode(&chunk, payload.data, payload.size), PT_OK);
    const uint32_t raw_bytes = chunk.info.raw_bytes;
    memcpy(chunk.raw.data + raw_offset, bytes, count);
    payload.size = PT_CHUNK_FIXED_SIZE;
    const size_t bound = ZSTD_compressBound(raw_bytes);
    cr_assert_eq(pt_buffer_reserve(&payload, bound), PT_OK);
    payload.size += ZSTD_compress(payload.data + payload.size, bound, chunk.raw.data, raw_bytes, 1);
    if (field_size == 4)
        pt_bytes_store32(payload.data + field, (uint32_t)value);
    if (field_size == 8)
        pt_bytes_store64(payload.data + field, value);
    enum pt_status status = decode_copy(&chunk, payload.data, payload.size);
    pt_chunk_release(&chunk);
    pt_buffer_release(&payload);
    return status;
}

static enum pt_status with_field(size_t field, int field_size, uint64_t value)
{
    return decode_changed(0, "", 0, field, field_size, value);
}

/* The classes of symbols 0 to 3, by which their times are grouped: c_call, c_return, lost and stall. */
static const uint32_t classes[] = {2u << PT_CHUNK_CLASS_SHIFT, 3u << PT_CHUNK_CLASS_SHIFT, 4u << PT_CHUNK_CLASS_SHIFT,
                                   4u << PT_CHUNK_CLASS_SHIFT};

static enum pt_status with_symbol(size_t index, uint32_t symbol)
{
    symbol |= classes[index];
    return decode_changed(4 * index, &symbol, sizeof symbol, 0, 0, 0);
}

Test(chunk_rules, unknown_flags)
{
    cr_assert_eq(with_field(PT_CHUNK_OFF_FLAGS, 4, 2), PT_CORRUPT);
}

Test(chunk_rules, positions_that_overflow)
{
    cr_assert_eq(with_field(PT_CHUNK_OFF_FIRST_POSITION, 8, UINT64_MAX), PT_CORRUPT);
}

Test(chunk_rules, a_last_tick_that_the_times_do_not_reach)
{
    cr_assert_eq(with_field(PT_CHUNK_OFF_LAST_TICK, 8, 5000), PT_CORRUPT);
}

Test(chunk_rules, a_wrong_number_of_events)
{
    cr_assert_eq(with_field(PT_CHUNK_OFF_EVENTS, 4, 2), PT_CORRUPT);
}

Test(chunk_rules, a_wrong_number_of_losses)
{
    cr_assert_eq(with_field(PT_CHUNK_OFF_LOST, 8, 13), PT_CORRUPT);
}

Test(chunk_rules, a_depth_that_the_keyframe_does_not_have)
{
    cr_assert_eq(with_field(PT_CHUNK_OFF_DEPTH, 4, 3), PT_CORRUPT);
}

Test(chunk_rules, wide_codes_for_few_symbols)
{
    cr_assert_eq(with_field(PT_CHUNK_OFF_CODE_WIDTH, 4, 2), PT_CORRUPT);
}

Test(chunk_rules, a_raw_length_beyond_the_cap)
{
    cr_assert_eq(with_field(PT_CHUNK_OFF_RAW_BYTES, 4, PT_CHUNK_RAW_MAX + 1), PT_CORRUPT);
}

Test(chunk_rules, a_symbol_twice)
{
    const uint32_t c_call = pt_record_symbol(pt_record_pack(PT_KIND_C_CALL, 3, 0));
    cr_assert_eq(with_symbol(0, c_call), PT_OK, "that is what stands there");
    cr_assert_eq(with_symbol(1, c_call), PT_CORRUPT);
}

Test(chunk_rules, a_symbol_of_an_unknown_kind)
{
    cr_assert_eq(with_symbol(0, 15), PT_CORRUPT);
    cr_assert_eq(with_symbol(0, 0), PT_CORRUPT);
}

Test(chunk_rules, a_symbol_of_another_class_than_the_groups_tell)
{
    const uint32_t c_call = pt_record_symbol(pt_record_pack(PT_KIND_C_CALL, 3, 0)) | 1u << PT_CHUNK_CLASS_SHIFT;
    cr_assert_eq(decode_changed(0, &c_call, sizeof c_call, 0, 0, 0), PT_CORRUPT);
}

Test(chunk_rules, groups_that_are_larger_than_the_chunk)
{
    struct pt_buffer payload = {0};
    make_payload(&payload);
    const uint32_t raw_bytes = pt_bytes_load32(payload.data + PT_CHUNK_OFF_RAW_BYTES);
    const uint32_t entries = pt_bytes_load32(payload.data + PT_CHUNK_OFF_ENTRIES);
    const size_t groups = raw_bytes - entries - PT_CHUNK_GROUPS_BYTES;
    pt_buffer_release(&payload);
    uint8_t sizes[PT_CHUNK_GROUPS_BYTES];
    memset(sizes, 0xFF, sizeof sizes);
    cr_assert_eq(decode_changed(groups, sizes, sizeof sizes, 0, 0, 0), PT_CORRUPT);
    memset(sizes, 0, sizeof sizes);
    cr_assert_eq(decode_changed(groups, sizes, sizeof sizes, 0, 0, 0), PT_CORRUPT);
    pt_bytes_store32(sizes + sizeof(uint32_t) * 63, entries); /* as many as there are, but in the wrong group */
    cr_assert_eq(decode_changed(groups, sizes, sizeof sizes, 0, 0, 0), PT_CORRUPT);
}

Test(chunk_rules, a_return_with_an_id)
{
    cr_assert_eq(with_symbol(1, pt_record_symbol(pt_record_pack(PT_KIND_C_RETURN, 1, 0))), PT_CORRUPT);
}

Test(chunk_rules, an_unknown_control_is_skipped)
{
    /* Symbol 3 is the STALL: its arguments are skipped by who does not know the subtype. */
    cr_assert_eq(with_symbol(3, pt_record_symbol(pt_record_pack_control((enum pt_control)200, 0, 0))), PT_OK);
}

/* Two LOST entries: the first one's 2^20 − 1 frames, and those of the second. */
static enum pt_status with_pushed(uint8_t second)
{
    const uint32_t lost = pt_record_symbol(pt_record_pack_control(PT_CONTROL_LOST, 0, 0));
    struct pt_buffer raw = {0}, payload = {0};
    struct pt_chunk chunk = {0};
    const uint8_t keyframe_and_codes[] = {0, 0, 0, 0};
    const uint8_t arguments[] = {7, 1, 0, 0, 0xFF, 0xFF, 0x3F, 0, 5, 1, 0, 0, second, 0};
    const uint8_t groups_and_times[PT_CHUNK_GROUPS_BYTES + 2] = {2};
    cr_assert_eq(pt_buffer_append(&raw, &lost, sizeof lost), PT_OK);
    cr_assert_eq(pt_buffer_append(&raw, keyframe_and_codes, sizeof keyframe_and_codes), PT_OK);
    cr_assert_eq(pt_buffer_append(&raw, arguments, sizeof arguments), PT_OK);
    cr_assert_eq(pt_buffer_append(&raw, groups_and_times, sizeof groups_and_times), PT_OK);
    const struct pt_chunk_info info = {.thread = 1,
                                       .entries = 2,
                                       .words = 10,
                                       .keyframe_bytes = 2,
                                       .symbols = 1,
                                       .argument_bytes = 14,
                                       .lost = 2,
                                       .code_width = 1,
                                       .raw_bytes = (uint32_t)raw.size};
    const size_t bound = ZSTD_compressBound(raw.size);
    cr_assert_eq(pt_buffer_reserve(&payload, PT_CHUNK_FIXED_SIZE + bound), PT_OK);
    pt_chunk_info_encode(payload.data, &info);
    payload.size =
        PT_CHUNK_FIXED_SIZE + ZSTD_compress(payload.data + PT_CHUNK_FIXED_SIZE, bound, raw.data, raw.size, 1);
    enum pt_status status = decode_copy(&chunk, payload.data, payload.size);
    pt_chunk_release(&chunk);
    pt_buffer_release(&payload);
    pt_buffer_release(&raw);
    return status;
}

Test(chunk_rules, losses_that_push_too_many_frames_together)
{
    cr_assert_eq(with_pushed(1), PT_OK, "2^20 in all");
    cr_assert_eq(with_pushed(2), PT_CORRUPT);
}

Test(chunk_rules, a_frame_of_zstd_that_claims_more_than_the_chunk)
{
    struct pt_buffer payload = {0};
    struct pt_chunk chunk = {0};
    make_payload(&payload);
    const size_t size = 64u << 20;
    uint8_t *zeros = calloc(1, size);
    cr_assert(zeros);
    payload.size = PT_CHUNK_FIXED_SIZE;
    cr_assert_eq(pt_buffer_reserve(&payload, ZSTD_compressBound(size)), PT_OK);
    payload.size += ZSTD_compress(payload.data + payload.size, ZSTD_compressBound(size), zeros, size, 1);
    cr_assert_eq(decode_copy(&chunk, payload.data, payload.size), PT_CORRUPT);
    cr_assert_lt(chunk.raw.capacity, 1u << 20);
    free(zeros);
    pt_chunk_release(&chunk);
    pt_buffer_release(&payload);
}
