#include "edges.h"

#include <stdbool.h>
#include <stdlib.h>

#include "stash.h"

#define NOT_CHOSEN UINT32_MAX

struct frame {
    uint32_t function;
    uint32_t chosen;  /* index into functions, NOT_CHOSEN for all others */
    uint32_t resumes; /* of an inner activation: the callee's edge that its function's time goes to when it is left */
};

/* A chosen function on the stack of the thread that is being read. */
struct active {
    uint32_t depth;        /* activations; nothing below means anything while there is none */
    uint32_t caller;       /* edge of the outermost one */
    uint32_t callee;       /* edge that time goes to now; 0: self time */
    uint64_t entered_tick; /* the outermost one */
    uint64_t since_tick;   /* time until here was given out */
};

struct pt_edges_private {
    uint32_t *chosen; /* by function: index into functions, or NOT_CHOSEN */
    struct active *active;
    struct frame *frames;
    size_t depth;
    size_t capacity;
    bool paused;
    double tick_ns;
    struct pt_stash stash;        /* frames of greenlets that do not run */
    struct pt_stash active_stash; /* and what is to be kept of the chosen functions on their stacks */
};

/* --- Edges, found by their ends ----------------------------------------------------------------------------------- */

static uint32_t *find_slot(const struct pt_edge_list *list, uint32_t chosen, uint32_t other)
{
    return pt_row_index_find(&list->index, list->edges, sizeof *list->edges, (uint32_t[]){chosen, other}, 2);
}

static enum pt_status grow(struct pt_edge_list *list)
{
    void *edges = list->edges;
    enum pt_status status = pt_row_index_grow(&list->index, &edges, list->count, sizeof *list->edges, 2);
    list->edges = edges;
    list->count = list->count ? list->count : 1;
    return status;
}

/* The edge between two ends, made if need be. */
static enum pt_status find_edge(struct pt_edge_list *list, uint32_t chosen, uint32_t other, uint32_t *edge)
{
    uint32_t *slot = find_slot(list, chosen, other);
    if (!*slot) {
        if (list->count == list->index.capacity) {
            PT_TRY(grow(list));
            slot = find_slot(list, chosen, other);
        }
        *slot = list->count;
        list->edges[list->count++] = (struct pt_edge){.chosen = chosen, .other = other};
    }
    *edge = *slot;
    return PT_OK;
}

/* --- Life --------------------------------------------------------------------------------------------------------- */

static void release_list(struct pt_edge_list *list)
{
    free(list->edges);
    pt_row_index_release(&list->index);
}

enum pt_status pt_edges_new(struct pt_edges **out, const uint8_t *flags, size_t count)
{
    struct pt_edges *edges = calloc(1, sizeof *edges);
    struct pt_edges_private *inner = calloc(1, sizeof *inner);
    uint32_t chosen = 0;

    if (!edges || !inner) {
        free(edges);
        free(inner);
        return PT_NOMEM;
    }
    edges->inner = inner;
    for (size_t i = 0; i < count; i++)
        edges->function_count += (flags[i] & PT_FILTER_MATCH) != 0;
    edges->functions = calloc(edges->function_count + 1, sizeof *edges->functions);
    inner->active = calloc(edges->function_count + 1, sizeof *inner->active);
    inner->chosen = malloc((count + 1) * sizeof *inner->chosen);
    if (!edges->functions || !inner->active || !inner->chosen || grow(&edges->callers) != PT_OK ||
        grow(&edges->callees) != PT_OK) {
        pt_edges_free(edges);
        return PT_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        inner->chosen[i] = flags[i] & PT_FILTER_MATCH ? chosen : NOT_CHOSEN;
        if (inner->chosen[i] != NOT_CHOSEN)
            edges->functions[chosen++].function = (uint32_t)i;
    }
    *out = edges;
    return PT_OK;
}

void pt_edges_free(struct pt_edges *edges)
{
    if (!edges)
        return;
    free(edges->inner->chosen);
    free(edges->inner->active);
    free(edges->inner->frames);
    pt_stash_release(&edges->inner->stash);
    pt_stash_release(&edges->inner->active_stash);
    free(edges->inner);
    release_list(&edges->callers);
    release_list(&edges->callees);
    free(edges->functions);
    free(edges);
}

/* --- Steps -------------------------------------------------------------------------------------------------------- */

