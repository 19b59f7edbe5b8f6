/* `tree`: every call path with its calls and its time, as an indented tree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call_tree.h"
#include "header_line.h"
#include "json.h"
#include "replay.h"
#include "report.h"
#include "report_function.h"
#include "suggest.h"
#include "text.h"
#include "tree_rows.h"
#include "units.h"

/* Paths below this share of the time are left out of tables unless --min-pct says otherwise. */
#define MIN_PERCENT 0.1
/* Self time is worth a mention from this share on; it stands out from the second one on. */
#define SELF_PERCENT 1.0
#define HOT_PERCENT  10.0
/* Levels of rails that are drawn where lines are not cut. A program can be a million calls deep; nobody reads on there. */
#define RAILS_MAX  60
#define RAIL_WIDTH 3

struct tree_report {
    struct pt_report *report;
    struct pt_call_tree *tree;
    struct pt_tree_rows rows;
    uint64_t scale;    /* unit of all times */
    uint64_t whole_ns; /* what percentages are of */
    int time_width;    /* columns */
    int calls_width;
    uint32_t rails_max; /* levels */
    uint8_t *open;      /* by depth: more follows on that level, its rail is drawn */
    struct pt_buffer name;
};

/* --- Reading ------------------------------------------------------------------------------------------------------ */

static enum pt_status begin_thread(void *context, const struct pt_input_thread *thread)
{
    struct tree_report *self = context;
    uint32_t group = PT_CALL_TREE_GROUP;
    if (self->report->options->by == PT_BY_THREAD)
        group = (uint32_t)thread->tid;
    else if (self->report->options->by == PT_BY_PROCESS)
        group = (uint32_t)thread->pid;
    return pt_call_tree_begin(self->tree, group, thread->origin->tick_ns);
}

static enum pt_status add_steps(void *context, const struct pt_step *steps, size_t count)
{
    struct tree_report *self = context;
    return pt_call_tree_add(self->tree, steps, count);
}

static enum pt_status read_tree(struct tree_report *self)
{
    struct pt_report *report = self->report;
    struct pt_replay_sink sink = {.context = self, .thread = begin_thread, .steps = add_steps};
    PT_TRY(pt_call_tree_new(&self->tree, report->input->function_count, !report->options->no_collapse));
    PT_TRY(pt_replay(report, &report->view, &sink));
    pt_call_tree_finish(self->tree);
    return PT_OK;
}

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

/* --- Table -------------------------------------------------------------------------------------------------------- */

static double percent_of(uint64_t part_ns, uint64_t whole_ns)
{
    return whole_ns ? 100.0 * (double)part_ns / (double)whole_ns : 0;
}

static int columns(const char *text)
{
    return (int)pt_text_width(text, strlen(text));
}

/* Takes the measure of all rows before the first is printed. */
static enum pt_status measure(struct tree_report *self)
{
    size_t width = pt_screen_width(self->report->screen);
    uint32_t deepest = 0;
    char text[PT_UNITS_MAX];

    self->whole_ns = self->tree->nodes[0].total_ns;
    self->scale = pt_units_scale(self->whole_ns);
    self->time_width = columns(pt_units_scaled(text, self->whole_ns, self->scale));
    self->calls_width = columns("CALLS");
    self->rails_max = width ? (uint32_t)(width / 2 / RAIL_WIDTH) : RAILS_MAX;
    for (size_t i = 0; i < self->rows.count; i++) {
        const struct pt_tree_row *row = &self->rows.rows[i];
        int calls = columns(pt_units_count(text, self->tree->nodes[row->node].primitive));
        if (calls > self->calls_width)
            self->calls_width = calls;
        if (row->depth > deepest)
            deepest = row->depth;
    }
    self->open = calloc((size_t)deepest + 1, 1);
    return self->open ? PT_OK : PT_NOMEM;
}

