/* Callers and callees of chosen functions: who calls them, whom they call, how often and for how long.
 *
 * The time of a function, counted once under recursion (its total time), is split twice, each time without a rest:
 * - among its callers: the time of an outermost activation belongs to the caller of that activation;
 * - among itself and its callees: a moment belongs to whatever the innermost activation runs: itself (self time), or the function that it
 *   has called (that one's edge).
 * So calls of a function from within itself count as calls of their edge, but add no time to it. */
#ifndef PT_EDGES_H
#define PT_EDGES_H

#include <stddef.h>
#include <stdint.h>

#include "row_index.h"
#include "status.h"
#include "stream.h"

/* Instead of a function: the outermost frame of a thread has no caller. */
#define PT_EDGES_NOBODY UINT32_MAX

/* A chosen function. */
struct pt_edges_function {
    uint32_t function;
    uint32_t recursion; /* most activations at once on a stack */
    uint64_t calls;
    uint64_t primitive;
    uint64_t raised;
    uint64_t self_ticks; /* as in pt_call_node: what was not turned into time yet */
    uint64_t other_ticks;
    uint64_t self_ns;
    uint64_t other_ns; /* stalls and gaps: total, but nobody's self time */
    uint64_t total_ns; /* valid after pt_edges_finish */
};

struct pt_edge {
    uint32_t chosen; /* index into functions */
    uint32_t other;  /* the caller, or the callee; PT_EDGES_NOBODY */
    uint64_t calls;
    uint64_t ticks;
    uint64_t ns;
};

/* Edges of one direction; in no order, those of a function anywhere. */
struct pt_edge_list {
    struct pt_edge *edges; /* [0] is not used */
    uint32_t count;
    struct pt_row_index index; /* by chosen and other */
};

struct pt_edges_private;

struct pt_edges {
    struct pt_edges_function *functions;
    uint32_t function_count;
    struct pt_edge_list callers;
    struct pt_edge_list callees;
    struct pt_edges_private *inner;
};

/* The chosen functions are those of `count` whose flags have PT_FILTER_MATCH. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_edges_new(struct pt_edges **out, const uint8_t *flags, size_t count);
void pt_edges_free(struct pt_edges *edges);

/* The steps that follow are of another thread. Requires that every frame of the thread before was left. */
void pt_edges_begin(struct pt_edges *edges, double tick_ns);
PT_MUST_USE enum pt_status pt_edges_add(struct pt_edges *edges, const struct pt_step *steps, size_t count);

/* Turns ticks into nanoseconds. Call once, at the end. */
void pt_edges_finish(struct pt_edges *edges);

#endif
