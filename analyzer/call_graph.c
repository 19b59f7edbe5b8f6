#include "call_graph.h"

#include <stdlib.h>

#include "replay.h"

#define KEY_WORDS 2 /* caller and callee */

static enum pt_status grow_edges(struct pt_call_graph *graph)
{
    void *table = graph->edges;
    enum pt_status status = pt_row_index_grow(&graph->index, &table, graph->count, sizeof *graph->edges, KEY_WORDS);
    graph->edges = table;
    return status;
}

static enum pt_status grow_frames(struct pt_call_graph *graph)
{
    size_t capacity = graph->frame_capacity ? 2 * graph->frame_capacity : 64;
    struct pt_call_graph_frame *frames = reallocarray(graph->frames, capacity, sizeof *frames);
    if (!frames)
        return PT_NOMEM;
    if (graph->frame_capacity == 0)
        frames[0] = (struct pt_call_graph_frame){.function = pt_call_graph_nobody(graph)};
    graph->frames = frames;
    graph->frame_capacity = capacity;
    return PT_OK;
}

enum pt_status pt_call_graph_init(struct pt_call_graph *graph, size_t functions)
{
    *graph = (struct pt_call_graph){.functions = (uint32_t)functions, .count = 1};
    graph->active = calloc(functions + 2, sizeof *graph->active);
    graph->recent = calloc(functions + 2, sizeof *graph->recent);
    if (!graph->active || !graph->recent)
        return PT_NOMEM;
    PT_TRY(grow_frames(graph));
    return grow_edges(graph);
}

void pt_call_graph_release(struct pt_call_graph *graph)
{
    free(graph->edges);
    pt_row_index_release(&graph->index);
    free(graph->recent);
    free(graph->active);
    free(graph->frames);
    pt_stash_release(&graph->stash);
    *graph = (struct pt_call_graph){0};
}

/* --- Steps ------------------------------------------------------------------------------------------------------ */

static enum pt_status find_edge(struct pt_call_graph *graph, uint32_t caller, uint32_t callee, uint32_t *edge)
{
    const uint32_t key[KEY_WORDS] = {caller, callee};
    *edge = graph->recent[caller];
    if (*edge && graph->edges[*edge].callee == callee)
        return PT_OK;
    if (graph->count == graph->index.capacity)
        PT_TRY(grow_edges(graph));
    uint32_t *slot = pt_row_index_find(&graph->index, graph->edges, sizeof *graph->edges, key, KEY_WORDS);
    if (*slot == 0) {
        *slot = graph->count++;
        graph->edges[*slot] = (struct pt_call_edge){.caller = caller, .callee = callee};
    }
    *edge = graph->recent[caller] = *slot;
    return PT_OK;
}

static enum pt_status enter(struct pt_call_graph *graph, uint32_t function, uint64_t clock, bool call)
{
    uint32_t at;
    if (graph->depth + 1 == graph->frame_capacity)
        PT_TRY(grow_frames(graph));
    PT_TRY(find_edge(graph, graph->frames[graph->depth].function, function, &at));
    struct pt_call_edge *edge = &graph->edges[at];
    edge->calls += call;
    edge->unnested += call && edge->active == 0;
    edge->primitive += call && graph->active[function] == 0;
    edge->active++;
    graph->active[function]++;
    graph->frames[++graph->depth] =
        (struct pt_call_graph_frame){.entry_clock = clock, .function = function, .edge = at};
    return PT_OK;
}

static void leave(struct pt_call_graph *graph, uint64_t clock)
{
    if (graph->depth == 0)
        return;
    const struct pt_call_graph_frame *frame = &graph->frames[graph->depth--];
    struct pt_call_edge *edge = &graph->edges[frame->edge];
    uint64_t duration = clock - frame->entry_clock;
    if (--edge->active == 0)
        edge->ticks.span += duration;
    if (--graph->active[frame->function] == 0)
        edge->ticks.total += duration;
}

static void count_frames(struct pt_call_graph *graph, uint32_t by, uint64_t away)
{
    for (size_t i = 1; i <= graph->depth; i++) {
        struct pt_call_graph_frame *frame = &graph->frames[i];
        graph->active[frame->function] += by;
        graph->edges[frame->edge].active += by;
        frame->entry_clock += away;
    }
}

