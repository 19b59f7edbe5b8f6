/* Chunks of deep stacks: what keyframes hold, what an end closes, what losses push. */
#include <criterion/criterion.h>
#include <string.h>

#include "chunk.h"
#include "chunk_model.h"
#include "record.h"

Test(chunk_depth, a_keyframe_holds_the_512_innermost_frames)
{
    struct model model;
    struct reading reading;
    model_init(&model, 1000);
    reading_init(&reading);
    for (uint32_t i = 0; i < 100000; i++) {
        model.clock += 3;
        model_event(&model, i % 3 ? PT_KIND_START : PT_KIND_C_CALL, 1 + i % 50);
    }
    for (uint32_t i = 0; i < 100000; i++) {
        model.clock += 3;
        model_event(&model, model.stack[model.depth - 1].frame & 1 ? PT_KIND_C_RETURN : PT_KIND_RETURN, 0);
    }
    reading_take_all(&reading, &model);
    cr_assert_eq(reading.source.stack.depth, 0);
    cr_assert_eq(reading.stack.unmatched, 0);
    cr_assert_eq(reading.stack.missing, 0);
    reading_release(&reading);
    model_release(&model);
}

Test(chunk_depth, frames_that_are_open_at_the_end_are_closed_over_as_many_chunks_as_it_takes)
{
    enum { DEPTH = 150000 };
    struct model model;
    struct reading reading;
    model_init(&model, 1000);
    reading_init(&reading);
    for (uint32_t i = 0; i < DEPTH; i++)
        model_event(&model, PT_KIND_START, 1 + i % 50);
    reading_take_all(&reading, &model);

    const uint64_t end = model.last + 5000;
    uint32_t closed = 0;
    uint32_t flags = 0;
    for (;;) {
        reading.payload.size = 0;
        enum pt_status status = pt_chunk_encode_close(reading.encoder, &reading.source, end, &reading.payload);
        if (status == PT_END)
            break;
        cr_assert_eq(status, PT_OK);
        cr_assert_eq(flags, 0, "nothing follows the last chunk");
        reading_decode(&reading);
        reading_check_keyframe(&reading);
        flags = reading.chunk.info.flags;
        closed += reading.chunk.info.entries;
        cr_assert_eq(reading.chunk.info.words, 0);
        cr_assert_eq(reading.chunk.info.events, 0);
        cr_assert_eq(reading.chunk.info.first_position, model.word_count);
        cr_assert_eq(reading.chunk.info.last_tick, end);
        struct pt_chunk_cursor cursor;
        struct pt_chunk_entry entry;
        pt_chunk_cursor_init(&cursor, &reading.chunk);
        while (pt_chunk_cursor_next(&cursor, &entry)) {
            cr_assert_eq(entry.kind, PT_KIND_CLOSE);
            cr_assert_eq(entry.tick, end);
            cr_assert_eq(pt_chunk_entry_apply(&entry, &reading.stack), PT_OK);
        }
    }
    cr_assert_eq(closed, DEPTH);
    cr_assert_eq(flags, PT_CHUNK_FLAG_LAST);
    cr_assert_eq(reading.stack.depth, 0);
    cr_assert_eq(reading.source.stack.depth, 0);
    reading_release(&reading);
    model_release(&model);
}

Test(chunk_depth, frames_are_not_closed_before_the_last_entry)
{
    struct model model;
    struct reading reading;
    model_init(&model, 1000);
    reading_init(&reading);
    model_event(&model, PT_KIND_START, 1);
    reading_take_all(&reading, &model);
    reading.payload.size = 0;
    cr_assert_eq(pt_chunk_encode_close(reading.encoder, &reading.source, 10, &reading.payload), PT_OK);
    reading_decode(&reading);
    cr_assert_eq(reading.chunk.info.last_tick, 1000);
    reading_release(&reading);
    model_release(&model);
}

Test(chunk_depth, a_loss_pushes_no_more_frames_than_may_be_told)
{
    const uint64_t ring[8] = {pt_record_pack_control(PT_CONTROL_REBASE, 1, 500),
                              500,
                              pt_record_pack_control(PT_CONTROL_LOST, 4, 500),
                              1,
                              1,
                              0,
                              UINT64_MAX};
    struct reading reading;
    reading_init(&reading);
    cr_assert_eq(pt_chunk_encode(reading.encoder, &reading.source, ring, 7, 7, &reading.payload), PT_OK);
    reading_decode(&reading);
    cr_assert_eq(reading.source.stack.depth, PT_LOST_PUSHED_MAX);
    reading_release(&reading);
}

/* Each loss may push as many frames as a chunk may: then each has a chunk of its own. */
Test(chunk_depth, losses_that_push_too_many_frames_do_not_share_a_chunk)
{
    const uint64_t half = PT_LOST_PUSHED_MAX / 2;
    uint64_t ring[32] = {pt_record_pack_control(PT_CONTROL_REBASE, 1, 500), 500};
    const uint64_t pushed[] = {half, half, 1, PT_LOST_PUSHED_MAX};
    const uint64_t last_of_chunk[] = {1, 2, 3};
    size_t produced = 2;
    for (size_t i = 0; i < 4; i++) {
        const uint64_t record[] = {pt_record_pack_control(PT_CONTROL_LOST, 4, 500), 1, 1, PT_LOST_PUSHED_MAX,
                                   pushed[i]};
        memcpy(ring + produced, record, sizeof record);
        produced += 5;
    }
    struct reading reading;
    reading_init(&reading);
    for (size_t i = 0; i < 3; i++) {
        reading.payload.size = 0;
        cr_assert_eq(pt_chunk_encode(reading.encoder, &reading.source, ring, 31, produced, &reading.payload), PT_OK);
        reading_decode(&reading);
        cr_expect_eq(reading.source.position, 2 + 5 * (1 + last_of_chunk[i]));
        cr_expect_eq(reading.source.stack.depth, pushed[last_of_chunk[i]]);
    }
    cr_expect_eq(pt_chunk_encode(reading.encoder, &reading.source, ring, 31, produced, &reading.payload), PT_END);
    reading_release(&reading);
}
