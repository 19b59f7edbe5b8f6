#include "edges_order.h"

#include <stdlib.h>

static int compare_edges(const void *a, const void *b, void *context)
{
    const struct pt_edge *edges = context;
    const struct pt_edge *x = &edges[*(const uint32_t *)a], *y = &edges[*(const uint32_t *)b];
    if (x->chosen != y->chosen)
        return x->chosen < y->chosen ? -1 : 1;
    if (x->ns != y->ns)
        return x->ns > y->ns ? -1 : 1;
    if (x->calls != y->calls)
        return x->calls > y->calls ? -1 : 1;
    return x->other < y->other ? -1 : x->other > y->other;
}

static enum pt_status sort_side(struct pt_edges_side *side, const struct pt_edge_list *list, uint32_t functions)
{
    uint32_t at = 0;

    side->order = malloc(list->count * sizeof *side->order);
    side->first = malloc(((size_t)functions + 1) * sizeof *side->first);
    if (!side->order || !side->first)
        return PT_NOMEM;
    for (uint32_t edge = 1; edge < list->count; edge++)
        side->order[edge - 1] = edge;
    qsort_r(side->order, list->count - 1, sizeof *side->order, compare_edges, list->edges);
    for (uint32_t function = 0; function <= functions; function++) {
        while (at < list->count - 1 && list->edges[side->order[at]].chosen < function)
            at++;
        side->first[function] = at;
    }
    return PT_OK;
}

static int compare_functions(const void *a, const void *b, void *context)
{
    const struct pt_edges_function *functions = context;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    if (functions[left].total_ns != functions[right].total_ns)
        return functions[left].total_ns > functions[right].total_ns ? -1 : 1;
    return left < right ? -1 : left > right;
}

enum pt_status pt_edges_order_make(struct pt_edges_order *order, const struct pt_edges *edges)
{
    *order = (struct pt_edges_order){0};
    PT_TRY(sort_side(&order->callers, &edges->callers, edges->function_count));
    PT_TRY(sort_side(&order->callees, &edges->callees, edges->function_count));
    order->functions = malloc(((size_t)edges->function_count + 1) * sizeof *order->functions);
    if (!order->functions)
        return PT_NOMEM;
    /* A function that was met has a caller, nobody at least. */
    for (uint32_t i = 0; i < edges->function_count; i++)
        if (order->callers.first[i] < order->callers.first[i + 1])
            order->functions[order->count++] = i;
    qsort_r(order->functions, order->count, sizeof *order->functions, compare_functions, edges->functions);
    return PT_OK;
}

void pt_edges_order_release(struct pt_edges_order *order)
{
    free(order->functions);
    free(order->callers.order);
    free(order->callers.first);
    free(order->callees.order);
    free(order->callees.first);
    *order = (struct pt_edges_order){0};
}
