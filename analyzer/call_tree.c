#include "call_tree.h"

#include <stdlib.h>
#include <string.h>

#include "stash.h"

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
    uint32_t capacity; /* of nodes */
    uint32_t *slots;   /* hash of (parent, function) to node, open addressing, 0 is free */
    uint32_t slot_mask;
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

static uint32_t hash_of(uint32_t parent, uint32_t function)
{
    uint64_t key = ((uint64_t)parent << 32 | function) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(key >> 32);
}

/* The slot that holds the child, or the free one where it belongs. */
static uint32_t *find_slot(struct pt_call_tree *tree, uint32_t parent, uint32_t function)
{
    struct pt_call_tree_private *inner = tree->inner;
    uint32_t at = hash_of(parent, function) & inner->slot_mask;
    for (;;) {
        uint32_t node = inner->slots[at];
        if (!node || (tree->nodes[node].parent == parent && tree->nodes[node].function == function))
            return &inner->slots[at];
        at = (at + 1) & inner->slot_mask;
    }
}

/* Room for twice as many nodes; the hash stays at most half full. */
static enum pt_status grow(struct pt_call_tree *tree)
{
    struct pt_call_tree_private *inner = tree->inner;
    uint64_t capacity = inner->capacity ? 2 * (uint64_t)inner->capacity : 1024;
    struct pt_call_node *nodes;
    uint32_t *slots;

    if (capacity > UINT32_C(1) << 30)
        return PT_NOMEM;
    nodes = reallocarray(tree->nodes, capacity, sizeof *nodes);
    if (!nodes)
        return PT_NOMEM;
    tree->nodes = nodes;
    slots = calloc(2 * capacity, sizeof *slots);
    if (!slots)
        return PT_NOMEM;
    free(inner->slots);
    inner->slots = slots;
    inner->slot_mask = (uint32_t)(2 * capacity - 1);
    inner->capacity = (uint32_t)capacity;
    for (uint32_t node = 1; node < tree->count; node++)
        *find_slot(tree, nodes[node].parent, nodes[node].function) = node;
    return PT_OK;
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
        if (tree->count == tree->inner->capacity) {
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
    free(tree->inner->slots);
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

static enum pt_status enter(struct pt_call_tree *tree, const struct pt_step *step, uint32_t *current)
{
    struct pt_call_tree_private *inner = tree->inner;
    struct active *active = &inner->active[step->function];
    bool folded = inner->collapse && active->node;
    uint32_t node = active->node;

    if (!folded)
        PT_TRY(find_child(tree, *current, step->function, &node));
    PT_TRY(push(inner, node, folded));
    if (step->kind == PT_STEP_CALL) {
        tree->nodes[node].calls++;
        tree->nodes[node].primitive += !folded;
    }
    if (inner->collapse) {
        active->node = node;
        if (++active->depth > tree->nodes[node].recursion)
            tree->nodes[node].recursion = active->depth;
    }
    *current = node;
    return PT_OK;
}

static void leave(struct pt_call_tree *tree, const struct pt_step *step, uint32_t *current)
{
    struct pt_call_tree_private *inner = tree->inner;
    if (inner->frame_count <= 1)
        return;
    const struct frame *left = &inner->frames[--inner->frame_count];
    struct pt_call_node *node = &tree->nodes[left->node];

    node->raised += step->kind == PT_STEP_RAISE;
    if (inner->collapse) {
        struct active *active = &inner->active[node->function];
        active->depth--;
        if (!left->folded)
            active->node = 0;
    }
    *current = inner->frames[inner->frame_count - 1].node;
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

enum pt_status pt_call_tree_add(struct pt_call_tree *tree, const struct pt_step *steps, size_t count)
{
    struct pt_call_tree_private *inner = tree->inner;
    uint32_t current = inner->frames[inner->frame_count - 1].node;
    bool paused = inner->paused;
    uint64_t clock = inner->started || !count ? inner->clock : steps[0].clock;

    for (size_t i = 0; i < count; i++) {
        const struct pt_step *step = &steps[i];
        if (paused)
            tree->nodes[current].other_ticks += step->clock - clock;
        else
            tree->nodes[current].self_ticks += step->clock - clock;
        clock = step->clock;
        switch ((enum pt_step_kind)step->kind) {
        case PT_STEP_CALL:
        case PT_STEP_OPEN:
            PT_TRY(enter(tree, step, &current));
            break;
        case PT_STEP_LEAVE:
        case PT_STEP_RAISE:
        case PT_STEP_CLOSE:
            leave(tree, step, &current);
            break;
        case PT_STEP_PAUSE:
        case PT_STEP_SKIP:
            paused = step->kind == PT_STEP_PAUSE;
            break;
        case PT_STEP_SWITCH:
            PT_TRY(switch_to(tree, step, &current));
            break;
        case PT_STEP_LINE:
        case PT_STEP_OPCODE:
        case PT_STEP_EXCEPTION:
            break; /* not asked for */
        }
    }
    inner->clock = clock;
    inner->paused = paused;
    inner->started = true;
    return PT_OK;
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
