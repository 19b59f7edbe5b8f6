#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "chunk.h"
#include "record.h"
#include "stream_filter.h"
#include "varint.h"

/* What an entry with a certain symbol does, found out once a chunk. */
enum action { ENTER_PYTHON, ENTER_C, LEAVE_PYTHON, LEAVE_UNWIND, LEAVE_C, OTHER };

/* Ticks stay below this, so that sums of a chunk's times cannot wrap. */
#define TICK_MAX (UINT64_MAX >> 1)

struct symbol {
    uint32_t shown; /* what a step says of it */
    uint32_t frame; /* 2 × id, plus 1 for C */
    uint32_t kind;  /* enum pt_kind */
    uint8_t action;
    uint8_t step;
    uint8_t call; /* 1 if entering is a call */
};

struct pt_stream {
    const struct pt_input *input;
    struct pt_stream_view view;
    bool filtered;
    const struct pt_input_thread *thread;
    size_t next_chunk;
    bool began;  /* a chunk of this thread was read */
    bool broken; /* the chunk before could not be read: begin again from the next keyframe */
    bool over;

    uint64_t tick; /* of the last entry */
    struct pt_stack stack;
    uint64_t unknown_depth; /* frames below the stack of which nothing is known */

    struct pt_chunk chunk;
    struct symbol *symbols;
    size_t symbol_capacity;
    struct pt_step *steps;
    size_t step_count;
    size_t step_capacity;
    struct pt_stream_filter filter;
    struct pt_stream_totals totals;
};

enum pt_status pt_stream_new(struct pt_stream **out, const struct pt_input *input, const struct pt_stream_view *view)
{
    struct pt_stream *stream = calloc(1, sizeof *stream);
    *out = stream;
    if (!stream)
        return PT_NOMEM;
    stream->input = input;
    stream->view = *view;
    stream->over = true;
    return PT_OK;
}

void pt_stream_free(struct pt_stream *stream)
{
    if (!stream)
        return;
    pt_chunk_release(&stream->chunk);
    pt_stack_release(&stream->stack);
    pt_stream_filter_release(&stream->filter);
    free(stream->symbols);
    free(stream->steps);
    free(stream);
}

void pt_stream_begin(struct pt_stream *stream, const struct pt_input_thread *thread)
{
    const struct pt_input_trace *origin = thread->origin;
    stream->thread = thread;
    stream->next_chunk = 0;
    stream->began = false;
    stream->broken = false;
    stream->over = false;
    stream->stack.depth = 0;
    stream->unknown_depth = 0;
    stream->tick = 0;
    stream->filtered = stream->view.filters & (PT_FILTER_FOCUS | PT_FILTER_IGNORE | PT_FILTER_HIDE | PT_FILTER_ROOT) ||
                       origin->from_tick > 0 || origin->to_tick < UINT64_MAX;
    if (stream->filtered)
        pt_stream_filter_begin(&stream->filter, &stream->view, origin->from_tick, origin->to_tick);
}

const struct pt_stream_totals *pt_stream_totals(const struct pt_stream *stream)
{
    return &stream->totals;
}

/* --- Numbers -------------------------------------------------------------------------------------------------------- */

/* The number of a frame's function in the input. */
static uint32_t number_of(const struct pt_stream *stream, uint32_t frame)
{
    const struct pt_input_thread *thread = stream->thread;
    const struct pt_input_trace *origin = thread->origin;
    return origin->functions[pt_trace_function(origin->trace, thread->thread->meta.process, frame >> 1)];
}

/* What a report is to see in place of a function. */
static uint32_t viewed(const struct pt_stream *stream, uint32_t number)
{
    switch (stream->view.by) {
    case PT_BY_THREAD:
        return (uint32_t)stream->thread->tid;
    case PT_BY_PROCESS:
        return (uint32_t)stream->thread->pid;
    default:
        return stream->view.numbers ? stream->view.numbers[number] : number;
    }
}

/* Filters look at functions, and what they let through is renumbered afterwards. */
static uint32_t shown_of(const struct pt_stream *stream, uint32_t frame)
{
    uint32_t number = number_of(stream, frame);
    return stream->filtered ? number : viewed(stream, number);
}

