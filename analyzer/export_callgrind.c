/* callgrind: functions and their calls, as valgrind's callgrind writes them (https://valgrind.org/docs/manual/cl-format.html).
 *
 * The one event is ns. A call's cost is the time of the callee's outermost activations, so that what the calls of a function cost
 * adds up to its total time, under recursion too. Lines are the functions' first ones. Whatever begins a stack is called by
 * (thread). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "call_graph.h"
#include "export.h"
#include "export_names.h"
#include "header_line.h"
#include "interrupt.h"
#include "report_function.h"
#include "text.h"

#define NOBODY  "(thread)"
#define NO_FILE "???" /* what callgrind says itself */

struct callgrind {
    struct pt_report *report;
    struct pt_call_graph graph;
    struct pt_export_names names;
    uint64_t *self_ns; /* by function */
    bool *used;        /* by function: it is in the graph */
    bool *told;        /* by function: its name was written, from now on its number will do */
};

static uint32_t line_of(const struct callgrind *self, uint32_t function)
{
    const struct pt_input *input = self->report->input;
    return function < input->function_count ? input->functions[function].line : 0;
}

/* The two lines that name a function: where it is told of, or, as `callee`, where it is called. */
static void put_function(struct callgrind *self, uint32_t function, bool callee)
{
    const struct pt_input *input = self->report->input;
    struct pt_screen *screen = self->report->screen;
    const char *file = function < input->function_count ? input->functions[function].file : "";
    const char *name = function == pt_call_graph_nobody(&self->graph) ? NOBODY : self->names.names[function];
    const bool told = self->told[function];

    self->told[function] = true;
    pt_screen_printf(screen, "%s=(%" PRIu32 ")%s", callee ? "cfi" : "fl", function, told ? "" : " ");
    if (!told)
        pt_screen_text(screen, *file ? file : NO_FILE);
    pt_screen_printf(screen, "\n%s=(%" PRIu32 ")%s%s\n", callee ? "cfn" : "fn", function, told ? "" : " ",
                     told ? "" : name);
}

/* The format knows no time without a call: a frame that was open at the start counts for one. */
static void put_calls(struct callgrind *self, const struct pt_call_edge *edge)
{
    put_function(self, edge->callee, true);
    pt_screen_printf(self->report->screen, "calls=%" PRIu64 " %" PRIu32 "\n%" PRIu32 " %" PRIu64 "\n",
                     edge->calls > 0 ? edge->calls : 1, line_of(self, edge->callee), line_of(self, edge->caller),
                     edge->ns.total);
}

static int compare_callers(const void *a, const void *b)
{
    const struct pt_call_edge *x = a, *y = b;
    if (x->caller != y->caller)
        return x->caller < y->caller ? -1 : 1;
    return x->callee < y->callee ? -1 : x->callee > y->callee;
}

/* Returns the whole of the time. */
static uint64_t sum_up(struct callgrind *self)
{
    uint64_t sum_ns = 0;
    for (uint32_t i = 1; i < self->graph.count; i++) {
        const struct pt_call_edge *edge = &self->graph.edges[i];
        self->self_ns[edge->callee] += edge->ns.self;
        self->used[edge->callee] = self->used[edge->caller] = true;
        sum_ns += edge->ns.self;
    }
    qsort(self->graph.edges + 1, self->graph.count - 1, sizeof *self->graph.edges, compare_callers);
    return sum_ns;
}

static void put_note(void *screen, const char *line)
{
    pt_screen_put(screen, "desc: Note: ");
    pt_screen_text(screen, line);
    pt_screen_put(screen, "\n");
}

static void put_head(const struct callgrind *self, uint64_t sum_ns)
{
    struct pt_screen *screen = self->report->screen;
    const struct pt_trace *trace = self->report->input->traces[0].trace;
    pt_screen_put(screen, "# callgrind format\nversion: 1\ncreator: pytrace-analyze " PYTRACE_VERSION "\ncmd: ");
    pt_screen_text(screen, trace->has_header ? trace->header.program : "");
    pt_screen_put(screen, "\n");
    pt_header_line_tell(self->report, put_note, screen);
    pt_screen_printf(screen, "positions: line\nevent: ns : nanoseconds\nevents: ns\nsummary: %" PRIu64 "\n", sum_ns);
}

static enum pt_status put_all(struct callgrind *self)
{
    const struct pt_call_graph *graph = &self->graph;
    struct pt_screen *screen = self->report->screen;
    const uint32_t functions = pt_call_graph_nobody(graph) + 1;
    uint32_t edge = 1;

    self->self_ns = calloc(functions, sizeof *self->self_ns);
    self->used = calloc(functions, sizeof *self->used);
    self->told = calloc(functions, sizeof *self->told);
    if (!self->self_ns || !self->used || !self->told)
        return PT_NOMEM;
    const uint64_t sum_ns = sum_up(self);
    put_head(self, sum_ns);
    for (uint32_t function = 0; function < functions && !pt_screen_gone(screen); function++) {
        if (!self->used[function])
            continue;
        pt_screen_put(screen, "\n");
        put_function(self, function, false);
        pt_screen_printf(screen, "%" PRIu32 " %" PRIu64 "\n", line_of(self, function), self->self_ns[function]);
        for (; edge < graph->count && graph->edges[edge].caller == function; edge++)
            put_calls(self, &graph->edges[edge]);
        if (pt_interrupt_requested())
            return PT_END;
    }
    pt_screen_printf(screen, "\ntotals: %" PRIu64 "\n", sum_ns);
    return PT_OK;
}

enum pt_status pt_export_callgrind(struct pt_report *report)
{
    struct callgrind self = {.report = report};
    struct pt_stream_view view;
    uint8_t *flags = NULL;
    enum pt_status status = pt_report_function_view(report, &view, &flags);
    if (status == PT_OK)
        status = pt_export_names_make(&self.names, report, "");
    if (status == PT_OK)
        status = pt_call_graph_read(&self.graph, report, &view, report->input->function_count);
    pt_progress_finish(report->progress);
    if (status == PT_OK)
        status = put_all(&self);
    pt_call_graph_release(&self.graph);
    pt_export_names_release(&self.names);
    free(self.self_ns);
    free(self.used);
    free(self.told);
    free(flags);
    return status;
}
