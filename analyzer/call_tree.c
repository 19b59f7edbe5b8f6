#include "call_tree.h"

#include <stdlib.h>
#include <string.h>

#include "row_index.h"
#include "stash.h"
#include "stream_walk.h"

/* A frame of the thread that is being read. */
struct frame {
    uint32_t node;
    bool folded; /* an outer frame of the same function holds the same node */
};

/* What is on the stack of a function: where its calls fold to. */
struct active {
    uint32_t node; /* 0: not on the stack */
    uint32_t depth;
};

struct pt_call_tree_private {
    struct pt_row_index index; /* by parent and function */
    bool collapse;
    struct active *active; /* by function, if recursion is collapsed */
    uint32_t top;          /* the node below which the thread stands */
    struct frame *frames;  /* of the greenlet that runs; [0] is `top` */
    size_t frame_count;
    size_t frame_capacity;
    struct pt_stash stash;
    uint64_t clock; /* of the last step */
    bool started;   /* `clock` holds something */
    bool paused;
    double tick_ns;
};

static uint32_t *find_slot(const struct pt_call_tree *tree, uint32_t parent, uint32_t function)
{
    return pt_row_index_find(&tree->inner->index, tree->nodes, sizeof *tree->nodes, (uint32_t[]){parent, function}, 2);
}

static enum pt_status grow(struct pt_call_tree *tree)
{
    void *nodes = tree->nodes;
    enum pt_status status = pt_row_index_grow(&tree->inner->index, &nodes, tree->count, sizeof *tree->nodes, 2);
    tree->nodes = nodes;
    return status;
}

/* The child of `parent` for `function`, made if need be. */
static enum pt_status find_child(struct pt_call_tree *tree, uint32_t parent, uint32_t function, uint32_t *child)
{
    uint32_t recent = tree->nodes[parent].recent_child;
    if (recent && tree->nodes[recent].function == function) {
        *child = recent;
        return PT_OK;
    }
    uint32_t *slot = find_slot(tree, parent, function);
    if (!*slot) {
        if (tree->count == tree->inner->index.capacity) {
            PT_TRY(grow(tree));
            slot = find_slot(tree, parent, function);
        }
        *slot = tree->count;
        tree->nodes[tree->count++] = (struct pt_call_node){
            .parent = parent,
            .function = function,
            .next_sibling = tree->nodes[parent].first_child,
            .recursion = 1,
        };
        tree->nodes[parent].first_child = *slot;
    }
    *child = tree->nodes[parent].recent_child = *slot;
    return PT_OK;
}

static enum pt_status push(struct pt_call_tree_private *inner, uint32_t node, bool folded)
{
    if (inner->frame_count == inner->frame_capacity) {
        size_t capacity = inner->frame_capacity ? 2 * inner->frame_capacity : 16;
        struct frame *frames = reallocarray(inner->frames, capacity, sizeof *frames);
        if (!frames)
            return PT_NOMEM;
        inner->frames = frames;
        inner->frame_capacity = capacity;
    }
    inner->frames[inner->frame_count++] = (struct frame){node, folded};
    return PT_OK;
}

enum pt_status pt_call_tree_new(struct pt_call_tree **out, size_t functions, bool collapse)
{
    struct pt_call_tree *tree = calloc(1, sizeof *tree);
    struct pt_call_tree_private *inner = calloc(1, sizeof *inner);
    enum pt_status status = PT_NOMEM;

    if (!tree || !inner) {
        free(tree);
        free(inner);
        return PT_NOMEM;
    }
    tree->inner = inner;
    inner->collapse = collapse;
    inner->active = calloc(functions + 1, sizeof *inner->active);
    if (!inner->active)
        goto cleanup;
    status = grow(tree);
    if (status != PT_OK)
        goto cleanup;
    tree->nodes[0] = (struct pt_call_node){.recursion = 1};
    tree->count = 1;
    *out = tree;
    tree = NULL;

cleanup:
    pt_call_tree_free(tree);
    return status;
}

void pt_call_tree_free(struct pt_call_tree *tree)
{
    if (!tree)
        return;
    pt_row_index_release(&tree->inner->index);
    free(tree->inner->active);
    free(tree->inner->frames);
    pt_stash_release(&tree->inner->stash);
    free(tree->inner);
    free(tree->nodes);
    free(tree);
}

