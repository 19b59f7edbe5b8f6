/* Walking the entries of a decoded chunk, and what they do to a stack. */
#include "chunk.h"

#include "aside.h"
#include "bytes.h"
#include "chunk_keyframe.h"
#include "record.h"
#include "varint.h"

void pt_chunk_cursor_init(struct pt_chunk_cursor *cursor, const struct pt_chunk *chunk)
{
    *cursor = (struct pt_chunk_cursor){
        .chunk = chunk,
        .tick = chunk->info.first_tick,
        .wide = chunk->wide,
        .arguments = chunk->arguments,
    };
}

/* The next varint of a part that holds it: pt_chunk_decode has checked that. */
static uint64_t next_varint(const uint8_t **at, const uint8_t *end)
{
    uint64_t value;
    return pt_varint_decode(at, end, &value) == PT_OK ? value : 0;
}

int pt_chunk_cursor_next(struct pt_chunk_cursor *cursor, struct pt_chunk_entry *entry)
{
    const struct pt_chunk *chunk = cursor->chunk;
    if (cursor->next == chunk->info.entries)
        return 0;
    const uint32_t i = cursor->next++;
    const uint32_t code =
        chunk->info.code_width == 1 ? chunk->codes[i] : pt_bytes_load16(chunk->codes16 + 2 * (size_t)i);
    const uint32_t symbol = chunk->symbols[code];

    cursor->tick += chunk->times[i];
    if (chunk->times[i] == PT_CHUNK_TIME_ESCAPE)
        cursor->tick += next_varint(&cursor->wide, chunk->wide + chunk->info.wide_bytes);
    *entry = (struct pt_chunk_entry){
        .kind = pt_record_kind(symbol),
        .id = pt_record_id(symbol),
        .tick = cursor->tick,
        .first_tick = chunk->info.first_tick,
    };
    if (entry->kind == PT_KIND_CONTROL) {
        entry->argument_bytes =
            (uint32_t)next_varint(&cursor->arguments, chunk->arguments + chunk->info.argument_bytes);
        entry->arguments = cursor->arguments;
        cursor->arguments += entry->argument_bytes;
    }
    return 1;
}

enum pt_status pt_chunk_lost_decode(struct pt_chunk_lost *lost, const uint8_t *arguments, uint32_t size)
{
    const uint8_t *at = arguments;
    const uint8_t *const end = arguments + size;
    PT_TRY(pt_varint_decode(&at, end, &lost->count));
    PT_TRY(pt_varint_decode(&at, end, &lost->from_ticks));
    PT_TRY(pt_varint_decode(&at, end, &lost->unwound));
    PT_TRY(pt_varint_decode(&at, end, &lost->pushed));
    PT_TRY(pt_varint_decode(&at, end, &lost->frame_count));
    if (lost->pushed > PT_LOST_PUSHED_MAX || lost->frame_count > lost->pushed)
        return PT_CORRUPT;
    lost->frames = at;
    for (uint64_t i = 0; i < lost->frame_count; i++) {
        uint64_t frame;
        PT_TRY(pt_varint_decode(&at, end, &frame));
        if (frame > pt_record_frame(PT_ID_MAX, 1))
            return PT_CORRUPT;
    }
    lost->end = at;
    return PT_OK;
}

static enum pt_status apply_lost(const struct pt_chunk_entry *entry, struct pt_stack *stack)
{
    struct pt_chunk_lost lost;
    PT_TRY(pt_chunk_lost_decode(&lost, entry->arguments, entry->argument_bytes));
    stack->depth -= lost.unwound < stack->depth ? (size_t)lost.unwound : stack->depth;
    const uint8_t *at = lost.frames;
    for (uint64_t i = 0; i < lost.pushed; i++) {
        uint64_t frame = pt_record_frame(PT_ID_UNKNOWN, 0);
        if (i < lost.frame_count)
            PT_TRY(pt_varint_decode(&at, lost.end, &frame));
        PT_TRY(pt_stack_push(stack, (uint32_t)frame, entry->tick));
    }
    return PT_OK;
}

static enum pt_status apply_switch(const struct pt_chunk_entry *entry, struct pt_stack *stack)
{
    struct pt_chunk_keyframe to;
    PT_TRY(pt_chunk_switch_decode(&to, entry->arguments, entry->argument_bytes, entry->first_tick));
    const bool agrees = pt_chunk_switch_agrees(&to, stack);
    PT_TRY(pt_aside_switch(stack, to.greenlet));
    return agrees ? PT_OK : pt_chunk_keyframe_restore(&to, stack);
}

static enum pt_status apply_control(const struct pt_chunk_entry *entry, struct pt_stack *stack)
{
    switch (entry->id) {
    case PT_CONTROL_LOST:
        return apply_lost(entry, stack);
    case PT_CONTROL_SWITCH:
        return apply_switch(entry, stack);
    case PT_CONTROL_FORGET:
        pt_aside_forget(stack);
        return PT_OK;
    default:
        return PT_OK;
    }
}

enum pt_status pt_chunk_entry_apply(const struct pt_chunk_entry *entry, struct pt_stack *stack)
{
    switch (entry->kind) {
    case PT_KIND_START:
    case PT_KIND_RESUME:
    case PT_KIND_THROW:
    case PT_KIND_C_CALL:
    case PT_KIND_OPEN:
        return pt_stack_push(stack, (uint32_t)pt_record_frame(entry->id, entry->kind == PT_KIND_C_CALL), entry->tick);
    case PT_KIND_RETURN:
    case PT_KIND_YIELD:
    case PT_KIND_UNWIND:
    case PT_KIND_C_RETURN:
    case PT_KIND_C_RAISE:
    case PT_KIND_CLOSE:
        pt_stack_leave(stack, (enum pt_kind)entry->kind, entry->id);
        return PT_OK;
    case PT_KIND_LINE:
    case PT_KIND_OPCODE:
    case PT_KIND_EXCEPTION:
        return PT_OK;
    case PT_KIND_CONTROL:
        return apply_control(entry, stack);
    default:
        return PT_CORRUPT;
    }
}
