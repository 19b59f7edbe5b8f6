#include "line_times.h"

#include <stdbool.h>
#include <stdlib.h>

#include "stash.h"

#define NOT_CHOSEN UINT32_MAX

struct frame {
    uint32_t chosen; /* index into functions, NOT_CHOSEN for all others */
    uint32_t line;   /* entry that it is in now */
    bool is_c;       /* what is told of the inside of a function is told of the innermost one that is not */
};

struct pt_line_times_private {
    const struct pt_input *input;
    uint32_t *chosen; /* by function: index into functions, or NOT_CHOSEN */
    struct frame *frames;
    size_t depth;
    size_t capacity;
    uint64_t last; /* clock of the last step */
    double tick_ns;
    struct pt_stash stash;
};

/* --- Entries, found by function and place ------------------------------------------------------------------------ */

static uint32_t *find_slot(const struct pt_line_list *list, uint32_t chosen, uint32_t place)
{
    return pt_row_index_find(&list->index, list->entries, sizeof *list->entries, (uint32_t[]){chosen, place}, 2);
}

static enum pt_status grow(struct pt_line_list *list)
{
    void *entries = list->entries;
    enum pt_status status = pt_row_index_grow(&list->index, &entries, list->count, sizeof *list->entries, 2);
    list->entries = entries;
    list->count = list->count ? list->count : 1;
    return status;
}

/* The entry of a place, made if need be. */
static enum pt_status find_entry(struct pt_line_list *list, uint32_t chosen, uint32_t place, uint32_t *entry)
{
    uint32_t *slot = find_slot(list, chosen, place);
    if (!*slot) {
        if (list->count == list->index.capacity) {
            PT_TRY(grow(list));
            slot = find_slot(list, chosen, place);
        }
        *slot = list->count;
        list->entries[list->count++] = (struct pt_line_time){.chosen = chosen, .place = place, .line = place};
    }
    *entry = *slot;
    return PT_OK;
}

/* --- Life -------------------------------------------------------------------------------------------------------- */

static bool is_chosen(const struct pt_input *input, const uint8_t *flags, size_t number)
{
    return flags[number] & PT_FILTER_MATCH && input->functions[number].kind == PT_NAME_PYTHON;
}

enum pt_status pt_line_times_new(struct pt_line_times **out, const struct pt_input *input, const uint8_t *flags)
{
    struct pt_line_times *times = calloc(1, sizeof *times);
    struct pt_line_times_private *inner = calloc(1, sizeof *inner);
    uint32_t chosen = 0;
    if (!times || !inner) {
        free(times);
        free(inner);
        return PT_NOMEM;
    }
    times->inner = inner;
    inner->input = input;
    for (size_t i = 0; i < input->function_count; i++)
        times->function_count += is_chosen(input, flags, i);
    times->functions = calloc((size_t)times->function_count + 1, sizeof *times->functions);
    inner->chosen = malloc((input->function_count + 1) * sizeof *inner->chosen);
    if (!times->functions || !inner->chosen || grow(&times->lines) != PT_OK || grow(&times->opcodes) != PT_OK) {
        pt_line_times_free(times);
        return PT_NOMEM;
    }
    for (size_t i = 0; i < input->function_count; i++) {
        inner->chosen[i] = is_chosen(input, flags, i) ? chosen : NOT_CHOSEN;
        if (inner->chosen[i] != NOT_CHOSEN)
            times->functions[chosen++] =
                (struct pt_line_function){.function = (uint32_t)i, .line = input->functions[i].line};
    }
    *out = times;
    return PT_OK;
}

void pt_line_times_free(struct pt_line_times *times)
{
    if (!times)
        return;
    pt_stash_release(&times->inner->stash);
    free(times->inner->chosen);
    free(times->inner->frames);
    free(times->inner);
    free(times->lines.entries);
    pt_row_index_release(&times->lines.index);
    free(times->opcodes.entries);
    pt_row_index_release(&times->opcodes.index);
    free(times->functions);
    free(times);
}

/* --- Steps ------------------------------------------------------------------------------------------------------- */

static void start(struct pt_line_time *time, uint64_t clock)
{
    if (time->active++ == 0)
        time->since_tick = clock;
}

static void stop(struct pt_line_time *time, uint64_t clock)
{
    if (--time->active == 0)
        time->total_ticks += clock - time->since_tick;
}

static enum pt_status enter(struct pt_line_times *times, const struct pt_step *step)
{
    struct pt_line_times_private *inner = times->inner;
    if (inner->depth == inner->capacity) {
        size_t capacity = inner->capacity ? 2 * inner->capacity : 256;
        struct frame *frames = reallocarray(inner->frames, capacity, sizeof *frames);
        if (!frames)
            return PT_NOMEM;
        inner->frames = frames;
        inner->capacity = capacity;
    }
    struct frame *frame = &inner->frames[inner->depth++];
    *frame = (struct frame){
        .chosen = inner->chosen[step->function],
        .is_c = inner->input->functions[step->function].kind == PT_NAME_C,
    };
    if (frame->chosen == NOT_CHOSEN)
        return PT_OK;
    struct pt_line_function *function = &times->functions[frame->chosen];
    PT_TRY(find_entry(&times->lines, frame->chosen, function->line, &frame->line));
    function->calls += step->kind == PT_STEP_CALL;
    start(&function->time, step->clock);
    start(&times->lines.entries[frame->line], step->clock);
    return PT_OK;
}