/* Gives the time since the last look to what the innermost activation runs. */
static void charge(struct pt_edges *edges, uint32_t chosen, uint64_t clock)
{
    struct active *active = &edges->inner->active[chosen];
    uint64_t ticks = clock - active->since_tick;

    if (active->callee)
        edges->callees.edges[active->callee].ticks += ticks;
    else if (edges->inner->paused)
        edges->functions[chosen].other_ticks += ticks;
    else
        edges->functions[chosen].self_ticks += ticks;
    active->since_tick = clock;
}

/* The part of an enter that concerns the caller: its time goes to the callee now. */
static enum pt_status enter_from(struct pt_edges *edges, const struct pt_step *step, uint32_t caller)
{
    uint32_t edge;
    charge(edges, caller, step->clock);
    PT_TRY(find_edge(&edges->callees, caller, step->function, &edge));
    edges->callees.edges[edge].calls += step->kind == PT_STEP_CALL;
    edges->inner->active[caller].callee = edge;
    return PT_OK;
}

/* The part that concerns the function entered. */
static enum pt_status enter_chosen(struct pt_edges *edges, const struct pt_step *step, uint32_t caller,
                                   struct frame *frame)
{
    struct active *active = &edges->inner->active[frame->chosen];
    struct pt_edges_function *function = &edges->functions[frame->chosen];
    bool is_call = step->kind == PT_STEP_CALL;
    uint32_t edge;

    PT_TRY(find_edge(&edges->callers, frame->chosen, caller, &edge));
    edges->callers.edges[edge].calls += is_call;
    function->calls += is_call;
    if (active->depth == 0) {
        function->primitive += is_call;
        active->caller = edge;
        active->entered_tick = active->since_tick = step->clock;
    } else {
        charge(edges, frame->chosen, step->clock);
        frame->resumes = active->callee;
    }
    active->callee = 0;
    if (++active->depth > function->recursion)
        function->recursion = active->depth;
    return PT_OK;
}

static enum pt_status enter(struct pt_edges *edges, const struct pt_step *step)
{
    struct pt_edges_private *inner = edges->inner;
    const struct frame *top = inner->depth ? &inner->frames[inner->depth - 1] : NULL;
    struct frame frame = {.function = step->function, .chosen = inner->chosen[step->function]};

    if (top && top->chosen != NOT_CHOSEN)
        PT_TRY(enter_from(edges, step, top->chosen));
    if (frame.chosen != NOT_CHOSEN)
        PT_TRY(enter_chosen(edges, step, top ? top->function : PT_EDGES_NOBODY, &frame));
    if (!inner->frames || inner->depth == inner->capacity) {
        size_t capacity = inner->capacity ? 2 * inner->capacity : 256;
        struct frame *frames = reallocarray(inner->frames, capacity, sizeof *frames);
        if (!frames)
            return PT_NOMEM;
        inner->frames = frames;
        inner->capacity = capacity;
    }
    inner->frames[inner->depth++] = frame;
    return PT_OK;
}

static void leave(struct pt_edges *edges, const struct pt_step *step)
{
    struct pt_edges_private *inner = edges->inner;
    if (inner->depth == 0)
        return;
    const struct frame *left = &inner->frames[--inner->depth];

    if (left->chosen != NOT_CHOSEN) {
        struct active *active = &inner->active[left->chosen];
        charge(edges, left->chosen, step->clock);
        edges->functions[left->chosen].raised += step->kind == PT_STEP_RAISE;
        active->callee = left->resumes;
        if (--active->depth == 0)
            edges->callers.edges[active->caller].ticks += step->clock - active->entered_tick;
    }
    if (inner->depth > 0) {
        const struct frame *top = &inner->frames[inner->depth - 1];
        if (top->chosen != NOT_CHOSEN) {
            charge(edges, top->chosen, step->clock);
            inner->active[top->chosen].callee = 0;
        }
    }
}

/* Self time of the innermost function ends, or begins again, without a change of the stack. */
static void pause_or_resume(struct pt_edges *edges, const struct pt_step *step)
{
    struct pt_edges_private *inner = edges->inner;
    const struct frame *top = inner->depth ? &inner->frames[inner->depth - 1] : NULL;
    if (top && top->chosen != NOT_CHOSEN)
        charge(edges, top->chosen, step->clock);
    inner->paused = step->kind == PT_STEP_PAUSE;
}

/* A chosen function on a stack that is set aside. */
struct resting {
    uint32_t chosen;
    struct active active;
};