/* Ticks count on within a trace; only where another one begins, whose ticks are of another length, they are turned into time. */
static void settle(struct pt_call_tree *tree)
{
    double tick_ns = tree->inner->tick_ns;
    for (uint32_t i = 0; i < tree->count; i++) {
        struct pt_call_node *node = &tree->nodes[i];
        node->self_ns += pt_stream_ns(node->self_ticks, tick_ns);
        node->other_ns += pt_stream_ns(node->other_ticks, tick_ns);
        node->self_ticks = node->other_ticks = 0;
    }
}

enum pt_status pt_call_tree_begin(struct pt_call_tree *tree, uint32_t group, double tick_ns)
{
    struct pt_call_tree_private *inner = tree->inner;

    if (tick_ns != inner->tick_ns)
        settle(tree);
    inner->tick_ns = tick_ns;
    inner->started = false;
    inner->paused = false;
    inner->frame_count = 0;
    inner->top = 0;
    if (group < PT_CALL_TREE_GROUP)
        PT_TRY(find_child(tree, 0, PT_CALL_TREE_GROUP | group, &inner->top));
    return push(inner, inner->top, false);
}

/* What is at hand while steps are taken. */
struct hot {
    struct pt_call_tree *tree;
    uint32_t current; /* the node on top */
    uint64_t clock;
};

static PT_STREAM_INLINE void pass(struct hot *hot, uint64_t clock)
{
    hot->tree->nodes[hot->current].self_ticks += clock - hot->clock;
    hot->clock = clock;
}

static PT_STREAM_INLINE enum pt_status enter(struct hot *hot, uint32_t function, uint32_t call)
{
    struct pt_call_tree *tree = hot->tree;
    struct pt_call_tree_private *inner = tree->inner;
    struct active *active = &inner->active[function];
    bool folded = inner->collapse && active->node;
    uint32_t node = active->node;

    if (!folded)
        PT_TRY(find_child(tree, hot->current, function, &node));
    PT_TRY(push(inner, node, folded));
    tree->nodes[node].calls += call;
    tree->nodes[node].primitive += call & !folded;
    if (inner->collapse) {
        active->node = node;
        if (++active->depth > tree->nodes[node].recursion)
            tree->nodes[node].recursion = active->depth;
    }
    hot->current = node;
    return PT_OK;
}

static PT_STREAM_INLINE void leave(struct hot *hot, enum pt_step_kind kind)
{
    struct pt_call_tree_private *inner = hot->tree->inner;
    if (inner->frame_count <= 1)
        return;
    const struct frame *left = &inner->frames[--inner->frame_count];
    struct pt_call_node *node = &hot->tree->nodes[left->node];

    node->raised += kind == PT_STEP_RAISE;
    if (inner->collapse) {
        struct active *active = &inner->active[node->function];
        active->depth--;
        if (!left->folded)
            active->node = 0;
    }
    hot->current = inner->frames[inner->frame_count - 1].node;
}

/* Another greenlet goes on, with frames of its own: what folds is told by them alone. */
static enum pt_status switch_to(struct pt_call_tree *tree, const struct pt_step *step, uint32_t *current)
{
    struct pt_call_tree_private *inner = tree->inner;
    struct pt_stash_stack stack = {inner->frames, inner->frame_count, inner->frame_capacity, 0, 0};
    uint64_t away;
    for (size_t i = 1; inner->collapse && i < inner->frame_count; i++)
        inner->active[tree->nodes[inner->frames[i].node].function] = (struct active){0};
    PT_TRY(pt_stash_switch(&inner->stash, step->function, step->clock, &stack, &away));
    inner->frames = stack.frames;
    inner->frame_count = 0;
    inner->frame_capacity = stack.capacity;
    PT_TRY(push(inner, inner->top, false));
    if (stack.depth > 0)
        inner->frame_count = stack.depth;
    for (size_t i = 1; inner->collapse && i < inner->frame_count; i++) {
        struct active *active = &inner->active[tree->nodes[inner->frames[i].node].function];
        active->node = inner->frames[i].node;
        active->depth++;
    }
    *current = inner->frames[inner->frame_count - 1].node;
    return PT_OK;
}

static void pick_up(struct hot *hot, struct pt_call_tree *tree)
{
    const struct pt_call_tree_private *inner = tree->inner;
    *hot = (struct hot){tree, inner->frames[inner->frame_count - 1].node, inner->clock};
}

