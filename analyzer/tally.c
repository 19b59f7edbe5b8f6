#include "tally.h"

#include <math.h>
#include <stdlib.h>

#include "stream_walk.h"

enum pt_status pt_tally_init(struct pt_tally *tally, size_t count, double tick_ns)
{
    *tally = (struct pt_tally){.entry_count = count, .tick_ns = tick_ns, .frame_capacity = 256};
    tally->entries = calloc(count + 1, sizeof *tally->entries);
    tally->frames = calloc(tally->frame_capacity, sizeof *tally->frames);
    return tally->entries && tally->frames ? PT_OK : PT_NOMEM;
}

void pt_tally_release(struct pt_tally *tally)
{
    if (tally->entries)
        for (size_t i = 0; i < tally->entry_count; i++)
            pt_histogram_release(&tally->entries[i].durations);
    free(tally->entries);
    free(tally->frames);
    free(tally->before);
    free(tally->behind);
    pt_stash_release(&tally->stash);
    *tally = (struct pt_tally){0};
}

/* --- Steps ------------------------------------------------------------------------------------------------------ */

/* Room for `more` frames above those that are open. */
static enum pt_status reserve(struct pt_tally *tally, size_t more)
{
    if (tally->frames && tally->frame_capacity > tally->depth + more)
        return PT_OK;
    const size_t capacity = 2 * tally->depth + more + 1;
    struct pt_tally_frame *frames = reallocarray(tally->frames, capacity, sizeof *frames);
    if (!frames)
        return PT_NOMEM;
    tally->frames = frames;
    tally->frame_capacity = capacity;
    return PT_OK;
}

/* What is at hand while steps are taken. */
struct hot {
    struct pt_tally *tally;
    struct pt_tally_entry *entries;
    struct pt_tally_frame *top;
    uint64_t last;
};

static PT_STREAM_INLINE void pick_up(struct hot *hot, struct pt_tally *tally)
{
    *hot = (struct hot){tally, tally->entries, &tally->frames[tally->depth], tally->last};
}

static PT_STREAM_INLINE void put_down(const struct hot *hot)
{
    hot->tally->depth = (size_t)(hot->top - hot->tally->frames);
    hot->tally->last = hot->last;
}

static PT_STREAM_INLINE void pass(struct hot *hot, uint64_t clock)
{
    hot->top->self += clock - hot->last;
    hot->last = clock;
}

/* The frame at `height`, which is that of no call, is left. It may be one that was open at the cut before. */
static void note_end(struct pt_tally *tally, size_t height, uint64_t duration)
{
    if (height <= tally->before_open) {
        tally->before_open = height - 1;
        tally->before[height - 1] = duration;
    }
}

static PT_STREAM_INLINE void enter(struct hot *hot, uint32_t number, uint32_t call, uint64_t clock)
{
    struct pt_tally_entry *entry = &hot->entries[number];
    pass(hot, clock);
    *++hot->top =
        (struct pt_tally_frame){.entry_clock = clock, .entry = entry, .active = ++entry->active, .call = call};
}

static PT_STREAM_INLINE enum pt_status leave(struct hot *hot, enum pt_step_kind kind, uint64_t clock)
{
    pass(hot, clock);
    const struct pt_tally_frame *frame = hot->top--;
    struct pt_tally_entry *entry = frame->entry;
    if (!entry)
        __builtin_unreachable(); /* the stream leaves only what it has entered */
    entry->self += frame->self;
    entry->calls += frame->call;
    entry->raised += kind == PT_STEP_RAISE;
    entry->active--;
    if (frame->active > entry->recursion)
        entry->recursion = frame->active;
    const uint64_t duration = clock - frame->entry_clock;
    if (__builtin_expect(!frame->call, 0))
        note_end(hot->tally, (size_t)(frame - hot->tally->frames), duration);
    if (frame->active > 1)
        return PT_OK;
    entry->primitive += frame->call;
    entry->total += duration;
    return frame->call ? pt_histogram_add(&entry->durations, duration) : PT_OK;
}

/* Another greenlet goes on, with frames of its own: what is recursion is told by them alone. */
static enum pt_status switch_to(struct pt_tally *tally, const struct pt_step *step, size_t more)
{
    struct pt_stash_stack stack = {.frames = tally->frames, .depth = tally->depth, .capacity = tally->frame_capacity};
    uint64_t away;
    for (size_t i = 1; i <= tally->depth; i++)
        tally->frames[i].entry->active--;
    PT_TRY(pt_stash_switch(&tally->stash, step->function, step->clock, &stack, &away));
    const bool is_new = !stack.frames;
    tally->frames = stack.frames;
    tally->depth = stack.depth;
    tally->frame_capacity = stack.capacity;
    PT_TRY(reserve(tally, more));
    if (is_new)
        tally->frames[0] = (struct pt_tally_frame){0};
    for (size_t i = 1; i <= tally->depth; i++) {
        tally->frames[i].entry->active++;
        tally->frames[i].entry_clock += away;
    }
    return PT_OK;
}

enum pt_status pt_tally_add(struct pt_tally *tally, const struct pt_step *steps, size_t count)
{
    struct hot hot;
    enum pt_status status = PT_OK;
    if (tally->depth == 0 && count > 0)
        tally->last = steps[0].clock; /* a thread begins: its clock has nothing to do with that of the thread before */
    PT_TRY(reserve(tally, count));
    pick_up(&hot, tally);
    for (size_t i = 0; i < count && status == PT_OK; i++) {
        const struct pt_step *step = &steps[i];
        switch ((enum pt_step_kind)step->kind) {
        case PT_STEP_CALL:
        case PT_STEP_OPEN:
            enter(&hot, step->function, step->kind == PT_STEP_CALL, step->clock);
            break;
        case PT_STEP_LEAVE:
        case PT_STEP_RAISE:
        case PT_STEP_CLOSE:
            status = leave(&hot, step->kind, step->clock);
            break;
        case PT_STEP_SWITCH:
            pass(&hot, step->clock);
            put_down(&hot);
            status = switch_to(tally, step, count - i);
            pick_up(&hot, tally);
            break;
        case PT_STEP_SKIP:
            hot.last = step->clock;
            break;
        case PT_STEP_PAUSE:
        case PT_STEP_LINE:
        case PT_STEP_OPCODE:
        case PT_STEP_EXCEPTION:
            pass(&hot, step->clock);
            break;
        }
    }
    put_down(&hot);
    return status;
}

