/* `tree`: every call path with its calls and its time, as an indented tree. */
#include <stdlib.h>
#include <string.h>

#include "call_tree.h"
#include "csv.h"
#include "header_line.h"
#include "json.h"
#include "report.h"
#include "report_function.h"
#include "suggest.h"
#include "tree_read.h"
#include "tree_rows.h"
#include "tree_table.h"

/* Paths below this share of the time are left out of tables unless --min-pct says otherwise. */
#define MIN_PERCENT 0.1

struct tree_report {
    struct pt_report *report;
    struct pt_call_tree *tree;
    struct pt_tree_rows rows;
};

/* --- Choosing ----------------------------------------------------------------------------------------------------- */

static int compare_names(void *context, uint32_t a, uint32_t b)
{
    const struct pt_input *input = context;
    if ((a | b) & PT_CALL_TREE_GROUP)
        return a < b ? -1 : a > b;
    const struct pt_function *x = &input->functions[a], *y = &input->functions[b];
    int order = strcmp(x->module, y->module);
    return order ? order : strcmp(x->qualname, y->qualname);
}

static enum pt_status choose_order(const struct pt_report *report, enum pt_tree_order *order, struct pt_error *error)
{
    static const char *const words[] = {[PT_TREE_BY_TOTAL] = "total",
                                        [PT_TREE_BY_SELF] = "self",
                                        [PT_TREE_BY_CALLS] = "calls",
                                        [PT_TREE_BY_NAME] = "name"};
    const char *sort = report->options->sort;
    size_t count = sizeof words / sizeof words[0];

    *order = PT_TREE_BY_TOTAL;
    if (!sort)
        return PT_OK;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(sort, words[i]) == 0) {
            *order = (enum pt_tree_order)i;
            return PT_OK;
        }
    }
    const char *nearest = pt_suggest_nearest(sort, words, count);
    return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET,
                        "--sort %.40s: a tree is sorted by total, self, calls or name%s%s%s", sort,
                        nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
}

static enum pt_status choose_rows(struct tree_report *self)
{
    struct pt_report *report = self->report;
    const struct pt_options *options = report->options;
    bool table = options->format == PT_FORMAT_TABLE;
    double percent = options->min_percent >= 0 ? options->min_percent : table ? MIN_PERCENT : 0;
    uint64_t by_percent_ns = (uint64_t)(percent / 100 * (double)self->tree->nodes[0].total_ns);
    uint64_t by_time_ns = (uint64_t)options->min_time_ns;
    struct pt_tree_choice choice = {
        .min_ns = by_percent_ns > by_time_ns ? by_percent_ns : by_time_ns,
        .depth_max = options->depth,
        .row_max = options->top_given ? options->top : 0,
        .compare_names = compare_names,
        .context = (void *)(uintptr_t)report->input,
    };
    PT_TRY(choose_order(report, &choice.order, &report->error));
    return pt_tree_rows_choose(&self->rows, self->tree, &choice);
}

/* --- For programs ------------------------------------------------------------------------------------------------- */

/* What a node stands for: a function, or what --by asks to keep apart. */
static void put_identity(struct pt_json *json, const struct tree_report *self, const struct pt_call_node *node)
{
    bool by_thread = self->report->options->by == PT_BY_THREAD;
    if (!(node->function & PT_CALL_TREE_GROUP)) {
        pt_report_function_json(json, &self->report->input->functions[node->function]);
        return;
    }
    pt_json_put_text(json, "kind", by_thread ? "thread" : "process");
    pt_json_put_uint(json, by_thread ? "tid" : "pid", node->function & ~PT_CALL_TREE_GROUP);
}

