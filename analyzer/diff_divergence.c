#include "diff_divergence.h"

#include <stdlib.h>

#include "interrupt.h"
#include "report_function.h"
#include "stash.h"
#include "stream.h"

/* What happens in a thread, as far as it is compared. */
enum event { ENTER, LEAVE, SWITCH, END, LOST };

/* One of the two threads, and where it is. */
struct course {
    const uint32_t *numbers; /* by function of the input: what it is matched to */
    struct pt_stream *stream;
    const struct pt_step *steps;
    size_t count;
    size_t at;
    struct pt_stream_totals before; /* of the steps at hand */
    struct pt_stream_totals now;    /* behind them */
    bool complete;                  /* the trace is: where it ends, the thread has ended */
    enum event event;               /* the one that comes next */
    uint32_t number;                /* of ENTER: the function of the input; of SWITCH: the place */
    bool call;                      /* of ENTER: not merely found open */
    uint32_t *frames;               /* open ones: functions of the input */
    size_t depth;
    size_t capacity;
    struct pt_stash stash;
    struct pt_report *report;
};

/* --- Reading one ------------------------------------------------------------------------------------------------ */

static void release_course(struct course *course)
{
    pt_stream_free(course->stream);
    free(course->frames);
    pt_stash_release(&course->stash);
}

static enum pt_status more_steps(struct course *course)
{
    course->at = course->count = 0;
    course->before = course->now;
    if (pt_interrupt_requested())
        return PT_END;
    enum pt_status status = pt_stream_next(course->stream, &course->steps, &course->count);
    course->now = *pt_stream_totals(course->stream);
    pt_progress_step(course->report->progress, course->now.events - course->before.events);
    return status == PT_END ? PT_OK : status; /* no steps: the end */
}

/* Finds the next event and stays before it. */
static enum pt_status look(struct course *course)
{
    for (;; course->at++) {
        if (course->at == course->count) {
            PT_TRY(more_steps(course));
            course->event = course->complete ? END : LOST;
            if (course->count == 0)
                return PT_OK;
            if (course->now.gaps != course->before.gaps || course->now.bad_chunks != course->before.bad_chunks) {
                course->event = LOST;
                return PT_OK;
            }
        }
        const struct pt_step *step = &course->steps[course->at];
        course->number = step->function;
        switch ((enum pt_step_kind)step->kind) {
        case PT_STEP_CALL:
        case PT_STEP_OPEN:
            course->event = ENTER;
            course->call = step->kind == PT_STEP_CALL;
            return PT_OK;
        case PT_STEP_LEAVE:
        case PT_STEP_RAISE:
            course->event = LEAVE;
            return PT_OK;
        case PT_STEP_SWITCH:
            course->event = SWITCH;
            return PT_OK;
        case PT_STEP_CLOSE: /* nobody left this frame: it was open at the end */
            course->event = course->complete ? END : LOST;
            return PT_OK;
        case PT_STEP_PAUSE:
            if (course->now.lost != course->before.lost) {
                course->event = LOST;
                return PT_OK;
            }
            break;
        case PT_STEP_SKIP:
        case PT_STEP_LINE:
        case PT_STEP_OPCODE:
        case PT_STEP_EXCEPTION:
            break;
        }
    }
}

static enum pt_status push(struct course *course, uint32_t function)
{
    if (course->depth == course->capacity) {
        size_t capacity = course->capacity ? 2 * course->capacity : 64;
        uint32_t *frames = reallocarray(course->frames, capacity, sizeof *frames);
        if (!frames)
            return PT_NOMEM;
        course->frames = frames;
        course->capacity = capacity;
    }
    course->frames[course->depth++] = function;
    return PT_OK;
}

/* Goes over the event that comes next. */
static enum pt_status pass(struct course *course)
{
    struct pt_stash_stack stack = {course->frames, course->depth, course->capacity, 0, 0};
    uint64_t away;
    switch (course->event) {
    case ENTER:
        PT_TRY(push(course, course->number));
        break;
    case LEAVE:
        course->depth -= course->depth > 0;
        break;
    case SWITCH:
        PT_TRY(pt_stash_switch(&course->stash, course->number, 0, &stack, &away));
        course->frames = stack.frames;
        course->depth = stack.depth;
        course->capacity = stack.capacity;
        break;
    case END:
    case LOST:
        return PT_OK;
    }
    course->at++;
    return look(course);
}

static enum pt_status begin(struct course *course, const struct pt_input_thread *thread)
{
    course->depth = 0;
    course->complete = pt_trace_complete(thread->origin->trace);
    pt_stash_release(&course->stash);
    pt_stream_begin(course->stream, thread);
    course->at = course->count = 0;
    return look(course);
}

/* --- Side by side ----------------------------------------------------------------------------------------------- */

