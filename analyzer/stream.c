#include "stream.h"

#include <stdlib.h>

#include "aside.h"
#include "stream_state.h"

enum pt_status pt_stream_new(struct pt_stream **out, const struct pt_input *input, const struct pt_stream_view *view)
{
    struct pt_stream *stream = calloc(1, sizeof *stream);
    *out = stream;
    if (!stream)
        return PT_NOMEM;
    stream->input = input;
    stream->view = *view;
    stream->over = true;
    if (pt_stack_grow(&stream->stack) != PT_OK) {
        pt_stream_free(stream);
        *out = NULL;
        return PT_NOMEM;
    }
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

/* The last chunk from which a reader that wants to know of time from `tick` on can start: all before it is over by then, and
 * it tells everything that is open. */
static size_t find_start(const struct pt_trace_thread *thread, uint64_t tick)
{
    size_t start = 0;
    for (size_t i = 1; i < thread->chunk_count && thread->chunks[i - 1].info.last_tick < tick; i++) {
        const struct pt_trace_chunk *chunk = &thread->chunks[i];
        if (!chunk->gap_before && chunk->info.first_tick <= tick && chunk->info.depth <= PT_CHUNK_KEYFRAME_MAX)
            start = i;
    }
    return start;
}

void pt_stream_begin(struct pt_stream *stream, const struct pt_input_thread *thread)
{
    pt_stream_begin_part(stream, thread, 0, thread->thread->chunk_count);
}

void pt_stream_begin_part(struct pt_stream *stream, const struct pt_input_thread *thread, size_t first, size_t end)
{
    const struct pt_input_trace *origin = thread->origin;
    stream->thread = thread;
    stream->next_chunk = first > 0 ? first : find_start(thread->thread, origin->from_tick);
    stream->end_chunk = end;
    stream->resumes = first > 0;
    stream->is_cut = first > 0 || end < thread->thread->chunk_count;
    stream->began = false;
    stream->broken = false;
    stream->over = false;
    pt_stack_clear(&stream->stack);
    stream->place = 0;
    stream->tick = 0;
    stream->spent = 0;
    stream->compensated = origin->compensation.shift > 0;
    stream->filtered = stream->view.filters & (PT_FILTER_FOCUS | PT_FILTER_IGNORE | PT_FILTER_HIDE | PT_FILTER_ROOT) ||
                       origin->from_tick > 0 || origin->to_tick < UINT64_MAX;
    if (stream->filtered)
        pt_stream_filter_begin(&stream->filter, &stream->view, origin);
}

void pt_stream_run_by(struct pt_stream *stream, pt_stream_run *run, void *context)
{
    stream->run = run;
    stream->run_context = context;
}

const struct pt_stream_totals *pt_stream_totals(const struct pt_stream *stream)
{
    return &stream->totals;
}

/* --- Chunks ----------------------------------------------------------------------------------------------------- */

static enum pt_status read_chunk(struct pt_stream *stream, const struct pt_trace_chunk *from)
{
    struct pt_chunk *chunk = &stream->chunk;
    stream->totals.events += from->info.events;
    PT_TRY(pt_trace_chunk_decode(stream->thread->origin->trace, from, chunk));
    if (chunk->info.last_tick > PT_STREAM_TICK_MAX)
        return PT_CORRUPT;
    PT_TRY(pt_stream_steps_resolve(stream));
    pt_aside_begin_chunk(&stream->stack);
    PT_TRY(pt_stream_stacks_switch(stream, chunk->keyframe.greenlet, 0));
    bool gap = from->gap_before || stream->broken;
    if (gap || chunk->info.depth != stream->stack.unknown + stream->stack.depth) {
        stream->totals.gaps += gap;
        PT_TRY(pt_stream_stacks_meet(stream, &chunk->keyframe, chunk->info.first_tick, 0));
    }
    if (chunk->info.first_tick > stream->tick)
        stream->tick = chunk->info.first_tick;
    stream->began = true;
    PT_TRY(pt_stream_steps_reserve(stream, chunk->info.entries));
    return stream->run && !stream->filtered && !stream->compensated ? stream->run(stream->run_context, stream)
                                                                    : pt_stream_steps_run(stream);
}

static enum pt_status filter_steps(struct pt_stream *stream, const struct pt_step **steps, size_t *count)
{
    struct pt_stream_filter *filter = &stream->filter;
    PT_TRY(pt_stream_filter_run(filter, stream->steps, stream->step_count));
    for (size_t i = 0; i < filter->step_count; i++)
        if (filter->steps[i].kind <= PT_STEP_OPEN)
            filter->steps[i].function = pt_stream_steps_view(stream, filter->steps[i].function);
    stream->over = stream->over || filter->ended;
    *steps = filter->steps;
    *count = filter->step_count;
    return PT_OK;
}

/* Whether what is open now is what the chunk behind the cut tells, and nothing else is. Time passes until there. */
static bool fits_next_chunk(struct pt_stream *stream)
{
    const struct pt_trace_chunk *next = &stream->thread->thread->chunks[stream->end_chunk];
    const struct pt_stack *stack = &stream->stack;
    const struct pt_chunk_keyframe *keyframe = &stream->chunk.keyframe;
    if (stream->broken || stack->unknown > 0 || stack->aside ||
        pt_trace_chunk_decode(stream->thread->origin->trace, next, &stream->chunk) != PT_OK)
        return false;
    if (keyframe->greenlet != stack->greenlet || keyframe->depth != stack->depth || keyframe->count != stack->depth ||
        next->info.depth != stack->depth || next->info.first_tick < stream->tick)
        return false;
    for (size_t i = 0; i < keyframe->count; i++)
        if (keyframe->frames[i].frame != stack->frames[i].frame ||
            keyframe->frames[i].entry_tick != stack->frames[i].entry_tick)
            return false;
    stream->tick = next->info.first_tick;
    return true;
}

static enum pt_status take_chunk(struct pt_stream *stream)
{
    enum pt_status status = read_chunk(stream, &stream->thread->thread->chunks[stream->next_chunk++]);
    if (status == PT_NOMEM && stream->stack.depth < PT_STACK_DEPTH_MAX)
        return PT_NOMEM;
    stream->totals.unmatched = stream->stack.unmatched;
    stream->totals.missing = stream->stack.missing;
    stream->broken = status != PT_OK;
    stream->totals.bad_chunks += stream->broken;
    return stream->is_cut && stream->stack.aside ? PT_CORRUPT : PT_OK;
}

/* Behind the last chunk. */
static enum pt_status finish(struct pt_stream *stream)
{
    if (stream->end_chunk < stream->thread->thread->chunk_count && !fits_next_chunk(stream))
        return PT_CORRUPT;
    PT_TRY(pt_stream_stacks_close(stream, 1));
    if (stream->place != 0)
        pt_stream_steps_put(stream, PT_STEP_SWITCH, 0, stream->tick);
    stream->over = true;
    return PT_OK;
}

enum pt_status pt_stream_next(struct pt_stream *stream, const struct pt_step **steps, size_t *count)
{
    do {
        if (stream->over)
            return PT_END;
        stream->step_count = 0;
        PT_TRY(stream->next_chunk < stream->end_chunk ? take_chunk(stream) : finish(stream));
        *steps = stream->steps;
        *count = stream->step_count;
        if (stream->filtered)
            PT_TRY(filter_steps(stream, steps, count));
        else if (stream->compensated)
            pt_compensation_apply(&stream->thread->origin->compensation, stream->steps, stream->step_count,
                                  &stream->spent);
    } while (*count == 0 && !stream->run);
    return PT_OK;
}

bool pt_stream_at_cut(const struct pt_stream *stream)
{
    return stream->over && stream->end_chunk < stream->thread->thread->chunk_count;
}

void pt_stream_exchange(struct pt_stream *stream, struct pt_step **steps, size_t *capacity)
{
    struct pt_step **own = stream->filtered ? &stream->filter.steps : &stream->steps;
    size_t *own_capacity = stream->filtered ? &stream->filter.step_capacity : &stream->step_capacity;
    struct pt_step *taken = *own;
    size_t taken_capacity = *own_capacity;
    *own = *steps;
    *own_capacity = *capacity;
    *steps = taken;
    *capacity = taken_capacity;
}
