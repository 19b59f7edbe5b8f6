/* From the entries of a chunk to steps: what each symbol does is found out once a chunk, then one tight loop
 * (stream_walk.h) runs over the columns. */
#include <stdlib.h>

#include "record.h"
#include "stream_walk.h"

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
        symbol->call = kind != PT_KIND_OPEN;
        symbol->match = !symbol->call;
        symbol->step = kind == PT_KIND_OPEN ? PT_STEP_OPEN : PT_STEP_CALL;
        symbol->cost = kind == PT_KIND_START ? PT_COST_CALL : kind == PT_KIND_C_CALL ? PT_COST_C_CALL : PT_COST_RESUME;
        break;
    case PT_KIND_RETURN:
    case PT_KIND_YIELD:
        symbol->mask = PT_STREAM_NO_FRAME | 1;
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
        symbol->mask = PT_STREAM_NO_FRAME | 1;
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

enum pt_status pt_stream_steps_rarely(struct pt_stream *stream, const struct pt_stream_symbol *symbol,
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
        stream->steps[stream->step_count - 1].cost = symbol->cost;
        return PT_OK;
    }
    size_t count = pt_stack_leave(stack, symbol->kind, symbol->frame >> 1);
    stack->depth += count; /* pt_stream_steps_leave takes them off */
    return pt_stream_steps_leave(stream, count, symbol->step, spare);
}

/* The taker that makes steps of plain calls and leaves too, for whoever takes them later. */
struct writer {
    struct pt_step *out;
};

static PT_STREAM_INLINE enum pt_status put_enter(void *hot, const struct pt_stream_symbol *symbol, uint64_t tick)
{
    struct writer *writer = hot;
    *writer->out++ =
        (struct pt_step){.clock = tick, .function = symbol->shown, .kind = PT_STEP_CALL, .cost = symbol->cost};
    return PT_OK;
}

static PT_STREAM_INLINE enum pt_status put_leave(void *hot, enum pt_step_kind kind, uint64_t tick)
{
    struct writer *writer = hot;
    *writer->out++ = (struct pt_step){.clock = tick, .kind = (uint16_t)kind};
    return PT_OK;
}

static PT_STREAM_INLINE void pause_writer(void *hot, struct pt_stream *stream)
{
    const struct writer *writer = hot;
    stream->step_count = (size_t)(writer->out - stream->steps);
}

static PT_STREAM_INLINE enum pt_status go_on_writing(void *hot, struct pt_stream *stream)
{
    struct writer *writer = hot;
    writer->out = stream->steps + stream->step_count;
    return PT_OK;
}

static const struct pt_stream_taker writer_taker = {put_enter, put_leave, pause_writer, go_on_writing};

enum pt_status pt_stream_steps_run(struct pt_stream *stream)
{
    struct writer writer;
    return pt_stream_walk(stream, &writer_taker, &writer);
}
