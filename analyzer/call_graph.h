/* The call graph: every function, and every caller of it, with the sums that cProfile keeps of them.
 *
 * An edge is a pair of caller and callee. Memory is O(edges + functions + deepest stack). Time in which nobody runs (stalls and
 * gaps) is a function of its own, called by the one that was on top: so what an edge's time is made of is there without a rest. */
#ifndef PT_CALL_GRAPH_H
#define PT_CALL_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "report.h"
#include "row_index.h"
#include "stash.h"
#include "stream.h"

struct pt_call_times {
    uint64_t self;  /* of the callee, when called by this caller */
    uint64_t span;  /* between enter and leave, of the unnested calls */
    uint64_t total; /* the same of the primitive calls: over all edges of a callee its total time */
};

struct pt_call_edge {
    uint32_t caller; /* with the callee, the key */
    uint32_t callee;
    uint32_t active;            /* frames open now in the greenlet that runs */
    uint64_t calls;             /* all of them */
    uint64_t unnested;          /* those with no frame of this edge on the stack */
    uint64_t primitive;         /* those with no frame of the callee on the stack */
    struct pt_call_times ticks; /* of the trace that is being read */
    struct pt_call_times ns;    /* of those before; of all after pt_call_graph_finish */
};

struct pt_call_graph_frame {
    uint64_t entry_clock;
    uint32_t function;
    uint32_t edge;
};

/* Zeroed, then pt_call_graph_init. Release with pt_call_graph_release. */
struct pt_call_graph {
    struct pt_call_edge *edges; /* from [1] on; finished: in order of callee and caller */
    uint32_t count;             /* [0], which is no edge, included */
    uint32_t functions;         /* numbers of functions are below this */
    struct pt_row_index index;
    uint32_t *recent;                   /* by caller: the edge that it used last, or 0 */
    uint32_t *active;                   /* by function: frames open now in the greenlet that runs */
    struct pt_call_graph_frame *frames; /* frames[0] stands for nobody */
    size_t depth;
    size_t frame_capacity;
    struct pt_stash stash;
    uint64_t last; /* clock of the last step */
    bool paused;
    double tick_ns;
};

/* The numbers of two functions that no step names. */
static inline uint32_t pt_call_graph_unrecorded(const struct pt_call_graph *graph)
{
    return graph->functions;
}
static inline uint32_t
pt_call_graph_nobody(const struct pt_call_graph *graph) /* the caller of whatever begins a stack */
{
    return graph->functions + 1;
}

/* For steps with numbers below `functions`. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_call_graph_init(struct pt_call_graph *graph, size_t functions);
void pt_call_graph_release(struct pt_call_graph *graph);

/* The steps that follow are of another thread. Requires that every frame of the thread before was left. */
void pt_call_graph_begin(struct pt_call_graph *graph, double tick_ns);

/* PT_NOMEM, also if there are more than 2^30 edges. */
PT_MUST_USE enum pt_status pt_call_graph_add(struct pt_call_graph *graph, const struct pt_step *steps, size_t count);

/* Turns ticks into nanoseconds and sorts the edges. Call once, at the end. */
void pt_call_graph_finish(struct pt_call_graph *graph);

/* All of that, with every chosen thread of the report's input; `view` gives numbers below `functions`. PT_NOMEM; PT_END after
 * Ctrl-C. Release in any case. */
PT_MUST_USE enum pt_status pt_call_graph_read(struct pt_call_graph *graph, struct pt_report *report,
                                              const struct pt_stream_view *view, size_t functions);

#endif
