#include "stream_filter.h"

#include <stdlib.h>

void pt_stream_filter_begin(struct pt_stream_filter *filter, const struct pt_stream_view *view,
                            const struct pt_input_trace *origin)
{
    *filter = (struct pt_stream_filter){
        .view = view,
        .compensation = &origin->compensation,
        .from = origin->from_tick,
        .to = origin->to_tick,
        .frames = filter->frames,
        .capacity = filter->capacity,
        .stash = filter->stash,
        .steps = filter->steps,
        .step_capacity = filter->step_capacity,
    };
}

void pt_stream_filter_release(struct pt_stream_filter *filter)
{
    free(filter->frames);
    pt_stash_release(&filter->stash);
    free(filter->steps);
    *filter = (struct pt_stream_filter){0};
}

static enum pt_status put(struct pt_stream_filter *filter, enum pt_step_kind kind, uint32_t function)
{
    if (filter->step_count == filter->step_capacity) {
        size_t capacity = filter->step_capacity ? filter->step_capacity * 2 : 1024;
        struct pt_step *steps = realloc(filter->steps, capacity * sizeof *steps);
        if (!steps)
            return PT_NOMEM;
        filter->steps = steps;
        filter->step_capacity = capacity;
    }
    filter->steps[filter->step_count++] = (struct pt_step){
        .clock = filter->view->real_time ? filter->now : filter->clock,
        .function = function,
        .kind = kind,
    };
    return PT_OK;
}

/* Whether the stack as it is makes a kept moment, the range apart. */
static bool kept(const struct pt_stream_filter *filter)
{
    unsigned filters = filter->view->filters;
    return filter->depth > 0 && filter->ignored == 0 && (!(filters & PT_FILTER_FOCUS) || filter->focused > 0) &&
           (!(filters & PT_FILTER_ROOT) || filter->rooted > 0);
}

/* Frames below the outermost root function never come out, nor do hidden ones. `rooted` counts root frames up to and
 * with `frame`. */
static bool showable(const struct pt_stream_filter *filter, const struct pt_stream_filter_frame *frame, bool rooted)
{
    return !(frame->flags & PT_FILTER_HIDE) && (rooted || !(filter->view->filters & PT_FILTER_ROOT));
}

/* From now on nothing is kept, for some time. */
static enum pt_status begin_left_out(struct pt_stream_filter *filter)
{
    if (!filter->view->real_time || filter->left_out || filter->reached == 0)
        return PT_OK;
    filter->left_out = true;
    return put(filter, PT_STEP_PAUSE, PT_STREAM_LEFT_OUT);
}

static enum pt_status end_left_out(struct pt_stream_filter *filter)
{
    if (!filter->left_out)
        return PT_OK;
    filter->left_out = false;
    return put(filter, PT_STEP_SKIP, 0);
}

/* A kept moment has come: every frame that it stands on comes out. */
static enum pt_status reach(struct pt_stream_filter *filter)
{
    bool rooted = false;
    PT_TRY(end_left_out(filter));
    if (filter->reached == filter->depth)
        return PT_OK;
    for (size_t i = 0; i < filter->reached && !rooted; i++)
        rooted = filter->frames[i].flags & PT_FILTER_ROOT;
    for (; filter->reached < filter->depth; filter->reached++) {
        const struct pt_stream_filter_frame *frame = &filter->frames[filter->reached];
        rooted = rooted || frame->flags & PT_FILTER_ROOT;
        if (showable(filter, frame, rooted))
            PT_TRY(put(filter, frame->kind, frame->function));
    }
    return PT_OK;
}

/* Lets the time up to `clock` pass over the stack as it is. */
static enum pt_status advance(struct pt_stream_filter *filter, uint64_t clock)
{
    uint64_t from = filter->last > filter->from ? filter->last : filter->from;
    uint64_t to = clock < filter->to ? clock : filter->to;
    filter->now = from;
    if (filter->begun && from < to && kept(filter)) {
        PT_TRY(reach(filter));
        filter->clock += (to - from) << filter->compensation->shift;
    } else if (filter->begun && from < to) {
        PT_TRY(begin_left_out(filter));
    }
    filter->begun = true;
    filter->last = clock;
    filter->now = clock < filter->from ? filter->from : to;
    return PT_OK;
}

static void count_in(struct pt_stream_filter *filter, uint8_t flags)
{
    filter->focused += !!(flags & PT_FILTER_FOCUS);
    filter->ignored += !!(flags & PT_FILTER_IGNORE);
    filter->rooted += !!(flags & PT_FILTER_ROOT);
}

static void count_out(struct pt_stream_filter *filter, uint8_t flags)
{
    filter->focused -= !!(flags & PT_FILTER_FOCUS);
    filter->ignored -= !!(flags & PT_FILTER_IGNORE);
    filter->rooted -= !!(flags & PT_FILTER_ROOT);
}

