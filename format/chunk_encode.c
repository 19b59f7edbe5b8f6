/* From the records of a ring to the payload of a chunk (SPEC.md 5 and 8.4).
 *
 * Records are what the recorded process wrote: each word is read once and checked before it is used. */
#include "chunk.h"

#include <stdlib.h>
#include <zstd.h>

#include "chunk_columns.h"
#include "record.h"
#include "varint.h"

/* How far in a ring the encoder is. */
struct place {
    uint64_t position;
    uint64_t base_tick;
    uint64_t shift_ticks;
    uint64_t last_tick;
    bool based;
};

struct pt_chunk_encoder {
    ZSTD_CCtx *zstd;
    struct pt_buffer keyframe;
    struct pt_buffer raw;
    struct pt_buffer control; /* arguments of the control entry at hand */
    struct place now;         /* behind the last record taken */
    struct place taken;       /* behind the last entry: a rebase after it belongs to the next chunk, so that the tick
                           of a chunk's last entry tells the upper bits for the records behind it */
    uint64_t first_tick;
    struct pt_chunk_columns columns;
};

/* One ring as the encoder sees it. */
struct ring {
    const uint64_t *words;
    uint64_t mask;
    uint64_t produced;
};

enum pt_status pt_chunk_encoder_new(struct pt_chunk_encoder **out, int zstd_level)
{
    struct pt_chunk_encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder)
        return PT_NOMEM;
    encoder->zstd = ZSTD_createCCtx();
    if (!encoder->zstd || ZSTD_isError(ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_compressionLevel, zstd_level))) {
        pt_chunk_encoder_free(encoder);
        return PT_NOMEM;
    }
    *out = encoder;
    return PT_OK;
}

void pt_chunk_encoder_free(struct pt_chunk_encoder *encoder)
{
    if (!encoder)
        return;
    ZSTD_freeCCtx(encoder->zstd);
    pt_buffer_release(&encoder->keyframe);
    pt_buffer_release(&encoder->raw);
    pt_buffer_release(&encoder->control);
    pt_chunk_columns_release(&encoder->columns);
    free(encoder);
}

/* --- Records to entries ------------------------------------------------------------------------------------------- */

static inline uint64_t load(const struct ring *ring, uint64_t position)
{
    return __atomic_load_n(&ring->words[position & ring->mask], __ATOMIC_RELAXED); /* once, whatever the host does */
}

/* What has to be added to the tick bits of a record to make them the tick of its entry. */
static inline uint64_t tick_offset(const struct place *place)
{
    return (place->base_tick >> PT_TICK_BITS << PT_TICK_BITS) + place->shift_ticks;
}

/* Takes records as long as nothing about them is unusual: a symbol that this chunk has seen, time that goes forward, a
 * leave that closes just the top frame. This loop is most of what the drain does; all state is in locals, because the
 * stores to byte columns could otherwise alias it. */
static void take_usual(struct pt_chunk_encoder *encoder, struct pt_stack *stack, const struct ring *ring)
{
    struct pt_chunk_columns *const columns = &encoder->columns;
    struct pt_stack_frame *const frames = stack->frames;
    const size_t capacity = stack->capacity;
    const uint64_t key = pt_chunk_columns_key(columns, 0);
    const uint64_t offset = tick_offset(&encoder->now);
    uint64_t position = encoder->now.position;
    uint64_t last = encoder->now.last_tick;
    size_t depth = stack->depth;
    uint32_t events = columns->events;
    const uint32_t first = columns->entries;
    uint32_t entry = first;
    uint32_t wide = columns->wide_size;
    const uint64_t room = PT_CHUNK_ENTRIES_MAX - entry;
    const uint64_t end = ring->produced - position < room ? ring->produced : position + room;

    for (; position != end; position++) {
        const uint64_t record = load(ring, position);
        const uint32_t symbol = pt_record_symbol(record);
        const uint32_t kind = pt_record_kind(record);
        const uint64_t code = columns->table[pt_chunk_columns_hash(symbol)] ^ (key | (uint64_t)symbol << 16);
        const uint64_t tick = offset + pt_record_tick_low(record);
        /* A symbol in the table has been checked. */
        if (code >= PT_CHUNK_SYMBOLS_MAX || tick < last || kind > PT_KIND_C_RAISE)
            break;
        if (kind <= PT_KIND_OPEN) {
            if (depth == capacity)
                break;
            const uint32_t is_c = kind == PT_KIND_C_CALL;
            frames[depth].frame = (uint32_t)pt_record_frame(pt_record_id(record), (int)is_c);
            frames[depth].python = !is_c ? (uint32_t)depth + 1 : depth > 0 ? frames[depth - 1].python : 0;
            frames[depth].entry_tick = tick;
            depth++;
            events += kind != PT_KIND_OPEN;
        } else {
            if (depth == 0 || kind == PT_KIND_UNWIND || (frames[depth - 1].frame & 1) != (kind >= PT_KIND_C_RETURN))
                break;
            depth--;
            events++;
        }
        const uint64_t ticks = tick - last;
        last = tick;
        columns->codes[entry] = (uint16_t)code;
        if (ticks < PT_CHUNK_TIME_ESCAPE) {
            columns->times[entry] = (uint8_t)ticks;
        } else {
            columns->times[entry] = PT_CHUNK_TIME_ESCAPE;
            wide += (uint32_t)pt_varint_encode(columns->wide + wide, ticks - PT_CHUNK_TIME_ESCAPE);
        }
        entry++;
    }

    stack->depth = depth;
    columns->events = events;
    columns->wide_size = wide;
    columns->entries = entry;
    encoder->now.position = position;
    encoder->now.last_tick = last;
    if (entry != first)
        encoder->taken = encoder->now;
}