/* Another greenlet goes on, with frames of its own: what is recursion is told by them alone. */
static enum pt_status switch_to(struct pt_call_graph *graph, const struct pt_step *step)
{
    struct pt_stash_stack stack = {.frames = graph->frames, .depth = graph->depth, .capacity = graph->frame_capacity};
    uint64_t away;
    count_frames(graph, UINT32_MAX, 0);
    PT_TRY(pt_stash_switch(&graph->stash, step->function, step->clock, &stack, &away));
    graph->frames = stack.frames;
    graph->depth = stack.depth;
    graph->frame_capacity = stack.capacity;
    if (!graph->frames)
        PT_TRY(grow_frames(graph));
    count_frames(graph, 1, away);
    return PT_OK;
}

enum pt_status pt_call_graph_add(struct pt_call_graph *graph, const struct pt_step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct pt_step *step = &steps[i];
        if (graph->depth > 0)
            graph->edges[graph->frames[graph->depth].edge].ticks.self += step->clock - graph->last;
        graph->last = step->clock;
        switch ((enum pt_step_kind)step->kind) {
        case PT_STEP_CALL:
        case PT_STEP_OPEN:
            PT_TRY(enter(graph, step->function, step->clock, step->kind == PT_STEP_CALL));
            break;
        case PT_STEP_LEAVE:
        case PT_STEP_RAISE:
        case PT_STEP_CLOSE:
            leave(graph, step->clock);
            break;
        case PT_STEP_PAUSE:
            graph->paused = graph->depth > 0; /* else it is nobody's in any case */
            if (graph->paused)
                PT_TRY(enter(graph, pt_call_graph_unrecorded(graph), step->clock, true));
            break;
        case PT_STEP_SKIP:
            if (graph->paused)
                leave(graph, step->clock);
            graph->paused = false;
            break;
        case PT_STEP_SWITCH:
            PT_TRY(switch_to(graph, step));
            break;
        case PT_STEP_LINE:
        case PT_STEP_OPCODE:
        case PT_STEP_EXCEPTION:
            break; /* not asked for */
        }
    }
    return PT_OK;
}

/* --- Sums ------------------------------------------------------------------------------------------------------- */

/* Ticks count on within a trace; only where another one begins, whose ticks are of another length, they are turned into time. */
static void settle(struct pt_call_graph *graph)
{
    for (uint32_t i = 1; i < graph->count; i++) {
        struct pt_call_edge *edge = &graph->edges[i];
        edge->ns.self += (uint64_t)((double)edge->ticks.self * graph->tick_ns + 0.5);
        edge->ns.span += (uint64_t)((double)edge->ticks.span * graph->tick_ns + 0.5);
        edge->ns.total += (uint64_t)((double)edge->ticks.total * graph->tick_ns + 0.5);
        edge->ticks = (struct pt_call_times){0};
    }
}

void pt_call_graph_begin(struct pt_call_graph *graph, double tick_ns)
{
    if (tick_ns != graph->tick_ns)
        settle(graph);
    graph->tick_ns = tick_ns;
}

static int compare_edges(const void *a, const void *b)
{
    const struct pt_call_edge *x = a, *y = b;
    if (x->callee != y->callee)
        return x->callee < y->callee ? -1 : 1;
    return x->caller < y->caller ? -1 : x->caller > y->caller;
}

void pt_call_graph_finish(struct pt_call_graph *graph)
{
    settle(graph);
    qsort(graph->edges + 1, graph->count - 1, sizeof *graph->edges, compare_edges);
}

/* --- Reading a whole input -------------------------------------------------------------------------------------- */

static enum pt_status begin_thread(void *context, const struct pt_input_thread *thread)
{
    pt_call_graph_begin(context, thread->origin->tick_ns);
    return PT_OK;
}

static enum pt_status add_steps(void *context, const struct pt_step *steps, size_t count)
{
    return pt_call_graph_add(context, steps, count);
}

enum pt_status pt_call_graph_read(struct pt_call_graph *graph, struct pt_report *report,
                                  const struct pt_stream_view *view, size_t functions)
{
    struct pt_replay_sink sink = {.context = graph, .thread = begin_thread, .steps = add_steps};
    PT_TRY(pt_call_graph_init(graph, functions));
    PT_TRY(pt_replay(report, view, &sink));
    pt_call_graph_finish(graph);
    return PT_OK;
}