/* --- Cuts ------------------------------------------------------------------------------------------------------- */

/* What is open now goes on from the share before. */
static enum pt_status begin_behind_cut(struct pt_tally *tally)
{
    tally->before = calloc(tally->depth + 1, sizeof *tally->before);
    if (!tally->before)
        return PT_NOMEM;
    tally->before_count = tally->before_open = tally->depth;
    return PT_OK;
}

enum pt_status pt_tally_cut(struct pt_tally *tally, const struct pt_step *steps, size_t count)
{
    tally->behind = calloc(tally->depth + 1, sizeof *tally->behind);
    if (!tally->behind)
        return PT_NOMEM;
    for (size_t i = 1; i <= tally->depth; i++) {
        struct pt_tally_frame *frame = &tally->frames[i];
        tally->behind[tally->behind_count++] = (struct pt_tally_span){
            .number = (uint32_t)(frame->entry - tally->entries),
            .timed = frame->call && frame->active == 1,
            .duration = steps[0].clock - frame->entry_clock,
        };
        /* The call counts here; what follows is but its time. */
        frame->entry->calls += frame->call;
        frame->entry->primitive += frame->call && frame->active == 1;
        frame->call = 0;
    }
    const size_t still_open = tally->before_open;
    enum pt_status status = pt_tally_add(tally, steps, count);
    tally->before_open = still_open;
    return status;
}

/* Calls that were open behind `into`, and have ended in `from`, get their durations now; the others wait for the next
 * share. */
static enum pt_status join(struct pt_tally *into, struct pt_tally *from)
{
    if (from->before_count != into->behind_count)
        return PT_MISUSE;
    for (size_t i = 0; i < from->before_count; i++) {
        struct pt_tally_span *span = &into->behind[i];
        if (i < from->before_open && i < from->behind_count) {
            from->behind[i].duration += span->duration;
            from->behind[i].timed = span->timed;
        } else if (span->timed) {
            PT_TRY(pt_histogram_add(&into->entries[span->number].durations, span->duration + from->before[i]));
        }
    }
    free(into->behind);
    into->behind = from->behind;
    into->behind_count = from->behind_count;
    from->behind = NULL;
    from->behind_count = 0;
    return PT_OK;
}

/* --- Chunks ----------------------------------------------------------------------------------------------------- */

static PT_STREAM_INLINE enum pt_status enter_plain(void *hot, const struct pt_stream_symbol *symbol, uint64_t tick)
{
    enter(hot, symbol->shown, 1, tick);
    return PT_OK;
}

static PT_STREAM_INLINE enum pt_status leave_plain(void *hot, enum pt_step_kind kind, uint64_t tick)
{
    return leave(hot, kind, tick);
}

static PT_STREAM_INLINE void pause_tally(void *hot, struct pt_stream *stream)
{
    (void)stream;
    put_down(hot);
}

/* What the slow path has made is taken like any steps. */
static PT_STREAM_INLINE enum pt_status go_on(void *hot, struct pt_stream *stream)
{
    struct pt_tally *tally = ((struct hot *)hot)->tally;
    enum pt_status status = pt_tally_add(tally, stream->steps, stream->step_count);
    stream->step_count = 0;
    if (status == PT_OK)
        status = reserve(tally, stream->chunk.info.entries);
    if (status == PT_OK && stream->resumes)
        status = begin_behind_cut(tally);
    stream->resumes = false;
    if (tally->depth == 0)
        tally->last = stream->tick;
    pick_up(hot, tally);
    return status;
}

static const struct pt_stream_taker tally_taker = {enter_plain, leave_plain, pause_tally, go_on};

enum pt_status pt_tally_run(void *context, struct pt_stream *stream)
{
    struct hot hot = {.tally = context};
    return pt_stream_walk(stream, &tally_taker, &hot);
}

/* --- Sums of sums ----------------------------------------------------------------------------------------------- */

/* Sums that are compensated may be less than nothing. */
static uint64_t scaled(uint64_t sum, double factor)
{
    return factor == 1.0 ? sum : (uint64_t)llround((double)(int64_t)sum * factor);
}

enum pt_status pt_tally_merge(struct pt_tally *into, const struct pt_tally *from)
{
    double factor = from->tick_ns == into->tick_ns ? 1.0 : from->tick_ns / into->tick_ns;
    for (size_t i = 0; i < from->entry_count; i++) {
        struct pt_tally_entry *to = &into->entries[i];
        const struct pt_tally_entry *entry = &from->entries[i];
        to->self += scaled(entry->self, factor);
        to->total += scaled(entry->total, factor);
        to->calls += entry->calls;
        to->primitive += entry->primitive;
        to->raised += entry->raised;
        to->exceptions += entry->exceptions;
        if (entry->recursion > to->recursion)
            to->recursion = entry->recursion;
        PT_TRY(pt_histogram_merge(&to->durations, &entry->durations, factor));
    }
    return PT_OK;
}

enum pt_status pt_tally_append(struct pt_tally *into, struct pt_tally *from)
{
    PT_TRY(join(into, from));
    return pt_tally_merge(into, from);
}
