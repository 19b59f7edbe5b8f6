/* `callers RE` and `callees RE`: around each function that matches, who calls it and whom it calls. */
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "edges.h"
#include "edges_order.h"
#include "edges_table.h"
#include "header_line.h"
#include "json.h"
#include "replay.h"
#include "report.h"
#include "report_function.h"

struct edges_report {
    struct pt_report *report;
    struct pt_edges *edges;
    struct pt_edges_order order;
    uint8_t *flags; /* of the view, if --py or --c changes it */
};

/* --- Reading ------------------------------------------------------------------------------------------------------ */

static enum pt_status begin_thread(void *context, const struct pt_input_thread *thread)
{
    struct edges_report *self = context;
    pt_edges_begin(self->edges, thread->origin->clock_ns);
    return PT_OK;
}

static enum pt_status add_steps(void *context, const struct pt_step *steps, size_t count)
{
    struct edges_report *self = context;
    return pt_edges_add(self->edges, steps, count);
}

static enum pt_status read_edges(struct edges_report *self)
{
    struct pt_report *report = self->report;
    struct pt_stream_view view;
    struct pt_replay_sink sink = {.context = self, .thread = begin_thread, .steps = add_steps};
    PT_TRY(pt_edges_new(&self->edges, report->view.flags, report->input->function_count));
    if (self->edges->function_count == 0)
        return pt_error_set(&report->error, PT_MISUSE, PT_ERROR_NO_OFFSET, "no function matches '%.80s'",
                            report->options->operand);
    PT_TRY(pt_report_function_view(report, &view, &self->flags));
    PT_TRY(pt_replay(report, &view, &sink));
    pt_edges_finish(self->edges);
    return pt_edges_order_make(&self->order, self->edges);
}

/* --- For programs ------------------------------------------------------------------------------------------------- */

static void put_side_json(struct pt_json *json, const struct edges_report *self, const struct pt_edge_list *list,
                          const struct pt_edges_side *side, const char *key, uint32_t chosen)
{
    pt_json_key(json, key);
    pt_json_open(json, '[', true);
    for (uint32_t i = side->first[chosen]; i < side->first[chosen + 1]; i++) {
        const struct pt_edge *edge = &list->edges[side->order[i]];
        pt_json_open(json, '{', false);
        if (edge->other == PT_EDGES_NOBODY)
            pt_json_put_null(json, "kind");
        else
            pt_report_function_json(json, &self->report->input->functions[edge->other]);
        pt_json_put_uint(json, "calls", edge->calls);
        pt_json_put_uint(json, "total_ns", edge->ns);
        pt_json_close(json, '}');
    }
    pt_json_close(json, ']');
}

static void print_json(struct edges_report *self)
{
    struct pt_json json;
    pt_header_line_json_open(&json, self->report);
    pt_json_key(&json, "functions");
    pt_json_open(&json, '[', true);
    for (size_t i = 0; i < self->order.count && !pt_screen_gone(self->report->screen); i++) {
        const struct pt_edges_function *function = &self->edges->functions[self->order.functions[i]];
        pt_json_open(&json, '{', false);
        pt_report_function_json(&json, &self->report->input->functions[function->function]);
        pt_json_put_uint(&json, "calls", function->calls);
        pt_json_put_uint(&json, "primitive", function->primitive);
        pt_json_put_uint(&json, "raised", function->raised);
        pt_json_put_uint(&json, "self_ns", function->self_ns);
        pt_json_put_uint(&json, "total_ns", function->total_ns);
        pt_json_put_uint(&json, "recursion", function->recursion);
        put_side_json(&json, self, &self->edges->callers, &self->order.callers, "callers", self->order.functions[i]);
        put_side_json(&json, self, &self->edges->callees, &self->order.callees, "callees", self->order.functions[i]);
        pt_json_close(&json, '}');
    }
    pt_json_close(&json, ']');
    pt_header_line_json_close(&json);
}

static void put_side_csv(struct pt_csv *csv, const struct edges_report *self, const struct pt_edge_list *list,
                         const struct pt_edges_side *side, const char *word, uint32_t chosen)
{
    const struct pt_function *functions = self->report->input->functions;
    for (uint32_t i = side->first[chosen]; i < side->first[chosen + 1]; i++) {
        const struct pt_edge *edge = &list->edges[side->order[i]];
        pt_report_function_csv(csv, &functions[self->edges->functions[chosen].function]);
        pt_csv_text(csv, word);
        if (edge->other == PT_EDGES_NOBODY)
            for (int column = 0; column < 6; column++)
                pt_csv_empty(csv);
        else
            pt_report_function_csv(csv, &functions[edge->other]);
        pt_csv_uint(csv, edge->calls);
        pt_csv_uint(csv, edge->ns);
        pt_csv_line(csv);
    }
}

/* One line an edge; what a function does itself is an edge to itself of the side "self". */
static void print_csv(struct edges_report *self)
{
    const struct pt_edges *edges = self->edges;
    struct pt_csv csv = {.screen = self->report->screen};

    pt_report_function_csv_titles(&csv, "");
    pt_csv_text(&csv, "side");
    pt_report_function_csv_titles(&csv, "other_");
    pt_csv_text(&csv, "calls");
    pt_csv_text(&csv, "total_ns");
    pt_csv_line(&csv);
    for (size_t i = 0; i < self->order.count && !pt_screen_gone(self->report->screen); i++) {
        uint32_t chosen = self->order.functions[i];
        const struct pt_edges_function *function = &edges->functions[chosen];
        const struct pt_function *definition = &self->report->input->functions[function->function];
        put_side_csv(&csv, self, &edges->callers, &self->order.callers, "caller", chosen);
        pt_report_function_csv(&csv, definition);
        pt_csv_text(&csv, "self");
        pt_report_function_csv(&csv, definition);
        pt_csv_uint(&csv, function->calls);
        pt_csv_uint(&csv, function->self_ns);
        pt_csv_line(&csv);
        put_side_csv(&csv, self, &edges->callees, &self->order.callees, "callee", chosen);
    }
}

static enum pt_status run(struct pt_report *report, bool asks_callers)
{
    struct edges_report self = {.report = report};
    enum pt_status status;

    if (report->options->by != PT_BY_FUNCTION)
        return pt_error_set(&report->error, PT_MISUSE, PT_ERROR_NO_OFFSET,
                            "--by: callers and callees are functions; choose threads with --tid, processes with --pid");
    status = read_edges(&self);
    if (status != PT_OK)
        goto cleanup;
    pt_progress_finish(report->progress);
    switch (report->options->format) {
    case PT_FORMAT_TABLE:
        status = pt_edges_table_print(report, self.edges, &self.order, asks_callers);
        break;
    case PT_FORMAT_CSV:
        print_csv(&self);
        break;
    case PT_FORMAT_JSON:
        print_json(&self);
        break;
    }

cleanup:
    pt_edges_order_release(&self.order);
    pt_edges_free(self.edges);
    free(self.flags);
    return status;
}

enum pt_status pt_report_callers(struct pt_report *report)
{
    return run(report, true);
}

enum pt_status pt_report_callees(struct pt_report *report)
{
    return run(report, false);
}