static enum pt_status resolve_symbols(struct pt_stream *stream)
{
    static const uint8_t actions[32] = {
        [PT_KIND_NONE] = OTHER,          [PT_KIND_START] = ENTER_PYTHON, [PT_KIND_RESUME] = ENTER_PYTHON,
        [PT_KIND_THROW] = ENTER_PYTHON,  [PT_KIND_C_CALL] = ENTER_C,     [PT_KIND_OPEN] = ENTER_PYTHON,
        [PT_KIND_RETURN] = LEAVE_PYTHON, [PT_KIND_YIELD] = LEAVE_PYTHON, [PT_KIND_UNWIND] = LEAVE_UNWIND,
        [PT_KIND_C_RETURN] = LEAVE_C,    [PT_KIND_C_RAISE] = LEAVE_C,    [PT_KIND_CLOSE] = OTHER,
        [PT_KIND_CONTROL] = OTHER,
    };
    const struct pt_chunk *chunk = &stream->chunk;
    if (chunk->info.symbols > stream->symbol_capacity) {
        struct symbol *symbols = realloc(stream->symbols, chunk->info.symbols * sizeof *symbols);
        if (!symbols)
            return PT_NOMEM;
        stream->symbols = symbols;
        stream->symbol_capacity = chunk->info.symbols;
    }
    for (uint32_t i = 0; i < chunk->info.symbols; i++) {
        uint32_t kind = pt_record_kind(chunk->symbols[i]);
        uint32_t id = pt_record_id(chunk->symbols[i]);
        struct symbol *symbol = &stream->symbols[i];
        *symbol = (struct symbol){.kind = kind, .action = actions[kind]};
        symbol->frame = (uint32_t)pt_record_frame(id, kind == PT_KIND_C_CALL);
        if (symbol->action <= ENTER_C) {
            symbol->shown = shown_of(stream, symbol->frame);
            symbol->call = kind != PT_KIND_OPEN;
            symbol->step = kind == PT_KIND_OPEN ? PT_STEP_OPEN : PT_STEP_CALL;
        } else {
            symbol->step = kind == PT_KIND_UNWIND || kind == PT_KIND_C_RAISE ? PT_STEP_RAISE : PT_STEP_LEAVE;
        }
    }
    return PT_OK;
}

/* --- Steps ---------------------------------------------------------------------------------------------------------- */

/* Makes room for `more` steps behind those that are there. */
static enum pt_status reserve_steps(struct pt_stream *stream, size_t more)
{
    if (stream->step_capacity - stream->step_count >= more)
        return PT_OK;
    size_t capacity = stream->step_count + more;
    if (capacity < stream->step_capacity * 2)
        capacity = stream->step_capacity * 2;
    struct pt_step *steps = realloc(stream->steps, capacity * sizeof *steps);
    if (!steps)
        return PT_NOMEM;
    stream->steps = steps;
    stream->step_capacity = capacity;
    return PT_OK;
}

/* There must be room. */
static void put_step(struct pt_stream *stream, enum pt_step_kind kind, uint32_t shown, uint64_t clock)
{
    stream->steps[stream->step_count++] = (struct pt_step){.clock = clock, .function = shown, .kind = kind};
}

/* Leaves the innermost `count` frames, of which `kind` is what became of the outermost: the others have no leave of their own. */
static enum pt_status leave(struct pt_stream *stream, size_t count, enum pt_step_kind kind, size_t spare)
{
    PT_TRY(reserve_steps(stream, count + spare));
    stream->stack.depth -= count;
    for (size_t i = 1; i < count; i++)
        put_step(stream, PT_STEP_LEAVE, 0, stream->tick);
    if (count > 0)
        put_step(stream, kind, 0, stream->tick);
    return PT_OK;
}

/* Opens a frame whose enter was not seen. */
static enum pt_status open_frame(struct pt_stream *stream, uint32_t frame, uint64_t entry_tick, size_t spare)
{
    PT_TRY(pt_stack_push(&stream->stack, frame, entry_tick));
    PT_TRY(reserve_steps(stream, 1 + spare));
    put_step(stream, PT_STEP_OPEN, shown_of(stream, frame), stream->tick);
    return PT_OK;
}

static enum pt_status apply_lost(struct pt_stream *stream, const uint8_t *arguments, uint32_t size, size_t spare)
{
    struct pt_chunk_lost lost;
    PT_TRY(pt_chunk_lost_decode(&lost, arguments, size));
    stream->totals.lost += lost.count;
    size_t depth = stream->stack.depth;
    PT_TRY(leave(stream, lost.unwound < depth ? (size_t)lost.unwound : depth, PT_STEP_CLOSE, spare));
    PT_TRY(reserve_steps(stream, lost.pushed + spare));
    const uint8_t *at = lost.frames;
    for (uint64_t i = 0; i < lost.pushed; i++) {
        uint64_t frame = pt_record_frame(PT_ID_UNKNOWN, 0);
        if (i < lost.frame_count)
            PT_TRY(pt_varint_decode(&at, lost.end, &frame));
        PT_TRY(open_frame(stream, (uint32_t)frame, stream->tick, spare));
    }
    return PT_OK;
}

