#include "tree_table.h"

#include <string.h>

#include "buffer.h"
#include "facts.h"
#include "header_line.h"
#include "process_tree.h"
#include "rails.h"
#include "text.h"
#include "units.h"

/* Self time is worth a mention from this share on; it stands out from the second one on. */
#define SELF_PERCENT 1.0
#define HOT_PERCENT  10.0

struct tree_table {
    const struct pt_report *report;
    const struct pt_call_tree *tree;
    const struct pt_tree_rows *rows;
    uint64_t scale;    /* unit of all times */
    uint64_t whole_ns; /* what percentages are of */
    int time_width;    /* columns */
    int calls_width;
    size_t figures_width;
    struct pt_rails rails;
    struct pt_buffer name;
};

static double percent_of(uint64_t part_ns, uint64_t whole_ns)
{
    return whole_ns ? 100.0 * (double)part_ns / (double)whole_ns : 0;
}

static int columns(const char *text)
{
    return (int)pt_text_width(text, strlen(text));
}

/* Takes the measure of all rows before the first is printed. */
static enum pt_status measure(struct tree_table *self)
{
    size_t width = pt_screen_width(self->report->screen);
    uint32_t deepest = 0;
    char text[PT_UNITS_MAX];

    self->whole_ns = self->tree->nodes[0].total_ns;
    self->scale = pt_units_scale(self->whole_ns);
    self->time_width = columns(pt_units_scaled(text, self->whole_ns, self->scale));
    self->calls_width = columns("CALLS");
    for (size_t i = 0; i < self->rows->count; i++) {
        const struct pt_tree_row *row = &self->rows->rows[i];
        int calls = columns(pt_units_count(text, self->tree->nodes[row->node].primitive));
        if (calls > self->calls_width)
            self->calls_width = calls;
        if (row->depth > deepest)
            deepest = row->depth;
    }
    self->figures_width = (size_t)self->time_width + 9 + (size_t)self->calls_width + 2;
    /* Names get at least as much room as the rails. */
    return pt_rails_init(&self->rails, deepest,
                         width > self->figures_width ? (width - self->figures_width) / 2 : width);
}

static void put_figures(struct tree_table *self, uint64_t ns, const char *calls)
{
    char time[PT_UNITS_MAX];
    pt_units_scaled(time, ns, self->scale);
    pt_screen_printf(self->report->screen, "%*s%s %5.1f %% %*s  ", self->time_width - columns(time), "", time,
                     percent_of(ns, self->whole_ns), self->calls_width, calls);
}

static void put_group(struct tree_table *self, uint32_t number)
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
        pt_screen_printf(screen, "%s %u ", by_thread ? "thread" : "process", number);
        pt_screen_text(screen, by_thread ? thread->thread->meta.name : pt_process_program(trace, serial));
        if (!by_thread && serial >= 1 && serial <= trace->process_count)
            pt_screen_printf(screen, " (system id %llu)", (unsigned long long)trace->processes[serial - 1].pid);
        break;
    }
    pt_screen_style(screen, PT_SCREEN_PLAIN);
}

/* The module steps back behind the name: on a screen full of names that is what the eye follows. Where both do not fit behind the
 * columns `taken`, it goes. */
static void put_name(struct tree_table *self, const struct pt_function *function, size_t taken)
{
    struct pt_screen *screen = self->report->screen;
    const char *name = (const char *)self->name.data;
    const char *colon = function->kind == PT_NAME_PYTHON ? memchr(name, ':', self->name.size) : NULL;
    size_t home = colon && self->report->options->paths == PT_TEXT_PATHS_MODULE ? (size_t)(colon - name) + 1 : 0;
    size_t width = pt_screen_width(screen);

    if (width == 0 || taken + pt_text_width(name, self->name.size) <= width) {
        pt_screen_style(screen, PT_SCREEN_DIM);
        pt_screen_write(screen, name, home);
        pt_screen_style(screen, PT_SCREEN_PLAIN);
    }
    pt_screen_write(screen, name + home, self->name.size - home);
}

static enum pt_status put_path(struct tree_table *self, const struct pt_tree_row *row)
{
    const struct pt_report *report = self->report;
    const struct pt_call_node *node = &self->tree->nodes[row->node];
    struct pt_screen *screen = report->screen;
    bool is_group = node->function & PT_CALL_TREE_GROUP;
    double self_percent = percent_of(node->self_ns, self->whole_ns);
    size_t taken;
    char text[PT_UNITS_MAX], depth[PT_UNITS_MAX];

