#include "chunk_records.h"

#include "aside.h"
#include "chunk_keyframe.h"
#include "record.h"
#include "varint.h"

#define PREFETCH_WORDS 64 /* the lines of a ring lie in the cache of another processor, and take their time */

static inline uint64_t load(const struct pt_chunk_ring *ring, uint64_t position)
{
    return __atomic_load_n(&ring->words[position & ring->mask], __ATOMIC_RELAXED); /* once, whatever the host does */
}

/* What has to be added to the tick bits of a record to make them the tick of its entry. */
static inline uint64_t tick_offset(const struct pt_chunk_place *place)
{
    return (place->base_tick >> PT_TICK_BITS << PT_TICK_BITS) + place->shift_ticks;
}

/* Takes records as long as nothing about them is unusual: a symbol that this chunk has seen, time that goes forward, a
 * leave that closes just the top frame. This loop is most of what the drain does; all state is in locals, because the
 * stores to byte columns could otherwise alias it. */
static void take_usual(struct pt_chunk_records *records, struct pt_stack *stack, const struct pt_chunk_ring *ring)
{
    struct pt_chunk_columns *const columns = &records->columns;
    const uint64_t *const table = columns->table;
    const uint32_t table_bits = columns->table_bits;
    struct pt_stack_frame *const frames = stack->frames;
    const size_t capacity = stack->capacity;
    size_t depth = stack->depth;
    const uint64_t offset = tick_offset(&records->now);
    uint64_t last = records->now.last_tick - offset; /* as records tell ticks */
    uint16_t *code = columns->codes + columns->entries;
    uint8_t *wide = columns->wide + columns->wide_size;
    uint32_t last_class = columns->last_class;

    /* Up to the end of the ring's memory at most. */
    const uint64_t words = ring->mask + 1;
    const uint64_t begin = records->now.position & ring->mask;
    uint64_t count = PT_CHUNK_ENTRIES_MAX - columns->entries;
    if (count > ring->produced - records->now.position)
        count = ring->produced - records->now.position;
    if (count > words - begin)
        count = words - begin;
    const uint64_t *at = ring->words + begin;
    const uint64_t *const end = at + count;

    for (; at != end; at++) {
        __builtin_prefetch(at + PREFETCH_WORDS);
        const uint64_t record = __atomic_load_n(at, __ATOMIC_RELAXED); /* once, whatever the host does */
        const uint32_t symbol = pt_record_symbol(record);
        const uint64_t word = table[pt_chunk_columns_hash(symbol, table_bits)];
        const uint64_t tick = pt_record_tick_low(record);
        const uint64_t ticks = tick - last;
        if (word >> PT_CHUNK_WORD_SYMBOL != symbol)
            break;
        if (ticks >= PT_CHUNK_TIME_ESCAPE && tick < last)
            break;
        const uint32_t kind = pt_record_kind(symbol);
        if (kind < PT_KIND_OPEN) {
            const uint32_t is_c = kind == PT_KIND_C_CALL;
            if (depth == capacity || depth == 0)
                break;
            frames[depth].frame = (uint32_t)pt_record_frame(pt_record_id(symbol), (int)is_c);
            frames[depth].python = is_c ? frames[depth - 1].python : (uint32_t)depth + 1;
            frames[depth].entry_tick = offset + tick;
            depth++;
        } else if (kind < PT_KIND_LINE) {
            if (depth == 0 || (frames[depth - 1].frame & 1) != (kind >= PT_KIND_C_RETURN))
                break;
            depth--;
        }
        const uint32_t class = (uint32_t)word >> PT_CHUNK_WORD_CLASS & ((1u << PT_CHUNK_CLASS_BITS) - 1);
        const uint32_t group = last_class << PT_CHUNK_CLASS_BITS | class;
        last = tick;
        last_class = class;
        *code++ = (uint16_t)word;
        uint8_t *const time = columns->next[group]++;
        *time = (uint8_t)ticks;
        if (ticks >= PT_CHUNK_TIME_ESCAPE) {
            *time = PT_CHUNK_TIME_ESCAPE;
            wide += pt_varint_encode(wide, ticks - PT_CHUNK_TIME_ESCAPE);
        }
    }

    const uint32_t taken = (uint32_t)(code - columns->codes) - columns->entries;
    stack->depth = depth;
    columns->events += taken;
    columns->entries += taken;
    columns->wide_size = (uint32_t)(wide - columns->wide);
    columns->last_class = last_class;
    records->now.position += taken;
    records->now.last_tick = last + offset;
    if (taken > 0)
        records->taken = records->now;
}