static bool has_room(const struct pt_chunk_columns *columns, uint32_t entries)
{
    return columns->entries + entries <= PT_CHUNK_ENTRIES_MAX && columns->arguments.size < PT_CHUNK_ARGUMENTS_TOTAL;
}

static enum pt_status append_varint(struct pt_buffer *buffer, uint64_t value)
{
    PT_TRY(pt_buffer_reserve(buffer, PT_VARINT_MAX_BYTES));
    buffer->size += pt_varint_encode(buffer->data + buffer->size, value);
    return PT_OK;
}

/* Appends the entry `symbol`, dated `tick`. If the clock went back, an entry says so, and this one and all that follow
 * are shifted by as much: ticks in a trace never decrease. PT_END if the chunk has no room for it. */
static enum pt_status add_entry(struct pt_chunk_encoder *encoder, uint32_t symbol, uint64_t tick)
{
    struct pt_chunk_columns *columns = &encoder->columns;
    struct place *now = &encoder->now;
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
        PT_TRY(append_varint(&columns->arguments, size));
        PT_TRY(pt_buffer_append(&columns->arguments, argument, size));
        pt_chunk_columns_add(columns, backstep_code, 0);
        now->shift_ticks += now->last_tick - tick;
        tick = now->last_tick;
    }
    pt_chunk_columns_add(columns, code, tick - now->last_tick);
    now->last_tick = tick;
    return PT_OK;
}

static enum pt_status take_event(struct pt_chunk_encoder *encoder, struct pt_stack *stack, uint64_t record)
{
    const enum pt_kind kind = (enum pt_kind)pt_record_kind(record);
    const uint32_t id = pt_record_id(record);
    const bool is_leave = kind >= PT_KIND_RETURN;

    if (kind == PT_KIND_NONE || kind > PT_KIND_C_RAISE || (is_leave && kind != PT_KIND_UNWIND && id != 0))
        return PT_CORRUPT;
    PT_TRY(add_entry(encoder, pt_record_symbol(record), tick_offset(&encoder->now) + pt_record_tick_low(record)));
    encoder->columns.events += kind != PT_KIND_OPEN;
    if (is_leave)
        pt_stack_leave(stack, kind, id);
    else
        PT_TRY(pt_stack_push(stack, (uint32_t)pt_record_frame(id, kind == PT_KIND_C_CALL), encoder->now.last_tick));
    return PT_OK;
}

/* Appends the varints of a LOST record whose words begin at position `at`; `*count` is the number of lost events. */
static enum pt_status read_lost(const struct ring *ring, uint64_t at, uint32_t words, struct pt_buffer *arguments,
                                uint64_t *count)
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
        PT_TRY(append_varint(arguments, fixed[i]));
    PT_TRY(append_varint(arguments, frames));
    for (uint32_t i = 0; i < frames; i++) {
        const uint64_t frame = load(ring, at + FIXED + i);
        if (frame > pt_record_frame(PT_ID_MAX, 1))
            return PT_CORRUPT;
        PT_TRY(append_varint(arguments, frame));
    }
    *count = fixed[COUNT];
    return PT_OK;
}