static bool same_event(const struct course *base, const struct course *new)
{
    if (base->event != new->event)
        return false;
    switch (base->event) {
    case ENTER:
        return base->numbers[base->number] == new->numbers[new->number] && base->call == new->call;
    case SWITCH:
        return base->number == new->number;
    default:
        return true;
    }
}

/* Up to the next call, if there is one; the function called is then the last of the path. */
static enum pt_status go_to_call(struct course *course, uint32_t **path, size_t *depth)
{
    while (course->event != END && course->event != LOST && !(course->event == ENTER && course->call))
        PT_TRY(pass(course));
    if (course->event != ENTER)
        return PT_OK;
    *path = calloc(course->depth + 1, sizeof **path);
    if (!*path)
        return PT_NOMEM;
    for (size_t i = 0; i < course->depth; i++)
        (*path)[i] = course->frames[i];
    (*path)[course->depth] = course->number;
    *depth = course->depth + 1;
    return PT_OK;
}

/* Both stand before the first event that differs: is there a call behind it, and which? */
static enum pt_status describe(struct pt_diff_divergence *found, struct course courses[2])
{
    bool lost = courses[0].event == LOST || courses[1].event == LOST;
    found->course = lost ? PT_DIFF_COURSE_UNKNOWN : PT_DIFF_COURSE_DIFFERS;
    for (int side = 0; side < 2 && !lost; side++)
        PT_TRY(go_to_call(&courses[side], &found->paths[side], &found->depths[side]));
    if (courses[0].event == END && courses[1].event == END)
        found->course = PT_DIFF_COURSE_SAME; /* no call differs, only when a frame was left */
    return PT_OK;
}

static enum pt_status follow(struct pt_diff_divergence *found, struct course courses[2])
{
    struct course *base = &courses[PT_SIDE_BASE];
    PT_TRY(begin(base, found->threads.sides[PT_SIDE_BASE]));
    PT_TRY(begin(&courses[PT_SIDE_NEW], found->threads.sides[PT_SIDE_NEW]));
    while (same_event(&courses[0], &courses[1]) && base->event != END && base->event != LOST) {
        found->calls += base->event == ENTER && base->call;
        PT_TRY(pass(&courses[0]));
        PT_TRY(pass(&courses[1]));
    }
    found->base_calls = found->calls;
    if (base->event != END || courses[PT_SIDE_NEW].event != END)
        PT_TRY(describe(found, courses));
    while (base->event != END && base->event != LOST) { /* to tell how far it went together */
        found->base_calls += base->event == ENTER && base->call;
        PT_TRY(pass(base));
    }
    return PT_OK;
}

static uint64_t events_of(const struct pt_diff_pair *pair)
{
    uint64_t events = 0;
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; pair->sides[side] && i < pair->sides[side]->thread->chunk_count; i++)
            events += pair->sides[side]->thread->chunks[i].info.events;
    return events;
}

enum pt_status pt_diff_divergences_find(struct pt_diff_divergences *divergences, struct pt_report *report,
                                        const struct pt_diff_match *match)
{
    struct course courses[2] = {{.numbers = match->numbers[0], .report = report},
                                {.numbers = match->numbers[1], .report = report}};
    struct pt_diff_pair *pairs = NULL;
    struct pt_stream_view view = {0};
    uint8_t *flags = NULL;
    size_t count = 0;
    enum pt_status status = pt_report_function_view(report, &view, &flags);
    if (status == PT_OK)
        status = pt_diff_threads_pair(&pairs, &count, report->input, 0, report->options->base_count);
    for (int side = 0; side < 2 && status == PT_OK; side++)
        status = pt_stream_new(&courses[side].stream, report->input, &view);
    if (status != PT_OK)
        goto cleanup;
    divergences->threads = calloc(count + 1, sizeof *divergences->threads);
    if (!divergences->threads) {
        status = PT_NOMEM;
        goto cleanup;
    }
    for (size_t i = 0; i < count && status == PT_OK; i++) {
        struct pt_diff_divergence *found = &divergences->threads[divergences->count++];
        *found = (struct pt_diff_divergence){.threads = pairs[i], .course = PT_DIFF_COURSE_ONE_SIDE};
        if (!pairs[i].sides[0] || !pairs[i].sides[1])
            continue;
        found->course = PT_DIFF_COURSE_SAME;
        report->progress->total += events_of(&pairs[i]);
        status = follow(found, courses);
    }
cleanup:
    release_course(&courses[0]);
    release_course(&courses[1]);
    free(pairs);
    free(flags);
    return status;
}

void pt_diff_divergences_release(struct pt_diff_divergences *divergences)
{
    for (size_t i = 0; i < divergences->count; i++) {
        free(divergences->threads[i].paths[0]);
        free(divergences->threads[i].paths[1]);
    }
    free(divergences->threads);
    *divergences = (struct pt_diff_divergences){0};
}