static enum pt_status keep_active(struct pt_edges *edges, uint64_t clock, struct pt_stash_stack *resting)
{
    struct pt_edges_private *inner = edges->inner;
    resting->frames = NULL;
    for (size_t i = 0; i < inner->depth; i++) {
        const uint32_t chosen = inner->frames[i].chosen;
        if (chosen == NOT_CHOSEN || inner->active[chosen].depth == 0)
            continue;
        if (resting->depth == resting->capacity) {
            resting->capacity = resting->capacity ? 2 * resting->capacity : 4;
            struct resting *more = reallocarray(resting->frames, resting->capacity, sizeof *more);
            if (!more)
                return PT_NOMEM;
            resting->frames = more;
        }
        charge(edges, chosen, clock);
        ((struct resting *)resting->frames)[resting->depth++] = (struct resting){chosen, inner->active[chosen]};
        inner->active[chosen].depth = 0;
    }
    return PT_OK;
}

/* Another greenlet goes on: time, callers and recursion of the chosen functions are those of its stack. */
static enum pt_status switch_to(struct pt_edges *edges, const struct pt_step *step)
{
    struct pt_edges_private *inner = edges->inner;
    struct pt_stash_stack frames = {inner->frames, inner->depth, inner->capacity, 0, 0};
    struct pt_stash_stack resting = {0};
    uint64_t away;
    enum pt_status status = keep_active(edges, step->clock, &resting);
    if (status == PT_OK)
        status = pt_stash_switch(&inner->active_stash, step->function, step->clock, &resting, &away);
    if (status == PT_OK)
        status = pt_stash_switch(&inner->stash, step->function, step->clock, &frames, &away);
    for (size_t i = 0; i < resting.depth && status == PT_OK; i++) {
        const struct resting *one = (struct resting *)resting.frames + i;
        struct active *active = &inner->active[one->chosen];
        *active = one->active;
        active->entered_tick += away;
        active->since_tick = step->clock;
    }
    free(resting.frames);
    PT_TRY(status);
    inner->frames = frames.frames;
    inner->depth = frames.depth;
    inner->capacity = frames.capacity;
    return PT_OK;
}

enum pt_status pt_edges_add(struct pt_edges *edges, const struct pt_step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        switch ((enum pt_step_kind)steps[i].kind) {
        case PT_STEP_CALL:
        case PT_STEP_OPEN:
            PT_TRY(enter(edges, &steps[i]));
            break;
        case PT_STEP_LEAVE:
        case PT_STEP_RAISE:
        case PT_STEP_CLOSE:
            leave(edges, &steps[i]);
            break;
        case PT_STEP_PAUSE:
        case PT_STEP_SKIP:
            pause_or_resume(edges, &steps[i]);
            break;
        case PT_STEP_SWITCH:
            PT_TRY(switch_to(edges, &steps[i]));
            break;
        case PT_STEP_LINE:
        case PT_STEP_OPCODE:
        case PT_STEP_EXCEPTION:
            break; /* not asked for */
        }
    }
    return PT_OK;
}

/* --- Ticks to time ------------------------------------------------------------------------------------------------ */

static void move_ticks(uint64_t *ns, uint64_t *ticks, double tick_ns)
{
    *ns += pt_stream_ns(*ticks, tick_ns);
    *ticks = 0;
}

/* Ticks count on within a trace; only where another one begins, whose ticks are of another length, they are turned into time. */
static void settle(struct pt_edges *edges)
{
    double tick_ns = edges->inner->tick_ns;
    for (uint32_t i = 0; i < edges->function_count; i++) {
        move_ticks(&edges->functions[i].self_ns, &edges->functions[i].self_ticks, tick_ns);
        move_ticks(&edges->functions[i].other_ns, &edges->functions[i].other_ticks, tick_ns);
    }
    for (uint32_t i = 1; i < edges->callers.count; i++)
        move_ticks(&edges->callers.edges[i].ns, &edges->callers.edges[i].ticks, tick_ns);
    for (uint32_t i = 1; i < edges->callees.count; i++)
        move_ticks(&edges->callees.edges[i].ns, &edges->callees.edges[i].ticks, tick_ns);
}

void pt_edges_begin(struct pt_edges *edges, double tick_ns)
{
    if (tick_ns != edges->inner->tick_ns)
        settle(edges);
    edges->inner->tick_ns = tick_ns;
    edges->inner->depth = 0;
    edges->inner->paused = false;
}

void pt_edges_finish(struct pt_edges *edges)
{
    settle(edges);
    for (uint32_t i = 1; i < edges->callers.count; i++)
        edges->functions[edges->callers.edges[i].chosen].total_ns += edges->callers.edges[i].ns;
}
