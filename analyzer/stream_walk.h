/* The loop over the entries of a chunk (internal to stream_steps.c and to sums that cannot wait for steps).
 *
 * Most entries are calls and leaves that fit the stack. What is to be done about them is inlined here, once for each taker
 * and each width of codes, so that a taker pays for nothing that it does not need; everything else becomes steps, on the
 * slow path. A taker sees exactly what the steps of the chunk would have told it, in the same order. */
#ifndef PT_STREAM_WALK_H
#define PT_STREAM_WALK_H

#include "bytes.h"
#include "stream_state.h"
#include "varint.h"

#define PT_STREAM_INLINE inline __attribute__((always_inline))

/* What a taker does. `hot` is its own, on the stack of the function that walks: it may live in registers but for `pause`
 * and `go_on`. */
struct pt_stream_taker {
    enum pt_status (*enter)(void *hot, const struct pt_stream_symbol *symbol, uint64_t tick); /* PT_STEP_CALL */
    enum pt_status (*leave)(void *hot, enum pt_step_kind kind, uint64_t tick); /* PT_STEP_LEAVE, PT_STEP_RAISE */
    void (*pause)(void *hot, struct pt_stream *stream);                        /* the slow path is about to put steps */
    enum pt_status (*go_on)(void *hot, struct pt_stream *stream);              /* it has: stream->steps */
};

/* Everything that the loop does not do itself: puts steps. Room for `spare` more remains; `before` is the tick of the
 * entry before. PT_CORRUPT, PT_NOMEM. */
PT_MUST_USE enum pt_status pt_stream_steps_rarely(struct pt_stream *stream, const struct pt_stream_symbol *symbol,
                                                  const uint8_t **arguments, uint64_t before, size_t spare);

/* Adds a time that did not fit into its byte. PT_CORRUPT. */
PT_MUST_USE static PT_STREAM_INLINE enum pt_status pt_stream_walk_far(const uint8_t **wide_times, uint64_t *tick)
{
    uint64_t more;
    if (pt_varint_decode(wide_times, *wide_times + PT_VARINT_MAX_BYTES, &more) != PT_OK ||
        more > PT_STREAM_TICK_MAX - *tick)
        return PT_CORRUPT;
    *tick += more;
    return PT_OK;
}

/* `taker` and `wide` are constants where this is called. PT_CORRUPT, PT_NOMEM: what came before stands. */
PT_MUST_USE static PT_STREAM_INLINE enum pt_status
pt_stream_walk_width(struct pt_stream *stream, const struct pt_stream_taker *taker, void *hot, const bool wide)
{
    const struct pt_chunk *chunk = &stream->chunk;
    const uint32_t entries = chunk->info.entries;
    const uint8_t *codes = wide ? chunk->codes16 : chunk->codes;
    const uint8_t *times = chunk->times;
    const uint8_t *wide_times = chunk->wide;
    const uint8_t *arguments = chunk->arguments;
    const struct pt_stream_symbol *symbols = stream->symbols;
    struct pt_stack_frame *frames = stream->stack.frames;
    size_t depth = stream->stack.depth;
    size_t capacity = stream->stack.capacity;
    uint32_t top = pt_stream_top(&stream->stack); /* kept at hand: the innermost frame, and the Python frame below */
    uint32_t python = depth > 0 ? frames[depth - 1].python : 0;
    uint64_t tick = stream->tick;
    uint64_t calls = 0;
    enum pt_status status = taker->go_on(hot, stream);

    for (uint32_t i = 0; i < entries && status == PT_OK; i++) {
        const struct pt_stream_symbol *symbol = &symbols[wide ? pt_bytes_load16(codes + 2 * (size_t)i) : codes[i]];
        const uint64_t before = tick;
        tick += times[i];
        if (__builtin_expect(times[i] == PT_CHUNK_TIME_ESCAPE, 0)) {
            status = pt_stream_walk_far(&wide_times, &tick);
            if (status != PT_OK)
                break;
        }
        const bool fits = (top & symbol->mask) == symbol->match;
        if (__builtin_expect(fits && symbol->mask != 0, 1)) {
            depth--;
            top = PT_STREAM_NO_FRAME;
            python = 0;
            if (__builtin_expect(depth > 0, 1)) {
                top = frames[depth - 1].frame;
                python = frames[depth - 1].python;
            }
            status = taker->leave(hot, symbol->step, tick);
        } else if (__builtin_expect(fits && depth < capacity, 1)) {
            top = symbol->frame;
            python = top & 1 ? python : (uint32_t)depth + 1;
            frames[depth++] = (struct pt_stack_frame){.frame = top, .python = python, .entry_tick = tick};
            calls++;
            status = taker->enter(hot, symbol, tick);
        } else {
            stream->stack.depth = depth;
            stream->tick = tick;
            taker->pause(hot, stream);
            status = pt_stream_steps_rarely(stream, symbol, &arguments, before, entries - i);
            if (taker->go_on(hot, stream) != PT_OK)
                status = PT_NOMEM;
            frames = stream->stack.frames;
            depth = stream->stack.depth;
            capacity = stream->stack.capacity;
            top = pt_stream_top(&stream->stack);
            python = depth > 0 ? frames[depth - 1].python : 0;
        }
    }
    stream->stack.depth = depth;
    stream->tick = tick;
    stream->totals.calls += calls;
    taker->pause(hot, stream);
    return status;
}

/* Takes the entries of the decoded chunk. There is room for a step for each of them. */
PT_MUST_USE static PT_STREAM_INLINE enum pt_status pt_stream_walk(struct pt_stream *stream,
                                                                  const struct pt_stream_taker *taker, void *hot)
{
    return stream->chunk.info.code_width == 2 ? pt_stream_walk_width(stream, taker, hot, true)
                                              : pt_stream_walk_width(stream, taker, hot, false);
}

#endif
