/* The payload of a chunk: a keyframe, columns, compressed (SPEC.md 5). */
#include "chunk.h"

#define ZSTD_STATIC_LINKING_ONLY /* for the mode of literals, which shared libraries know as well */
#include <stdlib.h>
#include <zstd.h>

#include "aside.h"
#include "chunk_keyframe.h"
#include "chunk_records.h"
#include "record.h"
#include "varint.h"

struct pt_chunk_encoder {
    ZSTD_CCtx *what;
    ZSTD_CCtx *when;
    struct pt_buffer keyframe;
    struct pt_buffer raw;
    struct pt_chunk_records records;
};

/* What happened repeats itself, so that matches are what compresses it. Times do not: looking for matches in them would
 * take longer than all the rest of encoding, and find few; only their entropy is coded. */
static bool settle(const struct pt_chunk_encoder *encoder, int zstd_level)
{
    const struct {
        ZSTD_CCtx *context;
        ZSTD_cParameter parameter;
        int value;
    } settings[] = {
        {encoder->what, ZSTD_c_compressionLevel, zstd_level},
        {encoder->when, ZSTD_c_strategy, ZSTD_fast},
        {encoder->when, ZSTD_c_hashLog, ZSTD_HASHLOG_MIN},
        {encoder->when, ZSTD_c_minMatch, ZSTD_MINMATCH_MAX},
        {encoder->when, ZSTD_c_targetLength, ZSTD_TARGETLENGTH_MAX}, /* the distance between two looks */
        {encoder->when, ZSTD_c_literalCompressionMode, ZSTD_ps_enable},
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        if (ZSTD_isError(ZSTD_CCtx_setParameter(settings[i].context, settings[i].parameter, settings[i].value)))
            return false;
    return true;
}

enum pt_status pt_chunk_encoder_new(struct pt_chunk_encoder **out, int zstd_level)
{
    struct pt_chunk_encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder)
        return PT_NOMEM;
    encoder->what = ZSTD_createCCtx();
    encoder->when = ZSTD_createCCtx();
    if (!encoder->what || !encoder->when || !settle(encoder, zstd_level)) {
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
    ZSTD_freeCCtx(encoder->what);
    ZSTD_freeCCtx(encoder->when);
    pt_buffer_release(&encoder->keyframe);
    pt_buffer_release(&encoder->raw);
    pt_buffer_release(&encoder->records.control);
    pt_chunk_columns_release(&encoder->records.columns);
    free(encoder);
}

/* Begins a chunk: the frames that are open now are its keyframe. */
static enum pt_status begin(struct pt_chunk_encoder *encoder, struct pt_chunk_source *source)
{
    struct pt_chunk_records *records = &encoder->records;
    const struct pt_stack *stack = &source->stack;

    pt_chunk_columns_begin(&records->columns);
    pt_aside_begin_chunk(&source->stack);
    records->now = (struct pt_chunk_place){
        .position = source->position,
        .base_tick = source->base_tick,
        .shift_ticks = source->shift_ticks,
        .last_tick = source->last_tick,
        .based = source->based,
    };
    records->taken = records->now;
    records->first_tick = source->last_tick;
    encoder->keyframe.size = 0;
    PT_TRY(pt_varint_append(&encoder->keyframe, stack->greenlet));
    return pt_chunk_keyframe_encode(&encoder->keyframe, stack->frames, stack->depth, records->first_tick);
}

/* Appends a frame of zstd. */
static enum pt_status compress(ZSTD_CCtx *context, const uint8_t *bytes, size_t count, struct pt_buffer *out)
{
    PT_TRY(pt_buffer_reserve(out, ZSTD_compressBound(count)));
    const size_t size = ZSTD_compress2(context, out->data + out->size, ZSTD_compressBound(count), bytes, count);
    if (ZSTD_isError(size))
        return PT_NOMEM;
    out->size += size;
    return PT_OK;
}

/* Each piece of the times is a frame of its own: that gives it an entropy table of its own. */
static enum pt_status compress_times(struct pt_chunk_encoder *encoder, struct pt_buffer *out)
{
    const struct pt_chunk_columns *columns = &encoder->records.columns;
    uint32_t group = 0;
    PT_TRY(pt_buffer_reserve(&encoder->raw, columns->entries));
    for (;;) {
        const uint32_t count = pt_chunk_columns_next_times(columns, &group, encoder->raw.data);
        if (count == 0)
            return PT_OK;
        PT_TRY(compress(encoder->when, encoder->raw.data, count, out));
    }
}

/* Compresses what was taken, appends the payload to `out`, and moves the source on. */
static enum pt_status finish(struct pt_chunk_encoder *encoder, struct pt_chunk_source *source, size_t depth,
                             uint32_t flags, struct pt_buffer *out)
{
    const struct pt_chunk_columns *columns = &encoder->records.columns;
    const struct pt_chunk_place *taken = &encoder->records.taken;
    encoder->raw.size = 0;
    PT_TRY(pt_chunk_columns_join(columns, &encoder->keyframe, &encoder->raw));
    const struct pt_chunk_info info = {
        .thread = source->thread,
        .slot = source->slot,
        .generation = source->generation,
        .flags = flags,
        .first_position = source->position,
        .words = (uint32_t)(taken->position - source->position),
        .entries = columns->entries,
        .first_tick = encoder->records.first_tick,
        .last_tick = taken->last_tick,
        .events = columns->events,
        .depth = (uint32_t)depth,
        .keyframe_bytes = (uint32_t)encoder->keyframe.size,
        .symbols = columns->symbol_count,
        .wide_bytes = columns->wide_size,
        .argument_bytes = (uint32_t)columns->arguments.size,
        .lost = columns->lost,
        .code_width = columns->symbol_count <= 256 ? 1 : 2,
        .raw_bytes = (uint32_t)encoder->raw.size + columns->entries,
    };
    const size_t start = out->size;
    PT_TRY(pt_buffer_reserve(out, PT_CHUNK_FIXED_SIZE));
    pt_chunk_info_encode(out->data + start, &info);
    out->size += PT_CHUNK_FIXED_SIZE;
    enum pt_status status = compress(encoder->what, encoder->raw.data, encoder->raw.size, out);
    if (status == PT_OK)
        status = compress_times(encoder, out);
    if (status != PT_OK) {
        out->size = start;
        return status;
    }

    source->position = taken->position;
    source->base_tick = taken->base_tick;
    source->shift_ticks = taken->shift_ticks;
    source->last_tick = taken->last_tick;
    source->based = taken->based;
    source->events += columns->events;
    source->lost += columns->lost;
    return PT_OK;
}

enum pt_status pt_chunk_encode(struct pt_chunk_encoder *encoder, struct pt_chunk_source *source, const uint64_t *ring,
                               uint64_t mask, uint64_t produced, struct pt_buffer *out)
{
    const struct pt_chunk_ring view = {ring, mask, produced};
    const size_t depth = source->stack.depth;

    if (source->corrupt || source->position == produced)
        return PT_END;
    PT_TRY(begin(encoder, source));
    enum pt_status status = pt_chunk_records_take(&encoder->records, &source->stack, &view);
    source->corrupt = status == PT_CORRUPT;
    if (status != PT_NOMEM && encoder->records.columns.entries == 0)
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
    struct pt_chunk_records *records = &encoder->records;
    struct pt_stack *stack = &source->stack;
    const size_t depth = stack->depth;
    const uint32_t close = pt_record_symbol(pt_record_pack(PT_KIND_CLOSE, 0, 0));

    if (depth == 0)
        return PT_END;
    PT_TRY(begin(encoder, source));
    const uint32_t code = pt_chunk_columns_code(&records->columns, close);
    if (tick > source->last_tick)
        records->taken.last_tick = tick;
    uint64_t ticks = records->taken.last_tick - source->last_tick;
    while (stack->depth > 0 && records->columns.entries < PT_CHUNK_ENTRIES_MAX) {
        pt_stack_leave(stack, PT_KIND_CLOSE, 0);
        pt_chunk_columns_add(&records->columns, code, ticks);
        ticks = 0;
    }
    return finish(encoder, source, depth, stack->depth == 0 ? PT_CHUNK_FLAG_LAST : 0, out);
}