/* Takes a control record other than a rebase, whose words begin at position `at`. */
static enum pt_status take_control(struct pt_chunk_encoder *encoder, struct pt_stack *stack, const struct ring *ring,
                                   uint64_t record, uint64_t at)
{
    struct pt_chunk_columns *columns = &encoder->columns;
    const enum pt_control subtype = (enum pt_control)pt_record_control_subtype(record);
    const uint32_t words = pt_record_control_words(record);
    uint64_t lost = 0;

    encoder->control.size = 0;
    if (subtype == PT_CONTROL_LOST)
        PT_TRY(read_lost(ring, at, words, &encoder->control, &lost));
    else if (subtype == PT_CONTROL_STALL && words == 1)
        PT_TRY(append_varint(&encoder->control, load(ring, at)));
    else
        return PT_CORRUPT;

    PT_TRY(add_entry(encoder, pt_record_symbol(pt_record_pack_control(subtype, 0, 0)),
                     tick_offset(&encoder->now) + pt_record_tick_low(record)));
    PT_TRY(append_varint(&columns->arguments, encoder->control.size));
    PT_TRY(pt_buffer_append(&columns->arguments, encoder->control.data, encoder->control.size));
    columns->lost += lost;
    const struct pt_chunk_entry entry = {
        .kind = PT_KIND_CONTROL,
        .id = subtype,
        .tick = encoder->now.last_tick,
        .arguments = encoder->control.data,
        .argument_bytes = (uint32_t)encoder->control.size,
    };
    return pt_chunk_entry_apply(&entry, stack);
}

static void take_rebase(struct pt_chunk_encoder *encoder, uint64_t tick)
{
    struct place *now = &encoder->now;
    now->base_tick = tick;
    if (!now->based) {
        now->based = true;
        now->last_tick = tick;
        encoder->first_tick = tick;
    }
}

/* Takes one record, whatever it is. PT_END if the chunk is full, PT_CORRUPT, PT_NOMEM: the record is not taken. */
static enum pt_status take_record(struct pt_chunk_encoder *encoder, struct pt_stack *stack, const struct ring *ring)
{
    struct place *now = &encoder->now;
    const uint64_t record = load(ring, now->position);
    const bool is_control = pt_record_kind(record) == PT_KIND_CONTROL;
    const uint32_t words = is_control ? pt_record_control_words(record) : 0;
    const bool is_rebase = is_control && pt_record_control_subtype(record) == PT_CONTROL_REBASE;

    /* A control record is published as a whole. */
    if (words >= ring->produced - now->position || (is_rebase ? words != 1 : !now->based))
        return PT_CORRUPT;
    if (is_rebase)
        take_rebase(encoder, load(ring, now->position + 1));
    else if (is_control)
        PT_TRY(take_control(encoder, stack, ring, record, now->position + 1));
    else
        PT_TRY(take_event(encoder, stack, record));
    now->position += 1 + words;
    if (!is_rebase)
        encoder->taken = *now;
    return PT_OK;
}

/* --- Entries to a payload ----------------------------------------------------------------------------------------- */

/* Begins a chunk: the frames that are open now are its keyframe. */
static enum pt_status begin(struct pt_chunk_encoder *encoder, const struct pt_chunk_source *source)
{
    const struct pt_stack *stack = &source->stack;
    const size_t count = stack->depth < PT_CHUNK_KEYFRAME_MAX ? stack->depth : PT_CHUNK_KEYFRAME_MAX;

    pt_chunk_columns_begin(&encoder->columns);
    encoder->now = (struct place){
        .position = source->position,
        .base_tick = source->base_tick,
        .shift_ticks = source->shift_ticks,
        .last_tick = source->last_tick,
        .based = source->based,
    };
    encoder->taken = encoder->now;
    encoder->first_tick = source->last_tick;
    encoder->keyframe.size = 0;
    PT_TRY(append_varint(&encoder->keyframe, count));
    for (size_t i = stack->depth - count; i < stack->depth; i++) {
        PT_TRY(append_varint(&encoder->keyframe, stack->frames[i].frame));
        PT_TRY(append_varint(&encoder->keyframe, encoder->first_tick - stack->frames[i].entry_tick));
    }
    return PT_OK;
}