    put_figures(self, node->total_ns, is_group ? "" : pt_units_count(text, node->primitive));
    taken = self->figures_width + pt_rails_put(&self->rails, screen, row->depth, row->last);
    if (is_group) {
        put_group(self, node->function & ~PT_CALL_TREE_GROUP);
    } else {
        self->name.size = 0;
        PT_TRY(pt_text_function(&self->name, &report->input->functions[node->function], report->options->paths));
        put_name(self, &report->input->functions[node->function], taken);
    }
    if (node->recursion > 1) {
        pt_screen_style(screen, PT_SCREEN_DIM);
        pt_screen_printf(screen, " ↻ %s calls, depth ≤ %s", pt_units_count(text, node->calls),
                         pt_units_count(depth, node->recursion));
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
static const char *remedy(const struct tree_table *self, const struct pt_tree_row *row)
{
    const struct pt_options *options = self->report->options;
    if (row->reason == PT_TREE_TOO_DEEP)
        return "--depth 0";
    if (row->reason == PT_TREE_BEYOND_ROWS)
        return "--top 0";
    return options->min_time_ns > 0 ? "--min-time 0" : "--min-pct 0";
}

static void put_rest(struct tree_table *self, const struct pt_tree_row *row)
{
    struct pt_screen *screen = self->report->screen;
    char text[PT_UNITS_MAX];

    put_figures(self, row->hidden_ns, "");
    pt_rails_put(&self->rails, screen, row->depth, row->last);
    pt_screen_style(screen, PT_SCREEN_DIM);
    pt_screen_printf(screen, "… %s more (%s)\n", pt_units_count(text, row->hidden), remedy(self, row));
    pt_screen_style(screen, PT_SCREEN_PLAIN);
}

static void put_titles(struct tree_table *self)
{
    struct pt_screen *screen = self->report->screen;

    pt_screen_style(screen, PT_SCREEN_HEAD);
    pt_screen_printf(screen, "%*s %7s %*s  PATH", self->time_width, "TOTAL", "%", self->calls_width, "CALLS");
    pt_screen_style(screen, PT_SCREEN_PLAIN);
    pt_screen_put(screen, "\n");
}

/* How much of the tree the rows are, and what percentages are of if that is not the time on the clock. */
static void put_summary(struct tree_table *self)
{
    const struct pt_options *options = self->report->options;
    struct pt_facts facts = {.screen = self->report->screen, .between = " · "};
    uint64_t paths = self->tree->count - 1;
    bool by_default = options->min_percent < 0 && options->min_time_ns <= 0 && !options->top_given && !options->depth;
    char text[PT_UNITS_MAX], more[PT_UNITS_MAX];

    pt_facts_printf(&facts, "sorted by %s", options->sort ? options->sort : "total");
    if (paths == 0)
        pt_facts_put(&facts, PT_SCREEN_PLAIN, "no paths");
    else
        pt_facts_printf(&facts, "%s of %s paths%s", pt_units_count(text, paths - self->rows->left_out),
                        pt_units_count(more, paths), self->rows->left_out && by_default ? " (all: --min-pct 0)" : "");
    if (self->report->input->thread_count > 1)
        pt_facts_printf(&facts, "%s in %s threads", pt_units_scaled(text, self->whole_ns, self->scale),
                        pt_units_count(more, self->report->input->thread_count));
    pt_facts_end(&facts);
}

enum pt_status pt_tree_table_print(const struct pt_report *report, const struct pt_call_tree *tree,
                                   const struct pt_tree_rows *rows)
{
    struct tree_table self = {.report = report, .tree = tree, .rows = rows};
    enum pt_status status = measure(&self);

    if (status == PT_OK) {
        pt_header_line_print(report);
        put_summary(&self);
        if (rows->count > 0)
            put_titles(&self);
    }
    for (size_t i = 0; i < rows->count && status == PT_OK && !pt_screen_gone(report->screen); i++) {
        if (rows->rows[i].hidden)
            put_rest(&self, &rows->rows[i]);
        else
            status = put_path(&self, &rows->rows[i]);
    }
    pt_buffer_release(&self.name);
    pt_rails_release(&self.rails);
    return status;
}