static bool has_room(const struct pt_chunk_columns *columns, uint32_t entries)
{
    return columns->entries + entries <= PT_CHUNK_ENTRIES_MAX && columns->arguments.size < PT_CHUNK_ARGUMENTS_TOTAL;
}

/* Appends the entry `symbol`, dated `tick`. If the clock went back, an entry says so, and this one and all that follow
 * are shifted by as much: ticks in a trace never decrease. PT_END if the chunk has no room for it. */
static enum pt_status add_entry(struct pt_chunk_records *records, uint32_t symbol, uint64_t tick)
{
    struct pt_chunk_columns *columns = &records->columns;
    struct pt_chunk_place *now = &records->now;
    if (!has_room(columns, 2))
        return PT_END;
    uint32_t code = pt_chunk_columns_code(columns, symbol);
    if (code == PT_CHUNK_NO_CODE)
        return PT_END;
    if (tick < now->last_tick) {
        const uint32_t backstep = pt_record_symbol(pt_record_pack_control(PT_CONTROL_BACKSTEP, 0, 0));
        uint32_t backstep_code = pt_chunk_columns_code(columns, backstep);
        if (backstep_code == PT_CHUNK_NO_CODE)
            return PT_END;
        uint8_t argument[PT_VARINT_MAX_BYTES];
        size_t size = pt_varint_encode(argument, now->last_tick - tick);
        PT_TRY(pt_varint_append(&columns->arguments, size));
        PT_TRY(pt_buffer_append(&columns->arguments, argument, size));
        pt_chunk_columns_add(columns, backstep_code, 0);
        now->shift_ticks += now->last_tick - tick;
        tick = now->last_tick;
    }
    pt_chunk_columns_add(columns, code, tick - now->last_tick);
    now->last_tick = tick;
    return PT_OK;
}

static enum pt_status take_event(struct pt_chunk_records *records, struct pt_stack *stack, uint64_t record)
{
    const enum pt_kind kind = (enum pt_kind)pt_record_kind(record);
    const uint32_t id = pt_record_id(record);
    const bool is_inner = pt_record_is_inner(kind);
    const bool is_leave = kind >= PT_KIND_RETURN && kind <= PT_KIND_C_RAISE;

    if (kind == PT_KIND_NONE || kind == PT_KIND_CLOSE || kind > PT_KIND_EXCEPTION ||
        (is_leave && kind != PT_KIND_UNWIND && id != 0))
        return PT_CORRUPT;
    PT_TRY(add_entry(records, pt_record_symbol(record), tick_offset(&records->now) + pt_record_tick_low(record)));
    records->columns.events += kind != PT_KIND_OPEN;
    if (is_leave)
        pt_stack_leave(stack, kind, id);
    else if (!is_inner)
        PT_TRY(pt_stack_push(stack, (uint32_t)pt_record_frame(id, kind == PT_KIND_C_CALL), records->now.last_tick));
    return PT_OK;
}

/* Appends the varints of a LOST record whose words begin at position `at`; `*count` is the number of lost events,
 * `*pushed` that of the frames it pushes. */
static enum pt_status read_lost(const struct pt_chunk_ring *ring, uint64_t at, uint32_t words,
                                struct pt_buffer *arguments, uint64_t *count, uint64_t *pushed)
{
    enum { COUNT, FROM, UNWOUND, PUSHED, FIXED };
    uint64_t fixed[FIXED];
    if (words < FIXED || words - FIXED > PT_LOST_FRAMES_MAX)
        return PT_CORRUPT;
    const uint32_t frames = words - FIXED;
    for (unsigned i = 0; i < FIXED; i++)
        fixed[i] = load(ring, at + i);
    if (frames > fixed[PUSHED])
        return PT_CORRUPT;
    if (fixed[PUSHED] > PT_LOST_PUSHED_MAX)
        fixed[PUSHED] = PT_LOST_PUSHED_MAX; /* the rest are leaves without a match, later on */
    for (unsigned i = 0; i < FIXED; i++)
        PT_TRY(pt_varint_append(arguments, fixed[i]));
    PT_TRY(pt_varint_append(arguments, frames));
    for (uint32_t i = 0; i < frames; i++) {
        const uint64_t frame = load(ring, at + FIXED + i);
        if (frame > pt_record_frame(PT_ID_MAX, 1))
            return PT_CORRUPT;
        PT_TRY(pt_varint_append(arguments, frame));
    }
    *count = fixed[COUNT];
    *pushed = fixed[PUSHED];
    return PT_OK;
}

/* The arguments of a switch to `greenlet`. What is open there is told if it has not run in this chunk yet: so that a
 * chunk can be read without any other, and those that do not run cost nothing. */