/* Compresses what was taken, appends the payload to `out`, and moves the source on. */
static enum pt_status finish(struct pt_chunk_encoder *encoder, struct pt_chunk_source *source, size_t depth,
                             uint32_t flags, struct pt_buffer *out)
{
    const struct pt_chunk_columns *columns = &encoder->columns;
    encoder->raw.size = 0;
    PT_TRY(pt_chunk_columns_join(columns, &encoder->keyframe, &encoder->raw));
    const struct pt_chunk_info info = {
        .thread = source->thread,
        .slot = source->slot,
        .generation = source->generation,
        .flags = flags,
        .first_position = source->position,
        .words = (uint32_t)(encoder->taken.position - source->position),
        .entries = columns->entries,
        .first_tick = encoder->first_tick,
        .last_tick = encoder->taken.last_tick,
        .events = columns->events,
        .depth = (uint32_t)depth,
        .keyframe_bytes = (uint32_t)encoder->keyframe.size,
        .symbols = columns->symbol_count,
        .wide_bytes = columns->wide_size,
        .argument_bytes = (uint32_t)columns->arguments.size,
        .lost = columns->lost,
        .code_width = columns->symbol_count <= 256 ? 1 : 2,
        .raw_bytes = (uint32_t)encoder->raw.size,
    };
    const size_t bound = ZSTD_compressBound(encoder->raw.size);
    PT_TRY(pt_buffer_reserve(out, PT_CHUNK_FIXED_SIZE + bound));
    uint8_t *payload = out->data + out->size;
    size_t size =
        ZSTD_compress2(encoder->zstd, payload + PT_CHUNK_FIXED_SIZE, bound, encoder->raw.data, encoder->raw.size);
    if (ZSTD_isError(size))
        return PT_NOMEM;
    pt_chunk_info_encode(payload, &info);
    out->size += PT_CHUNK_FIXED_SIZE + size;

    source->position = encoder->taken.position;
    source->base_tick = encoder->taken.base_tick;
    source->shift_ticks = encoder->taken.shift_ticks;
    source->last_tick = encoder->taken.last_tick;
    source->based = encoder->taken.based;
    source->events += columns->events;
    source->lost += columns->lost;
    return PT_OK;
}

enum pt_status pt_chunk_encode(struct pt_chunk_encoder *encoder, struct pt_chunk_source *source, const uint64_t *ring,
                               uint64_t mask, uint64_t produced, struct pt_buffer *out)
{
    const struct ring view = {ring, mask, produced};
    const size_t depth = source->stack.depth;
    enum pt_status status = PT_OK;

    if (source->corrupt || source->position == produced)
        return PT_END;
    PT_TRY(begin(encoder, source));
    while (status == PT_OK && encoder->now.position != produced && encoder->columns.entries < PT_CHUNK_ENTRIES_MAX) {
        take_usual(encoder, &source->stack, &view);
        if (encoder->now.position != produced && encoder->columns.entries < PT_CHUNK_ENTRIES_MAX)
            status = take_record(encoder, &source->stack, &view);
    }
    source->corrupt = status == PT_CORRUPT;
    if (status != PT_NOMEM && encoder->columns.entries == 0)
        return PT_END;
    if (status != PT_NOMEM)
        status = finish(encoder, source, depth, 0, out);
    if (status == PT_NOMEM)
        source->corrupt = true; /* the stack has moved on, the position has not */
    return status;
}

enum pt_status pt_chunk_encode_close(struct pt_chunk_encoder *encoder, struct pt_chunk_source *source, uint64_t tick,
                                     struct pt_buffer *out)
{
    struct pt_stack *stack = &source->stack;
    const size_t depth = stack->depth;
    const uint32_t close = pt_record_symbol(pt_record_pack(PT_KIND_CLOSE, 0, 0));

    if (depth == 0)
        return PT_END;
    PT_TRY(begin(encoder, source));
    const uint32_t code = pt_chunk_columns_code(&encoder->columns, close);
    if (tick > source->last_tick)
        encoder->taken.last_tick = tick;
    uint64_t ticks = encoder->taken.last_tick - source->last_tick;
    while (stack->depth > 0 && encoder->columns.entries < PT_CHUNK_ENTRIES_MAX) {
        pt_stack_leave(stack, PT_KIND_CLOSE, 0);
        pt_chunk_columns_add(&encoder->columns, code, ticks);
        ticks = 0;
    }
    return finish(encoder, source, depth, stack->depth == 0 ? PT_CHUNK_FLAG_LAST : 0, out);
}
