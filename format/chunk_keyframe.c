#include "chunk_keyframe.h"

#include "aside.h"
#include "record.h"
#include "varint.h"

/* --- Bytes -------------------------------------------------------------------------------------------------------- */

static size_t told_of(uint64_t depth)
{
    return depth < PT_CHUNK_KEYFRAME_MAX ? (size_t)depth : PT_CHUNK_KEYFRAME_MAX;
}

enum pt_status pt_chunk_keyframe_encode(struct pt_buffer *out, const struct pt_stack_frame *frames, size_t depth,
                                        uint64_t first_tick)
{
    const size_t count = told_of(depth);
    PT_TRY(pt_varint_append(out, count));
    for (size_t i = depth - count; i < depth; i++) {
        PT_TRY(pt_varint_append(out, frames[i].frame));
        PT_TRY(pt_varint_append(out, first_tick - frames[i].entry_tick));
    }
    return PT_OK;
}

/* The frames of `keyframe`, whose depth is known. */
static enum pt_status decode_frames(struct pt_chunk_keyframe *keyframe, const uint8_t **at, const uint8_t *end,
                                    uint64_t first_tick)
{
    uint64_t count;
    PT_TRY(pt_varint_decode(at, end, &count));
    if (count != told_of(keyframe->depth))
        return PT_CORRUPT;
    for (size_t i = 0; i < count; i++) {
        uint64_t frame;
        uint64_t age;
        PT_TRY(pt_varint_decode(at, end, &frame));
        PT_TRY(pt_varint_decode(at, end, &age));
        if (frame > pt_record_frame(PT_ID_MAX, 1) || age > first_tick)
            return PT_CORRUPT;
        keyframe->frames[i] = (struct pt_stack_frame){.frame = (uint32_t)frame, .entry_tick = first_tick - age};
    }
    keyframe->count = count;
    return PT_OK;
}

enum pt_status pt_chunk_keyframe_decode(struct pt_chunk_keyframe *keyframe, const struct pt_chunk_info *info,
                                        const uint8_t *at)
{
    const uint8_t *const end = at + info->keyframe_bytes;
    keyframe->depth = info->depth;
    PT_TRY(pt_varint_decode(&at, end, &keyframe->greenlet));
    PT_TRY(decode_frames(keyframe, &at, end, info->first_tick));
    return at == end ? PT_OK : PT_CORRUPT;
}

enum pt_status pt_chunk_switch_decode(struct pt_chunk_keyframe *to, const uint8_t *arguments, uint32_t size,
                                      uint64_t first_tick)
{
    const uint8_t *at = arguments;
    const uint8_t *const end = arguments + size;
    to->depth = 0;
    to->count = 0;
    PT_TRY(pt_varint_decode(&at, end, &to->greenlet));
    if (at == end)
        return PT_OK;
    PT_TRY(pt_varint_decode(&at, end, &to->depth));
    return decode_frames(to, &at, end, first_tick);
}

/* --- Stacks ------------------------------------------------------------------------------------------------------- */

static bool agrees_with(const struct pt_chunk_keyframe *keyframe, const struct pt_stack_frame *frames, size_t depth,
                        uint64_t unknown)
{
    if (keyframe->depth != depth + unknown || keyframe->count > depth)
        return false;
    for (size_t i = 0; i < keyframe->count; i++) {
        const struct pt_stack_frame *open = &frames[depth - keyframe->count + i];
        if (keyframe->frames[i].frame != open->frame || keyframe->frames[i].entry_tick != open->entry_tick)
            return false;
    }
    return true;
}

enum pt_status pt_chunk_keyframe_restore(const struct pt_chunk_keyframe *keyframe, struct pt_stack *stack)
{
    stack->depth = 0;
    stack->unknown = keyframe->depth - keyframe->count;
    for (size_t i = 0; i < keyframe->count; i++)
        PT_TRY(pt_stack_push(stack, keyframe->frames[i].frame, keyframe->frames[i].entry_tick));
    return PT_OK;
}

enum pt_status pt_chunk_begin(const struct pt_chunk *chunk, struct pt_stack *stack, bool *agrees)
{
    const struct pt_chunk_keyframe *keyframe = &chunk->keyframe;
    *agrees = stack->greenlet == keyframe->greenlet;
    pt_aside_begin_chunk(stack);
    PT_TRY(pt_aside_switch(stack, keyframe->greenlet));
    if (agrees_with(keyframe, stack->frames, stack->depth, stack->unknown))
        return PT_OK;
    *agrees = false;
    return pt_chunk_keyframe_restore(keyframe, stack);
}

bool pt_chunk_switch_agrees(const struct pt_chunk_keyframe *to, const struct pt_stack *stack)
{
    const struct pt_aside_stack *one = pt_aside_find(stack, to->greenlet);
    if (to->greenlet == stack->greenlet || pt_aside_ran(stack, one))
        return true;
    return one ? agrees_with(to, one->frames, one->depth, one->unknown) : to->depth == 0;
}