/* The lines that tie a row to those above it. Where it stands too deep for them, the outermost make room for their number. */
static void put_rails(struct tree_report *self, const struct pt_tree_row *row)
{
    struct pt_screen *screen = self->report->screen;
    uint32_t first = 1;

    pt_screen_style(screen, PT_SCREEN_DIM);
    if (row->depth > self->rails_max) {
        first = row->depth - self->rails_max + 1;
        pt_screen_printf(screen, "+%u ", first - 1);
    }
    for (uint32_t depth = first; depth < row->depth; depth++)
        pt_screen_put(screen, self->open[depth] ? "│  " : "   ");
    if (row->depth > 0)
        pt_screen_put(screen, row->last ? "└─ " : "├─ ");
    self->open[row->depth] = !row->last;
    pt_screen_style(screen, PT_SCREEN_PLAIN);
}

static void put_figures(struct tree_report *self, uint64_t ns, const char *calls)
{
    char time[PT_UNITS_MAX];
    pt_units_scaled(time, ns, self->scale);
    pt_screen_printf(self->report->screen, "%*s%s %5.1f %% %*s  ", self->time_width - columns(time), "", time,
                     percent_of(ns, self->whole_ns), self->calls_width, calls);
}

static void put_group(struct tree_report *self, uint32_t number)
{
    const struct pt_input *input = self->report->input;
    struct pt_screen *screen = self->report->screen;
    bool by_thread = self->report->options->by == PT_BY_THREAD;

    pt_screen_style(screen, PT_SCREEN_STRONG);
    for (size_t i = 0; i < input->thread_count; i++) {
        const struct pt_input_thread *thread = &input->threads[i];
        const struct pt_trace *trace = thread->origin->trace;
        uint64_t serial = thread->thread->meta.process;
        if ((by_thread ? thread->tid : thread->pid) != number)
            continue;
        pt_screen_printf(screen, "%s %u", by_thread ? "thread" : "process", number);
        self->name.size = 0;
        if (by_thread &&
            pt_text_escape(&self->name, thread->thread->meta.name, strlen(thread->thread->meta.name)) == PT_OK)
            pt_screen_printf(screen, " %.*s", (int)self->name.size, (const char *)self->name.data);
        else if (!by_thread && serial >= 1 && serial <= trace->process_count)
            pt_screen_printf(screen, " (pid %llu)", (unsigned long long)trace->processes[serial - 1].pid);
        break;
    }
    pt_screen_style(screen, PT_SCREEN_PLAIN);
}

static enum pt_status put_path(struct tree_report *self, const struct pt_tree_row *row)
{
    const struct pt_report *report = self->report;
    const struct pt_call_node *node = &self->tree->nodes[row->node];
    struct pt_screen *screen = report->screen;
    bool is_group = node->function & PT_CALL_TREE_GROUP;
    double self_percent = percent_of(node->self_ns, self->whole_ns);
    char text[PT_UNITS_MAX];

    put_figures(self, node->total_ns, is_group ? "" : pt_units_count(text, node->primitive));
    put_rails(self, row);
    if (is_group) {
        put_group(self, node->function & ~PT_CALL_TREE_GROUP);
    } else {
        self->name.size = 0;
        PT_TRY(pt_text_function(&self->name, &report->input->functions[node->function], report->options->paths));
        pt_screen_write(screen, (const char *)self->name.data, self->name.size);
    }
    if (node->recursion > 1) {
        pt_screen_style(screen, PT_SCREEN_DIM);
        pt_screen_printf(screen, " ↻ %s calls, depth ≤ %u", pt_units_count(text, node->calls), node->recursion);
    }
    if (node->first_child && self_percent >= SELF_PERCENT) {
        pt_screen_style(screen, self_percent >= HOT_PERCENT ? PT_SCREEN_HOT : PT_SCREEN_DIM);
        pt_screen_printf(screen, "  self %s", pt_units_scaled(text, node->self_ns, self->scale));
    }
    pt_screen_style(screen, PT_SCREEN_PLAIN);
    pt_screen_put(screen, "\n");
    return PT_OK;
}

