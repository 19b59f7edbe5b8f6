/* Edges in the order in which reports show them. */
#ifndef PT_EDGES_ORDER_H
#define PT_EDGES_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "edges.h"
#include "status.h"

/* The edges of chosen function `f` are those numbered order[first[f]] to order[first[f + 1] - 1], the greatest time first. */
struct pt_edges_side {
    uint32_t *order;
    uint32_t *first;
};

struct pt_edges_order {
    uint32_t *functions; /* those of the chosen functions that were met, the greatest total time first */
    size_t count;
    struct pt_edges_side callers;
    struct pt_edges_side callees;
};

/* Sorts finished edges. PT_NOMEM. Release in any case. */
PT_MUST_USE enum pt_status pt_edges_order_make(struct pt_edges_order *order, const struct pt_edges *edges);
void pt_edges_order_release(struct pt_edges_order *order);

#endif
