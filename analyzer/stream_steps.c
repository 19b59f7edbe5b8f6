/* From the entries of a chunk to steps: what each symbol does is found out once a chunk, then one tight loop runs over
 * the columns. */
#include <stdlib.h>

#include "bytes.h"
#include "record.h"
#include "stream_state.h"
#include "varint.h"

/* --- Numbers ---------------------------------------------------------------------------------------------------- */

uint32_t pt_stream_steps_view(const struct pt_stream *stream, uint32_t number)
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

static uint32_t number_of(const struct pt_stream *stream, uint32_t id)
{
    const struct pt_input_thread *thread = stream->thread;
    const struct pt_input_trace *origin = thread->origin;
    return origin->functions[pt_trace_function(origin->trace, thread->thread->meta.process, id)];
}

/* What steps say of a frame. Filters look at functions, and what they let through is renumbered afterwards. */
static uint32_t shown_of(const struct pt_stream *stream, uint32_t frame)
{
    uint32_t number = number_of(stream, frame >> 1);
    return stream->filtered ? number : pt_stream_steps_view(stream, number);
}

static void resolve_symbol(const struct pt_stream *stream, struct pt_stream_symbol *symbol, uint32_t kind, uint32_t id)
{
    *symbol = (struct pt_stream_symbol){.kind = (uint8_t)kind, .frame = id << 1, .match = 1};
    switch (kind) {
    case PT_KIND_START:
    case PT_KIND_RESUME:
    case PT_KIND_THROW:
    case PT_KIND_C_CALL:
    case PT_KIND_OPEN:
        symbol->frame = (uint32_t)pt_record_frame(id, kind == PT_KIND_C_CALL);
        symbol->shown = shown_of(stream, symbol->frame);
        symbol->enter = 1;
        symbol->match = 0;
        symbol->call = kind != PT_KIND_OPEN;
        symbol->step = kind == PT_KIND_OPEN ? PT_STEP_OPEN : PT_STEP_CALL;
        break;
    case PT_KIND_RETURN:
    case PT_KIND_YIELD:
        symbol->mask = 1;
        symbol->match = 0;
        symbol->step = PT_STEP_LEAVE;
        break;
    case PT_KIND_UNWIND:
        symbol->mask = UINT32_MAX;
        symbol->match = symbol->frame;
        symbol->step = PT_STEP_RAISE;
        break;
    case PT_KIND_C_RETURN:
    case PT_KIND_C_RAISE:
        symbol->mask = 1;
        symbol->step = kind == PT_KIND_C_RAISE ? PT_STEP_RAISE : PT_STEP_LEAVE;
        break;
    case PT_KIND_LINE:
    case PT_KIND_OPCODE:
        symbol->shown = id;
        symbol->step = kind == PT_KIND_LINE ? PT_STEP_LINE : PT_STEP_OPCODE;
        break;
    case PT_KIND_EXCEPTION:
        symbol->shown = number_of(stream, id);
        symbol->step = PT_STEP_EXCEPTION;
        break;
    default:
        symbol->step = PT_STEP_CLOSE;
        break;
    }
}

enum pt_status pt_stream_steps_resolve(struct pt_stream *stream)
{
    const struct pt_chunk *chunk = &stream->chunk;
    if (chunk->info.symbols > stream->symbol_capacity) {
        struct pt_stream_symbol *symbols = realloc(stream->symbols, chunk->info.symbols * sizeof *symbols);
        if (!symbols)
            return PT_NOMEM;
        stream->symbols = symbols;
        stream->symbol_capacity = chunk->info.symbols;
    }
    for (uint32_t i = 0; i < chunk->info.symbols; i++)
        resolve_symbol(stream, &stream->symbols[i], pt_record_kind(chunk->symbols[i]), pt_record_id(chunk->symbols[i]));
    return PT_OK;
}

/* --- Steps ------------------------------------------------------------------------------------------------------ */

enum pt_status pt_stream_steps_reserve(struct pt_stream *stream, size_t more)
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

enum pt_status pt_stream_steps_leave(struct pt_stream *stream, size_t count, enum pt_step_kind kind, size_t spare)
{
    PT_TRY(pt_stream_steps_reserve(stream, count + spare));
    stream->stack.depth -= count;
    for (size_t i = 1; i < count; i++)
        pt_stream_steps_put(stream, kind == PT_STEP_CLOSE ? kind : PT_STEP_LEAVE, 0, stream->tick);
    if (count > 0)
        pt_stream_steps_put(stream, kind, 0, stream->tick);
    return PT_OK;
}