/* A wait that ended now is nobody's self time. It cannot have begun before the entry before it, which `before` dates. */
static enum pt_status apply_stall(struct pt_stream *stream, const uint8_t *arguments, uint32_t size, uint64_t before,
                                  size_t spare)
{
    uint64_t ticks;
    PT_TRY(pt_varint_decode(&arguments, arguments + size, &ticks));
    uint64_t most = stream->tick - before;
    ticks = ticks < most ? ticks : most;
    stream->totals.stalled_ticks += ticks;
    PT_TRY(reserve_steps(stream, 2 + spare));
    put_step(stream, PT_STEP_PAUSE, 0, stream->tick - ticks);
    put_step(stream, PT_STEP_SKIP, 0, stream->tick);
    return PT_OK;
}

/* Everything that the fast loop does not do itself. `spare` steps must have room afterwards; `before` is the tick of the entry before. */
static enum pt_status apply_rarely(struct pt_stream *stream, const struct symbol *symbol, const uint8_t **arguments,
                                   uint64_t before, size_t spare)
{
    if (symbol->kind == PT_KIND_CONTROL) {
        const uint8_t *at = *arguments;
        uint64_t size;
        PT_TRY(pt_varint_decode(&at, at + PT_VARINT_MAX_BYTES, &size));
        *arguments = at + size;
        switch (symbol->frame >> 1) {
        case PT_CONTROL_LOST:
            return apply_lost(stream, at, (uint32_t)size, spare);
        case PT_CONTROL_STALL:
            return apply_stall(stream, at, (uint32_t)size, before, spare);
        default:
            return PT_OK;
        }
    }
    size_t count = pt_stack_leave(&stream->stack, symbol->kind, symbol->frame >> 1);
    stream->stack.depth += count; /* leave() takes them off, step by step */
    if (count == 0 && stream->stack.depth == 0 && stream->unknown_depth > 0) {
        stream->unknown_depth--;
        stream->stack.unmatched--;
    }
    return leave(stream, count, symbol->kind == PT_KIND_CLOSE ? PT_STEP_CLOSE : symbol->step, spare);
}

/* The innermost frame; there must be one. */
static inline uint32_t top_of(const struct pt_stack *stack)
{
    return stack->frames[stack->depth - 1].frame;
}

/* Turns the entries of the decoded chunk into steps. PT_CORRUPT, PT_NOMEM: what was put before stands. `wide` is a constant in either
 * call, so that the loop is compiled for each width of code. */
static inline __attribute__((always_inline)) enum pt_status run_chunk(struct pt_stream *stream, bool wide)
{
    const struct pt_chunk *chunk = &stream->chunk;
    const uint32_t entries = chunk->info.entries;
    const uint8_t *wide_times = chunk->wide;
    const uint8_t *arguments = chunk->arguments;
    struct pt_stack *stack = &stream->stack;
    struct pt_step *out = stream->steps + stream->step_count;
    uint64_t tick = stream->tick;
    uint64_t calls = 0;
    enum pt_status status = PT_OK;

    for (uint32_t i = 0; i < entries; i++) {
        const uint64_t before = tick;
        const uint32_t code = wide ? pt_bytes_load16(chunk->codes16 + 2 * (size_t)i) : chunk->codes[i];
        const struct symbol *symbol = &stream->symbols[code];
        tick += chunk->times[i];
        if (chunk->times[i] == PT_CHUNK_TIME_ESCAPE) {
            uint64_t more;
            status = pt_varint_decode(&wide_times, wide_times + PT_VARINT_MAX_BYTES, &more);
            if (status != PT_OK || more > TICK_MAX - tick) {
                status = PT_CORRUPT;
                break;
            }
            tick += more;
        }
        const struct pt_stack_frame *top = stack->depth ? &stack->frames[stack->depth - 1] : NULL;
        switch (symbol->action) {
        case ENTER_PYTHON:
        case ENTER_C:
            status = pt_stack_push(stack, symbol->frame, tick);
            calls += symbol->call;
            *out++ = (struct pt_step){.clock = tick, .function = symbol->shown, .kind = symbol->step};
            break;
        case LEAVE_PYTHON:
            if (!top || top->frame & 1)
                goto rare;
            stack->depth--;
            *out++ = (struct pt_step){.clock = tick, .kind = symbol->step};
            break;
        case LEAVE_UNWIND:
            if (!top || top->frame != symbol->frame)
                goto rare;
            stack->depth--;
            *out++ = (struct pt_step){.clock = tick, .kind = symbol->step};
            break;
        case LEAVE_C:
            if (!top || !(top->frame & 1))
                goto rare;
            stack->depth--;
            *out++ = (struct pt_step){.clock = tick, .kind = symbol->step};
            break;
        default:
        rare:
            stream->step_count = (size_t)(out - stream->steps);
            stream->tick = tick;
            status = apply_rarely(stream, symbol, &arguments, before, entries - i);
            out = stream->steps + stream->step_count;
            break;
        }
        if (__builtin_expect(status != PT_OK, 0))
            break;
    }
    stream->step_count = (size_t)(out - stream->steps);
    stream->tick = tick;
    stream->totals.calls += calls;
    return status;
}

