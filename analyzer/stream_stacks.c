/* What changes a stack by more than a frame: switches to other greenlets, losses, gaps. And stalls, which change none. */
#include "aside.h"
#include "record.h"
#include "stream_state.h"
#include "varint.h"

/* --- Stacks that change as a whole ------------------------------------------------------------------------------ */

enum pt_status pt_stream_stacks_switch(struct pt_stream *stream, uint64_t greenlet, size_t spare)
{
    struct pt_stack *stack = &stream->stack;
    if (!pt_aside_has_place(stack)) {
        stack->missing += stack->depth;
        stack->unknown = 0;
        PT_TRY(pt_stream_steps_leave(stream, stack->depth, PT_STEP_CLOSE, spare));
    }
    PT_TRY(pt_aside_switch(stack, greenlet));
    if (pt_aside_place(stack) == stream->place)
        return PT_OK;
    stream->place = pt_aside_place(stack);
    PT_TRY(pt_stream_steps_reserve(stream, 1 + spare));
    pt_stream_steps_put(stream, PT_STEP_SWITCH, stream->place, stream->tick);
    return PT_OK;
}

enum pt_status pt_stream_stacks_close(struct pt_stream *stream, size_t spare)
{
    struct pt_stack *stack = &stream->stack;
    const uint64_t running = stack->greenlet;
    const struct pt_aside_stack *one;
    uint32_t at = 0;
    PT_TRY(pt_stream_steps_leave(stream, stack->depth, PT_STEP_CLOSE, spare));
    while ((one = pt_aside_next(stack, &at)) != NULL) {
        PT_TRY(pt_stream_stacks_switch(stream, one->greenlet, spare));
        PT_TRY(pt_stream_steps_leave(stream, stack->depth, PT_STEP_CLOSE, spare));
        stack->unknown = 0;
    }
    return pt_stream_stacks_switch(stream, running, spare);
}

enum pt_status pt_stream_stacks_meet(struct pt_stream *stream, const struct pt_chunk_keyframe *keyframe, uint64_t tick,
                                     size_t spare)
{
    struct pt_stack *stack = &stream->stack;
    const uint64_t below = keyframe->depth - keyframe->count; /* frames that the keyframe leaves out */
    size_t known = 0;                                         /* frames of the keyframe that are open here already */
    size_t keep = 0;                                          /* frames of the stack that survive */

    if (stack->unknown <= below && stack->unknown + stack->depth >= below) {
        keep = (size_t)(below - stack->unknown);
        while (known < keyframe->count && keep < stack->depth &&
               stack->frames[keep].frame == keyframe->frames[known].frame &&
               stack->frames[keep].entry_tick == keyframe->frames[known].entry_tick) {
            keep++;
            known++;
        }
    } else {
        stack->unknown = below;
    }
    PT_TRY(pt_stream_steps_leave(stream, stack->depth - keep, PT_STEP_CLOSE, 2 + spare));
    if (stream->began && tick > stream->tick) {
        pt_stream_steps_put(stream, PT_STEP_PAUSE, 0, stream->tick);
        pt_stream_steps_put(stream, PT_STEP_SKIP, 0, tick);
    }
    if (tick > stream->tick)
        stream->tick = tick;
    for (; known < keyframe->count; known++)
        PT_TRY(pt_stream_steps_open(stream, keyframe->frames[known].frame, keyframe->frames[known].entry_tick, spare));
    return PT_OK;
}

/* --- Control entries -------------------------------------------------------------------------------------------- */

static enum pt_status apply_lost(struct pt_stream *stream, const uint8_t *arguments, uint32_t size, size_t spare)
{
    struct pt_chunk_lost lost;
    PT_TRY(pt_chunk_lost_decode(&lost, arguments, size));
    stream->totals.lost += lost.count;
    size_t depth = stream->stack.depth;
    PT_TRY(pt_stream_steps_leave(stream, lost.unwound < depth ? (size_t)lost.unwound : depth, PT_STEP_CLOSE, spare));
    const uint8_t *at = lost.frames;
    for (uint64_t i = 0; i < lost.pushed; i++) {
        uint64_t frame = pt_record_frame(PT_ID_UNKNOWN, 0);
        if (i < lost.frame_count)
            PT_TRY(pt_varint_decode(&at, lost.end, &frame));
        PT_TRY(pt_stream_steps_open(stream, (uint32_t)frame, stream->tick, spare));
    }
    return PT_OK;
}

/* A wait that ended now is nobody's self time. It cannot have begun before the entry before it, which `before` dates.
 * */
static enum pt_status apply_stall(struct pt_stream *stream, const uint8_t *arguments, uint32_t size, uint64_t before,
                                  size_t spare)
{
    uint64_t ticks;
    PT_TRY(pt_varint_decode(&arguments, arguments + size, &ticks));
    uint64_t most = stream->tick - before;
    ticks = ticks < most ? ticks : most;
    stream->totals.stalled_ticks += ticks;
    PT_TRY(pt_stream_steps_reserve(stream, 2 + spare));
    pt_stream_steps_put(stream, PT_STEP_PAUSE, 0, stream->tick - ticks);
    pt_stream_steps_put(stream, PT_STEP_SKIP, 0, stream->tick);
    return PT_OK;
}

static enum pt_status apply_switch(struct pt_stream *stream, const uint8_t *arguments, uint32_t size, size_t spare)
{
    struct pt_chunk_keyframe to;
    PT_TRY(pt_chunk_switch_decode(&to, arguments, size, stream->chunk.info.first_tick));
    const bool agrees = pt_chunk_switch_agrees(&to, &stream->stack);
    PT_TRY(pt_stream_stacks_switch(stream, to.greenlet, spare));
    return agrees ? PT_OK : pt_stream_stacks_meet(stream, &to, stream->tick, spare);
}

/* What is open now is known to nobody. */
static enum pt_status apply_forget(struct pt_stream *stream, size_t spare)
{
    PT_TRY(pt_stream_stacks_close(stream, 1 + spare));
    pt_aside_forget(&stream->stack);
    if (stream->place == 0)
        return PT_OK;
    stream->place = 0;
    pt_stream_steps_put(stream, PT_STEP_SWITCH, 0, stream->tick);
    return PT_OK;
}

enum pt_status pt_stream_stacks_control(struct pt_stream *stream, uint32_t subtype, const uint8_t **arguments,
                                        uint64_t before, size_t spare)
{
    const uint8_t *at = *arguments;
    uint64_t size;
    PT_TRY(pt_varint_decode(&at, at + PT_VARINT_MAX_BYTES, &size));
    *arguments = at + size;
    if (subtype == PT_CONTROL_LOST)
        return apply_lost(stream, at, (uint32_t)size, spare);
    if (subtype == PT_CONTROL_STALL)
        return apply_stall(stream, at, (uint32_t)size, before, spare);
    if (subtype == PT_CONTROL_SWITCH)
        return apply_switch(stream, at, (uint32_t)size, spare);
    if (subtype == PT_CONTROL_FORGET)
        return apply_forget(stream, spare);
    return PT_OK;
}