enum pt_status pt_stream_steps_open(struct pt_stream *stream, uint32_t frame, uint64_t entry_tick, size_t spare)
{
    PT_TRY(pt_stack_push(&stream->stack, frame, entry_tick));
    PT_TRY(pt_stream_steps_reserve(stream, 1 + spare));
    pt_stream_steps_put(stream, PT_STEP_OPEN, shown_of(stream, frame), stream->tick);
    return PT_OK;
}

/* --- The loop --------------------------------------------------------------------------------------------------- */

/* Everything that the loop does not do itself. Room for `spare` steps remains; `before` is the tick of the entry
 * before. */
static enum pt_status apply_rarely(struct pt_stream *stream, const struct pt_stream_symbol *symbol,
                                   const uint8_t **arguments, uint64_t before, size_t spare)
{
    struct pt_stack *stack = &stream->stack;
    if (pt_record_is_inner(symbol->kind)) {
        if (stream->view.inner >> (symbol->kind - PT_KIND_LINE) & 1)
            pt_stream_steps_put(stream, symbol->step, symbol->shown, stream->tick);
        return PT_OK;
    }
    if (symbol->kind == PT_KIND_CONTROL)
        return pt_stream_stacks_control(stream, symbol->frame >> 1, arguments, before, spare);
    if (symbol->enter) {
        PT_TRY(pt_stack_push(stack, symbol->frame, stream->tick));
        stream->totals.calls += symbol->call;
        pt_stream_steps_put(stream, symbol->step, symbol->shown, stream->tick);
        return PT_OK;
    }
    size_t count = pt_stack_leave(stack, symbol->kind, symbol->frame >> 1);
    stack->depth += count; /* pt_stream_steps_leave takes them off */
    return pt_stream_steps_leave(stream, count, symbol->step, spare);
}

/* Entering and leaving are done by the same instructions, since which of both comes next is what a processor predicts
 * worst: a frame is written above the top in any case, and the depth then grows or shrinks. `wide` is a constant in
 * either call, so that the loop is compiled for each width of code. */
static inline __attribute__((always_inline)) enum pt_status run(struct pt_stream *stream, bool wide)
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
    struct pt_step *out = stream->steps + stream->step_count;
    uint64_t tick = stream->tick;
    uint64_t calls = 0;
    enum pt_status status = PT_OK;

    for (uint32_t i = 0; i < entries && status == PT_OK; i++) {
        const uint64_t before = tick;
        const struct pt_stream_symbol *symbol = &symbols[wide ? pt_bytes_load16(codes + 2 * (size_t)i) : codes[i]];
        tick += times[i];
        if (__builtin_expect(times[i] == PT_CHUNK_TIME_ESCAPE, 0)) {
            uint64_t more;
            status = pt_varint_decode(&wide_times, wide_times + PT_VARINT_MAX_BYTES, &more);
            if (status != PT_OK || more > PT_STREAM_TICK_MAX - tick) {
                status = PT_CORRUPT;
                break;
            }
            tick += more;
        }
        const struct pt_stack_frame *top = frames + (depth > 0 ? depth - 1 : 0);
        if (__builtin_expect(
                (top->frame & symbol->mask) != symbol->match || depth + symbol->enter == 0 || depth == capacity, 0)) {
            stream->step_count = (size_t)(out - stream->steps);
            stream->stack.depth = depth;
            stream->tick = tick;
            status = apply_rarely(stream, symbol, &arguments, before, entries - i);
            out = stream->steps + stream->step_count;
            frames = stream->stack.frames;
            depth = stream->stack.depth;
            capacity = stream->stack.capacity;
            continue;
        }
        const uint32_t below = depth > 0 ? top->python : 0;
        frames[depth] = (struct pt_stack_frame){
            .frame = symbol->frame,
            .python = symbol->frame & 1 ? below : (uint32_t)depth + 1,
            .entry_tick = tick,
        };
        depth += (size_t)symbol->enter * 2 - 1;
        calls += symbol->call;
        *out++ = (struct pt_step){.clock = tick, .function = symbol->shown, .kind = symbol->step};
    }
    stream->step_count = (size_t)(out - stream->steps);
    stream->stack.depth = depth;
    stream->tick = tick;
    stream->totals.calls += calls;
    return status;
}

enum pt_status pt_stream_steps_run(struct pt_stream *stream)
{
    PT_TRY(pt_stream_steps_reserve(stream, stream->chunk.info.entries));
    return stream->chunk.info.code_width == 2 ? run(stream, true) : run(stream, false);
}