/* The innermost frame goes. */
static enum pt_status leave(struct pt_stream_filter *filter, enum pt_step_kind kind)
{
    const struct pt_stream_filter_frame *frame = &filter->frames[--filter->depth];
    if (filter->reached > filter->depth) {
        filter->reached = filter->depth;
        PT_TRY(end_left_out(filter));
        if (showable(filter, frame, filter->rooted > 0))
            PT_TRY(put(filter, kind, 0));
    }
    count_out(filter, frame->flags);
    return PT_OK;
}

/* Part of what the call has cost falls into this moment. */
static void take_away(struct pt_stream_filter *filter, const struct pt_step *step, uint64_t cost)
{
    if (step->kind == PT_STEP_CALL && step->clock >= filter->from && kept(filter))
        filter->clock -= cost;
}

static enum pt_status enter(struct pt_stream_filter *filter, const struct pt_step *step)
{
    take_away(filter, step, filter->compensation->costs[step->cost].caller);
    if (filter->depth == filter->capacity) {
        size_t capacity = filter->capacity ? filter->capacity * 2 : 256;
        struct pt_stream_filter_frame *frames = realloc(filter->frames, capacity * sizeof *frames);
        if (!frames)
            return PT_NOMEM;
        filter->frames = frames;
        filter->capacity = capacity;
    }
    bool before = step->clock < filter->from;
    uint8_t flags = filter->view->filters ? filter->view->flags[step->function] : 0;
    filter->frames[filter->depth++] = (struct pt_stream_filter_frame){
        .function = step->function,
        .kind = before ? PT_STEP_OPEN : (uint8_t)step->kind,
        .flags = flags,
    };
    count_in(filter, flags);
    if (!before && kept(filter))
        PT_TRY(reach(filter));
    take_away(filter, step, filter->compensation->costs[step->cost].own);
    return PT_OK;
}

/* What happens inside of a frame comes out if the frame does. */
static enum pt_status pass_inner(struct pt_stream_filter *filter, const struct pt_step *step)
{
    if (step->clock < filter->from || !kept(filter))
        return PT_OK;
    PT_TRY(reach(filter));
    if (!showable(filter, &filter->frames[filter->depth - 1], filter->rooted > 0))
        return PT_OK;
    return put(filter, step->kind, step->function);
}

/* Another greenlet goes on: frames that have come out of it stay where they are, at the same place of the stream that
 * comes out. */
static enum pt_status switch_to(struct pt_stream_filter *filter, uint32_t place)
{
    struct pt_stash_stack stack = {filter->frames, filter->depth, filter->capacity, filter->reached, 0};
    uint64_t away;
    PT_TRY(end_left_out(filter));
    PT_TRY(pt_stash_switch(&filter->stash, place, filter->clock, &stack, &away));
    filter->focused = filter->ignored = filter->rooted = 0;
    filter->frames = stack.frames;
    filter->depth = stack.depth;
    filter->capacity = stack.capacity;
    filter->reached = stack.mark;
    for (size_t i = 0; i < filter->depth; i++)
        count_in(filter, filter->frames[i].flags);
    return put(filter, PT_STEP_SWITCH, place);
}

/* The range is over: every frame is closed, of all greenlets. */
static enum pt_status end(struct pt_stream_filter *filter)
{
    filter->ended = true;
    while (filter->depth > 0)
        PT_TRY(leave(filter, PT_STEP_CLOSE));
    for (size_t place = filter->stash.count; place-- > 0;) {
        if (place != 0 && (place == filter->stash.place || filter->stash.stacks[place].depth == 0))
            continue;
        PT_TRY(switch_to(filter, (uint32_t)place));
        while (filter->depth > 0)
            PT_TRY(leave(filter, PT_STEP_CLOSE));
    }
    return PT_OK;
}

enum pt_status pt_stream_filter_run(struct pt_stream_filter *filter, const struct pt_step *steps, size_t count)
{
    filter->step_count = 0;
    for (size_t i = 0; i < count && !filter->ended; i++) {
        const struct pt_step *step = &steps[i];
        PT_TRY(advance(filter, step->clock));
        if (step->clock >= filter->to)
            return end(filter);
        switch (step->kind) {
        case PT_STEP_CALL:
        case PT_STEP_OPEN:
            PT_TRY(enter(filter, step));
            break;
        case PT_STEP_PAUSE:
        case PT_STEP_SKIP:
            if (filter->left_out && kept(filter))
                PT_TRY(end_left_out(filter));
            if (!filter->left_out)
                PT_TRY(put(filter, step->kind, 0));
            break;
        case PT_STEP_SWITCH:
            PT_TRY(switch_to(filter, step->function));
            break;
        case PT_STEP_LINE:
        case PT_STEP_OPCODE:
        case PT_STEP_EXCEPTION:
            PT_TRY(pass_inner(filter, step));
            break;
        default:
            PT_TRY(leave(filter, step->kind));
            break;
        }
    }
    return PT_OK;
}