static void leave(struct pt_line_times *times, uint64_t clock)
{
    struct pt_line_times_private *inner = times->inner;
    if (inner->depth == 0)
        return;
    const struct frame *frame = &inner->frames[--inner->depth];
    if (frame->chosen == NOT_CHOSEN)
        return;
    stop(&times->functions[frame->chosen].time, clock);
    stop(&times->lines.entries[frame->line], clock);
}

/* A line or an instruction of the innermost function that is not one of C. */
static enum pt_status come_to(struct pt_line_times *times, const struct pt_step *step)
{
    struct pt_line_times_private *inner = times->inner;
    size_t depth = inner->depth;
    while (depth > 0 && inner->frames[depth - 1].is_c)
        depth--;
    if (depth == 0 || inner->frames[depth - 1].chosen == NOT_CHOSEN)
        return PT_OK;
    struct frame *frame = &inner->frames[depth - 1];
    const bool is_line = step->kind == PT_STEP_LINE;
    struct pt_line_list *list = is_line ? &times->lines : &times->opcodes;
    uint32_t entry;
    PT_TRY(find_entry(list, frame->chosen, step->function, &entry));
    list->entries[entry].hits++;
    if (!is_line) {
        list->entries[entry].line = times->lines.entries[frame->line].line;
        return PT_OK;
    }
    stop(&list->entries[frame->line], step->clock);
    start(&list->entries[entry], step->clock);
    frame->line = entry;
    return PT_OK;
}

/* Another greenlet goes on: time passes for the lines on its stack. */
static enum pt_status switch_to(struct pt_line_times *times, const struct pt_step *step)
{
    struct pt_line_times_private *inner = times->inner;
    struct pt_stash_stack frames = {inner->frames, inner->depth, inner->capacity, 0, 0};
    uint64_t away;
    for (size_t i = 0; i < inner->depth; i++) {
        const struct frame *frame = &inner->frames[i];
        if (frame->chosen == NOT_CHOSEN)
            continue;
        stop(&times->functions[frame->chosen].time, step->clock);
        stop(&times->lines.entries[frame->line], step->clock);
    }
    PT_TRY(pt_stash_switch(&inner->stash, step->function, step->clock, &frames, &away));
    inner->frames = frames.frames;
    inner->depth = frames.depth;
    inner->capacity = frames.capacity;
    for (size_t i = 0; i < inner->depth; i++) {
        const struct frame *frame = &inner->frames[i];
        if (frame->chosen == NOT_CHOSEN)
            continue;
        start(&times->functions[frame->chosen].time, step->clock);
        start(&times->lines.entries[frame->line], step->clock);
    }
    return PT_OK;
}

/* The time since the last step is self time of the innermost frame, unless it was spent waiting for the recorder. */
static void charge(struct pt_line_times *times, const struct pt_step *step)
{
    struct pt_line_times_private *inner = times->inner;
    const struct frame *top = inner->depth > 0 ? &inner->frames[inner->depth - 1] : NULL;
    if (top && top->chosen != NOT_CHOSEN && step->kind != PT_STEP_SKIP) {
        times->functions[top->chosen].time.self_ticks += step->clock - inner->last;
        times->lines.entries[top->line].self_ticks += step->clock - inner->last;
    }
    inner->last = step->clock;
}

enum pt_status pt_line_times_add(struct pt_line_times *times, const struct pt_step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        charge(times, &steps[i]);
        switch ((enum pt_step_kind)steps[i].kind) {
        case PT_STEP_CALL:
        case PT_STEP_OPEN:
            PT_TRY(enter(times, &steps[i]));
            break;
        case PT_STEP_LEAVE:
        case PT_STEP_RAISE:
        case PT_STEP_CLOSE:
            leave(times, steps[i].clock);
            break;
        case PT_STEP_SWITCH:
            PT_TRY(switch_to(times, &steps[i]));
            break;
        case PT_STEP_LINE:
        case PT_STEP_OPCODE:
            PT_TRY(come_to(times, &steps[i]));
            break;
        case PT_STEP_PAUSE:
        case PT_STEP_SKIP:
        case PT_STEP_EXCEPTION:
            break;
        }
    }
    return PT_OK;
}

/* --- Ticks to time ----------------------------------------------------------------------------------------------- */

static void settle_time(struct pt_line_time *time, double tick_ns)
{
    time->self_ns += pt_stream_ns(time->self_ticks, tick_ns);
    time->total_ns += pt_stream_ns(time->total_ticks, tick_ns);
    time->self_ticks = time->total_ticks = 0;
}

/* Ticks count on within a trace; where another one begins, they are of another length. */
static void settle(struct pt_line_times *times)
{
    for (uint32_t i = 0; i < times->function_count; i++)
        settle_time(&times->functions[i].time, times->inner->tick_ns);
    for (uint32_t i = 1; i < times->lines.count; i++)
        settle_time(&times->lines.entries[i], times->inner->tick_ns);
}

void pt_line_times_begin(struct pt_line_times *times, double tick_ns)
{
    struct pt_line_times_private *inner = times->inner;
    if (tick_ns != inner->tick_ns)
        settle(times);
    inner->tick_ns = tick_ns;
    inner->depth = 0;
    pt_stash_release(&inner->stash);
}

static int compare(const void *a, const void *b)
{
    const struct pt_line_time *x = a, *y = b;
    if (x->chosen != y->chosen)
        return x->chosen < y->chosen ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

void pt_line_times_finish(struct pt_line_times *times)
{
    settle(times);
    qsort(times->lines.entries + 1, times->lines.count - 1, sizeof *times->lines.entries, compare);
    qsort(times->opcodes.entries + 1, times->opcodes.count - 1, sizeof *times->opcodes.entries, compare);
}
