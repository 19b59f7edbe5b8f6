#include "tree_rows.h"

#include <stdlib.h>
#include <string.h>

/* The walk keeps what is still to be shown on a stack of its own: a tree can be a million levels deep. */
struct walk {
    struct pt_tree_rows *rows;
    const struct pt_call_tree *tree;
    const struct pt_tree_choice *choice;
    uint8_t *reasons; /* by node, enum pt_tree_reason */
    struct pt_tree_row *waiting;
    size_t waiting_count;
    size_t waiting_capacity;
    uint32_t *children; /* of one node, sorted */
    size_t child_capacity;
};

static enum pt_status append(struct pt_tree_row **rows, size_t *count, size_t *capacity, const struct pt_tree_row *row)
{
    if (*count == *capacity) {
        size_t wanted = *capacity ? 2 * *capacity : 256;
        struct pt_tree_row *grown = reallocarray(*rows, wanted, sizeof *grown);
        if (!grown)
            return PT_NOMEM;
        *rows = grown;
        *capacity = wanted;
    }
    (*rows)[(*count)++] = *row;
    return PT_OK;
}

/* --- What to leave out -------------------------------------------------------------------------------------------- */

/* Greater totals first; among equals parents before children, so that what is kept hangs together. */
static int compare_totals(const void *a, const void *b, void *context)
{
    const struct pt_call_node *nodes = context;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    if (nodes[left].total_ns != nodes[right].total_ns)
        return nodes[left].total_ns > nodes[right].total_ns ? -1 : 1;
    return left < right ? -1 : left > right;
}

static enum pt_status drop_beyond_rows(struct walk *walk)
{
    const struct pt_call_tree *tree = walk->tree;
    uint32_t *order = malloc(tree->count * sizeof *order);
    size_t count = 0;

    if (!order)
        return PT_NOMEM;
    for (uint32_t node = 1; node < tree->count; node++)
        if (walk->reasons[node] == PT_TREE_SHOWN)
            order[count++] = node;
    qsort_r(order, count, sizeof *order, compare_totals, tree->nodes);
    for (size_t i = walk->choice->row_max; i < count; i++)
        walk->reasons[order[i]] = PT_TREE_BEYOND_ROWS;
    free(order);
    return PT_OK;
}

static enum pt_status find_reasons(struct walk *walk)
{
    const struct pt_call_tree *tree = walk->tree;
    const struct pt_tree_choice *choice = walk->choice;
    uint32_t *depths = NULL;

    if (choice->depth_max) {
        depths = calloc(tree->count, sizeof *depths);
        if (!depths)
            return PT_NOMEM;
    }
    for (uint32_t node = 1; node < tree->count; node++) {
        if (tree->nodes[node].total_ns < choice->min_ns)
            walk->reasons[node] = PT_TREE_SMALL;
        if (depths) { /* parents stand before their children */
            depths[node] = depths[tree->nodes[node].parent] + 1;
            if (depths[node] > choice->depth_max)
                walk->reasons[node] = PT_TREE_TOO_DEEP;
        }
    }
    free(depths);
    return choice->row_max ? drop_beyond_rows(walk) : PT_OK;
}

/* --- The order of what is shown ----------------------------------------------------------------------------------- */

static int compare_children(const void *a, const void *b, void *context)
{
    const struct walk *walk = context;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    const struct pt_call_node *x = &walk->tree->nodes[left], *y = &walk->tree->nodes[right];
    uint64_t x_key = 0, y_key = 0;

    switch (walk->choice->order) {
    case PT_TREE_BY_TOTAL:
        break;
    case PT_TREE_BY_SELF:
        x_key = x->self_ns;
        y_key = y->self_ns;
        break;
    case PT_TREE_BY_CALLS:
        x_key = x->calls;
        y_key = y->calls;
        break;
    case PT_TREE_BY_NAME: {
        int order = walk->choice->compare_names(walk->choice->context, x->function, y->function);
        if (order != 0)
            return order;
        break;
    }
    }
    if (x_key != y_key)
        return x_key > y_key ? -1 : 1;
    return compare_totals(a, b, walk->tree->nodes);
}

/* The children of `node` that are shown go to walk->children, sorted; the rest is summed up in `rest`. */
static enum pt_status gather_children(struct walk *walk, uint32_t node, size_t *count, struct pt_tree_row *rest)
{
    const struct pt_call_node *nodes = walk->tree->nodes;
    *count = 0;
    for (uint32_t child = nodes[node].first_child; child; child = nodes[child].next_sibling) {
        if (walk->reasons[child] != PT_TREE_SHOWN) {
            rest->hidden++;
            rest->hidden_ns += nodes[child].total_ns;
            if (walk->reasons[child] > rest->reason)
                rest->reason = walk->reasons[child];
            continue;
        }
        if (*count == walk->child_capacity) {
            size_t capacity = walk->child_capacity ? 2 * walk->child_capacity : 64;
            uint32_t *children = reallocarray(walk->children, capacity, sizeof *children);
            if (!children)
                return PT_NOMEM;
            walk->children = children;
            walk->child_capacity = capacity;
        }
        walk->children[(*count)++] = child;
    }
    if (*count > 1)
        qsort_r(walk->children, *count, sizeof *walk->children, compare_children, walk);
    return PT_OK;
}

/* Puts what stands below `node` on the stack, last row first. */
static enum pt_status expand(struct walk *walk, uint32_t node, uint32_t depth)
{
    struct pt_tree_row rest = {.node = node, .depth = depth, .last = true};
    size_t count;

    PT_TRY(gather_children(walk, node, &count, &rest));
    bool shows_rest = rest.hidden && (rest.reason == PT_TREE_TOO_DEEP || rest.hidden_ns >= walk->choice->min_ns);
    if (shows_rest)
        PT_TRY(append(&walk->waiting, &walk->waiting_count, &walk->waiting_capacity, &rest));
    for (size_t i = count; i-- > 0;) {
        struct pt_tree_row row = {.node = walk->children[i], .depth = depth, .last = i == count - 1 && !shows_rest};
        PT_TRY(append(&walk->waiting, &walk->waiting_count, &walk->waiting_capacity, &row));
    }
    return PT_OK;
}

enum pt_status pt_tree_rows_choose(struct pt_tree_rows *rows, const struct pt_call_tree *tree,
                                   const struct pt_tree_choice *choice)
{
    struct walk walk = {.rows = rows, .tree = tree, .choice = choice};
    enum pt_status status = PT_NOMEM;

    walk.reasons = calloc(tree->count, 1);
    if (!walk.reasons)
        goto cleanup;
    status = find_reasons(&walk);
    if (status != PT_OK)
        goto cleanup;
    rows->left_out = tree->count - 1;
    status = expand(&walk, 0, 0);
    while (status == PT_OK && walk.waiting_count) {
        struct pt_tree_row row = walk.waiting[--walk.waiting_count];
        status = append(&rows->rows, &rows->count, &rows->capacity, &row);
        if (status == PT_OK && !row.hidden) {
            rows->left_out--;
            status = expand(&walk, row.node, row.depth + 1);
        }
    }

cleanup:
    free(walk.reasons);
    free(walk.waiting);
    free(walk.children);
    return status;
}

void pt_tree_rows_release(struct pt_tree_rows *rows)
{
    free(rows->rows);
    *rows = (struct pt_tree_rows){0};
}