enum pt_status pt_call_tree_add(struct pt_call_tree *tree, const struct pt_step *steps, size_t count)
{
    struct pt_call_tree_private *inner = tree->inner;
    enum pt_status status = PT_OK;
    struct hot hot;
    if (!inner->started && count > 0)
        inner->clock = steps[0].clock;
    inner->started = inner->started || count > 0;
    pick_up(&hot, tree);
    for (size_t i = 0; i < count && status == PT_OK; i++) {
        const struct pt_step *step = &steps[i];
        if (inner->paused) {
            tree->nodes[hot.current].other_ticks += step->clock - hot.clock;
            hot.clock = step->clock;
        }
        pass(&hot, step->clock);
        switch ((enum pt_step_kind)step->kind) {
        case PT_STEP_CALL:
        case PT_STEP_OPEN:
            status = enter(&hot, step->function, step->kind == PT_STEP_CALL);
            break;
        case PT_STEP_LEAVE:
        case PT_STEP_RAISE:
        case PT_STEP_CLOSE:
            leave(&hot, step->kind);
            break;
        case PT_STEP_PAUSE:
        case PT_STEP_SKIP:
            inner->paused = step->kind == PT_STEP_PAUSE;
            break;
        case PT_STEP_SWITCH:
            status = switch_to(tree, step, &hot.current);
            break;
        case PT_STEP_LINE:
        case PT_STEP_OPCODE:
        case PT_STEP_EXCEPTION:
            break; /* not asked for */
        }
    }
    inner->clock = hot.clock;
    return status;
}

/* --- Chunks ------------------------------------------------------------------------------------------------------- */

static PT_STREAM_INLINE enum pt_status enter_plain(void *context, const struct pt_stream_symbol *symbol, uint64_t tick)
{
    struct hot *hot = context;
    pass(hot, tick);
    return enter(hot, symbol->shown, 1);
}

static PT_STREAM_INLINE enum pt_status leave_plain(void *context, enum pt_step_kind kind, uint64_t tick)
{
    struct hot *hot = context;
    pass(hot, tick);
    leave(hot, kind);
    return PT_OK;
}

static PT_STREAM_INLINE void pause_tree(void *context, struct pt_stream *stream)
{
    const struct hot *hot = context;
    (void)stream;
    hot->tree->inner->clock = hot->clock;
}

/* What the slow path has made is taken like any steps. No chunk begins between a PAUSE and its SKIP. */
static PT_STREAM_INLINE enum pt_status go_on(void *context, struct pt_stream *stream)
{
    struct pt_call_tree *tree = ((struct hot *)context)->tree;
    struct pt_call_tree_private *inner = tree->inner;
    enum pt_status status = pt_call_tree_add(tree, stream->steps, stream->step_count);
    stream->step_count = 0;
    if (!inner->started)
        inner->clock = stream->tick;
    inner->started = true;
    pick_up(context, tree);
    return status;
}

static const struct pt_stream_taker tree_taker = {enter_plain, leave_plain, pause_tree, go_on};

enum pt_status pt_call_tree_run(void *context, struct pt_stream *stream)
{
    struct hot hot = {.tree = context};
    return pt_stream_walk(stream, &tree_taker, &hot);
}

/* --- Sums --------------------------------------------------------------------------------------------------------- */

enum pt_status pt_call_tree_merge(struct pt_call_tree *into, const struct pt_call_tree *from)
{
    uint32_t *places = calloc(from->count, sizeof *places); /* of the nodes of `from`, in `into` */
    enum pt_status status = places ? PT_OK : PT_NOMEM;
    if (from->count > 1 && into->inner->tick_ns != from->inner->tick_ns) {
        settle(into);
        into->inner->tick_ns = from->inner->tick_ns;
    }
    for (uint32_t i = 1; i < from->count && status == PT_OK; i++)
        status = find_child(into, places[from->nodes[i].parent], from->nodes[i].function, &places[i]);
    for (uint32_t i = 0; i < from->count && status == PT_OK; i++) {
        const struct pt_call_node *node = &from->nodes[i];
        struct pt_call_node *to = &into->nodes[places[i]];
        to->calls += node->calls;
        to->primitive += node->primitive;
        to->raised += node->raised;
        to->self_ticks += node->self_ticks;
        to->other_ticks += node->other_ticks;
        to->recursion = node->recursion > to->recursion ? node->recursion : to->recursion;
    }
    free(places);
    return status;
}

void pt_call_tree_finish(struct pt_call_tree *tree)
{
    settle(tree);
    for (uint32_t i = tree->count; i-- > 0;) {
        struct pt_call_node *node = &tree->nodes[i];
        /* Time under an empty stack is no function's. */
        if (i == 0 || node->function & PT_CALL_TREE_GROUP)
            node->self_ns = node->other_ns = 0;
        node->total_ns += node->self_ns + node->other_ns;
        if (i > 0)
            tree->nodes[node->parent].total_ns += node->total_ns;
    }
}