/* --- Chunks --------------------------------------------------------------------------------------------------------- */

/* Something is missing before the decoded chunk: frames that its keyframe still knows survive, the others end where they were last seen,
 * and what was entered meanwhile is opened. The time between is nobody's self time. */
static enum pt_status bridge_gap(struct pt_stream *stream)
{
    const struct pt_chunk *chunk = &stream->chunk;
    struct pt_stack *stack = &stream->stack;
    const uint64_t below = chunk->info.depth - chunk->keyframe_count; /* frames that the keyframe leaves out */
    size_t known = 0; /* frames of the keyframe that are open here already */
    size_t keep = 0;  /* frames of the stack that survive */

    if (stream->unknown_depth <= below && stream->unknown_depth + stack->depth >= below) {
        keep = (size_t)(below - stream->unknown_depth);
        while (known < chunk->keyframe_count && keep < stack->depth &&
               stack->frames[keep].frame == chunk->keyframe[known].frame &&
               stack->frames[keep].entry_tick == chunk->keyframe[known].entry_tick) {
            keep++;
            known++;
        }
    } else {
        stream->unknown_depth = below;
    }
    PT_TRY(leave(stream, stack->depth - keep, PT_STEP_CLOSE, 2));
    if (stream->began)
        put_step(stream, PT_STEP_PAUSE, 0, stream->tick);
    if (chunk->info.first_tick > stream->tick)
        stream->tick = chunk->info.first_tick;
    if (stream->began)
        put_step(stream, PT_STEP_SKIP, 0, stream->tick);
    for (; known < chunk->keyframe_count; known++)
        PT_TRY(open_frame(stream, chunk->keyframe[known].frame, chunk->keyframe[known].entry_tick, 0));
    return PT_OK;
}

static enum pt_status read_chunk(struct pt_stream *stream, const struct pt_trace_chunk *from)
{
    struct pt_chunk *chunk = &stream->chunk;
    stream->totals.events += from->info.events;
    PT_TRY(pt_chunk_decode(chunk, from->payload, from->size));
    if (chunk->info.last_tick > TICK_MAX)
        return PT_CORRUPT;
    PT_TRY(resolve_symbols(stream));
    bool gap = from->gap_before || stream->broken;
    if (gap || chunk->info.depth != stream->unknown_depth + stream->stack.depth) {
        stream->totals.gaps += gap;
        PT_TRY(bridge_gap(stream));
    }
    if (chunk->info.first_tick > stream->tick)
        stream->tick = chunk->info.first_tick;
    stream->began = true;
    PT_TRY(reserve_steps(stream, chunk->info.entries));
    return chunk->info.code_width == 2 ? run_chunk(stream, true) : run_chunk(stream, false);
}

static enum pt_status filter_steps(struct pt_stream *stream, const struct pt_step **steps, size_t *count)
{
    struct pt_stream_filter *filter = &stream->filter;
    PT_TRY(pt_stream_filter_run(filter, stream->steps, stream->step_count));
    for (size_t i = 0; i < filter->step_count; i++)
        if (filter->steps[i].kind <= PT_STEP_OPEN)
            filter->steps[i].function = viewed(stream, filter->steps[i].function);
    stream->over = stream->over || filter->ended;
    *steps = filter->steps;
    *count = filter->step_count;
    return PT_OK;
}

enum pt_status pt_stream_next(struct pt_stream *stream, const struct pt_step **steps, size_t *count)
{
    do {
        if (stream->over)
            return PT_END;
        stream->step_count = 0;
        const struct pt_trace_thread *thread = stream->thread->thread;
        if (stream->next_chunk < thread->chunk_count) {
            enum pt_status status = read_chunk(stream, &thread->chunks[stream->next_chunk++]);
            if (status == PT_NOMEM && stream->stack.depth < PT_STACK_DEPTH_MAX)
                return PT_NOMEM;
            stream->totals.unmatched = stream->stack.unmatched;
            stream->totals.missing = stream->stack.missing;
            stream->broken = status != PT_OK;
            stream->totals.bad_chunks += stream->broken;
        } else {
            PT_TRY(leave(stream, stream->stack.depth, PT_STEP_CLOSE, 0));
            for (size_t i = 0; i < stream->step_count; i++)
                stream->steps[i].kind = PT_STEP_CLOSE;
            stream->over = true;
        }
        *steps = stream->steps;
        *count = stream->step_count;
        if (stream->filtered)
            PT_TRY(filter_steps(stream, steps, count));
    } while (*count == 0);
    return PT_OK;
}