/* The option that would show what `row` stands for. */
static const char *remedy(const struct tree_report *self, const struct pt_tree_row *row)
{
    const struct pt_options *options = self->report->options;
    if (row->reason == PT_TREE_TOO_DEEP)
        return "--depth 0";
    if (row->reason == PT_TREE_BEYOND_ROWS)
        return "--top 0";
    return options->min_time_ns > 0 ? "--min-time 0" : "--min-pct 0";
}

static void put_rest(struct tree_report *self, const struct pt_tree_row *row)
{
    struct pt_screen *screen = self->report->screen;
    char text[PT_UNITS_MAX];

    put_figures(self, row->hidden_ns, "");
    put_rails(self, row);
    pt_screen_style(screen, PT_SCREEN_DIM);
    pt_screen_printf(screen, "… %s more (%s)\n", pt_units_count(text, row->hidden), remedy(self, row));
    pt_screen_style(screen, PT_SCREEN_PLAIN);
}

static void put_titles(struct tree_report *self)
{
    struct pt_screen *screen = self->report->screen;

    pt_screen_style(screen, PT_SCREEN_HEAD);
    pt_screen_printf(screen, "%*s %7s %*s  PATH\n", self->time_width, "TOTAL", "%", self->calls_width, "CALLS");
    pt_screen_style(screen, PT_SCREEN_PLAIN);
}

static enum pt_status print_table(struct tree_report *self)
{
    struct pt_report *report = self->report;
    char shown[PT_UNITS_MAX], all[PT_UNITS_MAX];

    pt_header_line_print(report);
    pt_screen_printf(report->screen, "%s of %s paths\n",
                     pt_units_count(shown, self->tree->count - 1 - self->rows.left_out),
                     pt_units_count(all, self->tree->count - 1));
    PT_TRY(measure(self));
    put_titles(self);
    for (size_t i = 0; i < self->rows.count && !pt_screen_gone(report->screen); i++) {
        if (self->rows.rows[i].hidden)
            put_rest(self, &self->rows.rows[i]);
        else
            PT_TRY(put_path(self, &self->rows.rows[i]));
    }
    return PT_OK;
}

/* --- For programs ------------------------------------------------------------------------------------------------- */

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
    if (node->function & PT_CALL_TREE_GROUP) {
        bool by_thread = self->report->options->by == PT_BY_THREAD;
        pt_json_put_text(json, "kind", by_thread ? "thread" : "process");
        pt_json_put_uint(json, by_thread ? "tid" : "pid", node->function & ~PT_CALL_TREE_GROUP);
    } else {
        pt_report_function_json(json, &self->report->input->functions[node->function]);
    }
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
    pt_json_init(&json, self->report->screen);
    pt_json_open(&json, '{', true);
    pt_json_put_uint(&json, "schema", 1);
    pt_header_line_json(&json, self->report);
    pt_json_key(&json, "nodes");
    pt_json_open(&json, '[', true);
    for (size_t i = 0; i < self->rows.count && !pt_screen_gone(self->report->screen); i++)
        if (!self->rows.rows[i].hidden)
            put_node_json(&json, self, &self->rows.rows[i]);
    pt_json_close(&json, ']');
    pt_json_close(&json, '}');
    pt_json_end(&json);
}

enum pt_status pt_report_tree(struct pt_report *report)
{
    struct tree_report self = {.report = report};
    enum pt_status status = read_tree(&self);

    if (status == PT_OK)
        status = choose_rows(&self);
    if (status != PT_OK)
        goto cleanup;
    pt_progress_finish(report->progress);
    if (report->options->format == PT_FORMAT_JSON)
        print_json(&self);
    else
        status = print_table(&self);

cleanup:
    pt_call_tree_free(self.tree);
    pt_tree_rows_release(&self.rows);
    pt_buffer_release(&self.name);
    free(self.open);
    return status;
}