static enum pt_status write_switch(const struct pt_chunk_records *records, const struct pt_stack *stack,
                                   uint64_t greenlet, struct pt_buffer *arguments)
{
    const struct pt_aside_stack *target = pt_aside_find(stack, greenlet);
    PT_TRY(pt_varint_append(arguments, greenlet));
    if (!target || pt_aside_ran(stack, target))
        return PT_OK;
    PT_TRY(pt_varint_append(arguments, target->depth));
    return pt_chunk_keyframe_encode(arguments, target->frames, target->depth, records->first_tick);
}

/* Takes a control record other than a rebase, whose words begin at position `at`. */
static enum pt_status take_control(struct pt_chunk_records *records, struct pt_stack *stack,
                                   const struct pt_chunk_ring *ring, uint64_t record, uint64_t at)
{
    struct pt_chunk_columns *columns = &records->columns;
    const enum pt_control subtype = (enum pt_control)pt_record_control_subtype(record);
    const uint32_t words = pt_record_control_words(record);
    uint64_t lost = 0;
    uint64_t pushed = 0;

    records->control.size = 0;
    if (subtype == PT_CONTROL_LOST)
        PT_TRY(read_lost(ring, at, words, &records->control, &lost, &pushed));
    else if (subtype == PT_CONTROL_STALL && words == 1)
        PT_TRY(pt_varint_append(&records->control, load(ring, at)));
    else if (subtype == PT_CONTROL_SWITCH && words == 1)
        PT_TRY(write_switch(records, stack, load(ring, at), &records->control));
    else if (subtype != PT_CONTROL_FORGET || words != 0)
        return PT_CORRUPT;
    if (columns->pushed + pushed > PT_LOST_PUSHED_MAX)
        return PT_END;

    PT_TRY(add_entry(records, pt_record_symbol(pt_record_pack_control(subtype, 0, 0)),
                     tick_offset(&records->now) + pt_record_tick_low(record)));
    PT_TRY(pt_varint_append(&columns->arguments, records->control.size));
    PT_TRY(pt_buffer_append(&columns->arguments, records->control.data, records->control.size));
    columns->lost += lost;
    columns->pushed += pushed;
    const struct pt_chunk_entry entry = {
        .kind = PT_KIND_CONTROL,
        .id = subtype,
        .tick = records->now.last_tick,
        .first_tick = records->first_tick,
        .arguments = records->control.data,
        .argument_bytes = (uint32_t)records->control.size,
    };
    return pt_chunk_entry_apply(&entry, stack);
}

static void take_rebase(struct pt_chunk_records *records, uint64_t tick)
{
    struct pt_chunk_place *now = &records->now;
    now->base_tick = tick;
    if (!now->based) {
        now->based = true;
        now->last_tick = tick;
        records->first_tick = tick;
    }
}

/* Takes one record, whatever it is. PT_END if the chunk is full, PT_CORRUPT, PT_NOMEM: the record is not taken. */
static enum pt_status take_record(struct pt_chunk_records *records, struct pt_stack *stack,
                                  const struct pt_chunk_ring *ring)
{
    struct pt_chunk_place *now = &records->now;
    const uint64_t record = load(ring, now->position);
    const bool is_control = pt_record_kind(record) == PT_KIND_CONTROL;
    const uint32_t words = is_control ? pt_record_control_words(record) : 0;
    const bool is_rebase = is_control && pt_record_control_subtype(record) == PT_CONTROL_REBASE;

    /* A control record is published as a whole. */
    if (words >= ring->produced - now->position || (is_rebase ? words != 1 : !now->based))
        return PT_CORRUPT;
    if (is_rebase)
        take_rebase(records, load(ring, now->position + 1));
    else if (is_control)
        PT_TRY(take_control(records, stack, ring, record, now->position + 1));
    else
        PT_TRY(take_event(records, stack, record));
    now->position += 1 + words;
    if (!is_rebase)
        records->taken = *now;
    return PT_OK;
}

enum pt_status pt_chunk_records_take(struct pt_chunk_records *records, struct pt_stack *stack,
                                     const struct pt_chunk_ring *ring)
{
    const struct pt_chunk_columns *columns = &records->columns;
    enum pt_status status = PT_OK;
    while (status == PT_OK && records->now.position != ring->produced && columns->entries < PT_CHUNK_ENTRIES_MAX) {
        take_usual(records, stack, ring);
        if (records->now.position != ring->produced && columns->entries < PT_CHUNK_ENTRIES_MAX)
            status = take_record(records, stack, ring);
    }
    return status == PT_END ? PT_OK : status;
}
