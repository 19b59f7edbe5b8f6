/* Records that break the rules end the source that they came from, and hurt no record before them. */
#include <criterion/criterion.h>
#include <string.h>

#include "chunk.h"
#include "chunk_model.h"
#include "record.h"

/* A start of function 1 precedes `words`; how many entries are encoded before the source is given up? */
static void refuses(const uint64_t *words, size_t count)
{
    uint64_t ring[64] = {pt_record_pack_control(PT_CONTROL_REBASE, 1, 500), 500, pt_record_pack(PT_KIND_START, 1, 500)};
    struct reading reading;
    reading_init(&reading);
    memcpy(ring + 3, words, count * sizeof *words);
    cr_assert_eq(pt_chunk_encode(reading.encoder, &reading.source, ring, 63, 3 + count, &reading.payload), PT_OK);
    cr_assert(reading.source.corrupt);
    cr_assert_eq(reading.source.position, 3);
    reading_decode(&reading);
    cr_assert_eq(reading.chunk.info.entries, 1);
    cr_assert_eq(pt_chunk_encode(reading.encoder, &reading.source, ring, 63, 3 + count, &reading.payload), PT_END);
    reading_release(&reading);
}

#define REFUSES(...) refuses((uint64_t[]){__VA_ARGS__}, sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

Test(chunk_records, unknown_kinds)
{
    for (uint32_t kind = 0; kind < 31; kind++)
        if (kind == PT_KIND_NONE || kind == PT_KIND_CLOSE || kind > PT_KIND_EXCEPTION)
            REFUSES(pt_record_pack((enum pt_kind)kind, 0, 500));
}

Test(chunk_records, leaves_with_an_id)
{
    REFUSES(pt_record_pack(PT_KIND_RETURN, 1, 500));
    REFUSES(pt_record_pack(PT_KIND_YIELD, 1, 500));
    REFUSES(pt_record_pack(PT_KIND_C_RETURN, 1, 500));
    REFUSES(pt_record_pack(PT_KIND_C_RAISE, 1, 500));
}

Test(chunk_records, unknown_controls)
{
    for (uint32_t subtype = 0; subtype < 256; subtype++)
        if (subtype < PT_CONTROL_REBASE || subtype > PT_CONTROL_SWITCH)
            REFUSES(pt_record_pack_control((enum pt_control)subtype, 1, 500), 1);
}

Test(chunk_records, controls_of_the_wrong_length)
{
    REFUSES(pt_record_pack_control(PT_CONTROL_REBASE, 0, 500));
    REFUSES(pt_record_pack_control(PT_CONTROL_REBASE, 2, 500), 500, 500);
    REFUSES(pt_record_pack_control(PT_CONTROL_STALL, 0, 500));
    REFUSES(pt_record_pack_control(PT_CONTROL_STALL, 2, 500), 1, 1);
    REFUSES(pt_record_pack_control(PT_CONTROL_LOST, 3, 500), 1, 1, 0);
    REFUSES(pt_record_pack_control(PT_CONTROL_SWITCH, 0, 500));
    REFUSES(pt_record_pack_control(PT_CONTROL_SWITCH, 2, 500), 1, 1);
    REFUSES(pt_record_pack_control(PT_CONTROL_FORGET, 1, 500), 1);
}

Test(chunk_records, controls_that_are_not_all_published)
{
    REFUSES(pt_record_pack_control(PT_CONTROL_STALL, 1, 500));
    REFUSES(pt_record_pack_control(PT_CONTROL_REBASE, 1, 500));
    REFUSES(pt_record_pack_control(PT_CONTROL_LOST, 5, 500), 1, 1, 0, 1);
}

Test(chunk_records, losses_that_tell_of_more_frames_than_they_pushed)
{
    REFUSES(pt_record_pack_control(PT_CONTROL_LOST, 6, 500), 1, 1, 0, 1, 2, 4);
}

Test(chunk_records, losses_with_a_frame_that_is_no_id)
{
    REFUSES(pt_record_pack_control(PT_CONTROL_LOST, 5, 500), 1, 1, 0, 1, UINT64_C(1) << 25);
}

Test(chunk_records, a_use_that_begins_without_a_rebase)
{
    uint64_t ring[2] = {pt_record_pack(PT_KIND_START, 1, 500)};
    struct reading reading;
    reading_init(&reading);
    cr_assert_eq(pt_chunk_encode(reading.encoder, &reading.source, ring, 1, 1, &reading.payload), PT_END);
    cr_assert(reading.source.corrupt);
    cr_assert_eq(reading.payload.size, 0);
    reading_release(&reading);
}