static void put_node_json(struct pt_json *json, const struct tree_report *self, const struct pt_tree_row *row)
{
    const struct pt_call_node *node = &self->tree->nodes[row->node];
    pt_json_open(json, '{', false);
    pt_json_put_uint(json, "id", row->node);
    if (node->parent)
        pt_json_put_uint(json, "parent", node->parent);
    else
        pt_json_put_null(json, "parent");
    pt_json_put_uint(json, "depth", row->depth);
    put_identity(json, self, node);
    pt_json_put_uint(json, "calls", node->calls);
    pt_json_put_uint(json, "primitive", node->primitive);
    pt_json_put_uint(json, "raised", node->raised);
    pt_json_put_uint(json, "self_ns", node->self_ns);
    pt_json_put_uint(json, "total_ns", node->total_ns);
    pt_json_put_uint(json, "recursion", node->recursion);
    pt_json_close(json, '}');
}

/* One flat array, parents before their children: nested objects would be as deep as the program's stack. */
static void print_json(struct tree_report *self)
{
    struct pt_json json;
    pt_header_line_json_open(&json, self->report);
    pt_json_key(&json, "nodes");
    pt_json_open(&json, '[', true);
    for (size_t i = 0; i < self->rows.count && !pt_screen_gone(self->report->screen); i++)
        if (!self->rows.rows[i].hidden)
            put_node_json(&json, self, &self->rows.rows[i]);
    pt_json_close(&json, ']');
    pt_header_line_json_close(&json);
}

static void print_csv(struct tree_report *self)
{
    static const char *const figures[] = {"calls", "primitive", "raised", "self_ns", "total_ns", "recursion"};
    struct pt_csv csv = {.screen = self->report->screen};
    pt_csv_text(&csv, "id");
    pt_csv_text(&csv, "parent");
    pt_csv_text(&csv, "depth");
    pt_report_function_csv_titles(&csv, "");
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        pt_csv_text(&csv, figures[i]);
    pt_csv_line(&csv);
    for (size_t i = 0; i < self->rows.count && !pt_screen_gone(self->report->screen); i++) {
        const struct pt_tree_row *row = &self->rows.rows[i];
        const struct pt_call_node *node = &self->tree->nodes[row->node];
        if (row->hidden)
            continue;
        pt_csv_uint(&csv, row->node);
        if (node->parent)
            pt_csv_uint(&csv, node->parent);
        else
            pt_csv_empty(&csv);
        pt_csv_uint(&csv, row->depth);
        pt_report_function_csv(&csv, &self->report->input->functions[node->function]);
        pt_csv_uint(&csv, node->calls);
        pt_csv_uint(&csv, node->primitive);
        pt_csv_uint(&csv, node->raised);
        pt_csv_uint(&csv, node->self_ns);
        pt_csv_uint(&csv, node->total_ns);
        pt_csv_uint(&csv, node->recursion);
        pt_csv_line(&csv);
    }
}

/* What the options ask of a tree that it cannot give. */
static enum pt_status check_options(struct pt_report *report)
{
    const struct pt_options *options = report->options;
    if (options->by == PT_BY_FILE || options->by == PT_BY_MODULE)
        return pt_error_set(&report->error, PT_MISUSE, PT_ERROR_NO_OFFSET,
                            "--by: a tree is by function, or by thread or process with a tree for each");
    if (options->by != PT_BY_FUNCTION && options->format == PT_FORMAT_CSV)
        return pt_error_set(&report->error, PT_MISUSE, PT_ERROR_NO_OFFSET,
                            "--by: a tree as CSV is by function only; --format json has the others");
    return PT_OK;
}

enum pt_status pt_report_tree(struct pt_report *report)
{
    struct tree_report self = {.report = report};
    enum pt_status status = check_options(report);

    if (status == PT_OK)
        status = pt_tree_read(&self.tree, report);
    if (status == PT_OK)
        status = choose_rows(&self);
    if (status != PT_OK)
        goto cleanup;
    pt_progress_finish(report->progress);
    switch (report->options->format) {
    case PT_FORMAT_TABLE:
        status = pt_tree_table_print(report, self.tree, &self.rows);
        break;
    case PT_FORMAT_CSV:
        print_csv(&self);
        break;
    case PT_FORMAT_JSON:
        print_json(&self);
        break;
    }

cleanup:
    pt_call_tree_free(self.tree);
    pt_tree_rows_release(&self.rows);
    return status;
}
