#include "edges_table.h"

#include <string.h>

#include "buffer.h"
#include "header_line.h"
#include "text.h"
#include "units.h"

/* Rows of the side that was not asked for; the other one has as many as --top says. */
#define OTHER_SIDE_ROWS 5

/* One direction. */
struct side {
    const struct pt_edge *edges;
    const struct pt_edges_side *order;
    size_t rows; /* of a block; 0 is all */
    const char *title;
    const char *remedy; /* what would show all of it */
};

struct edges_table {
    const struct pt_report *report;
    const struct pt_edges *edges;
    const struct pt_edges_order *order;
    struct side callers;
    struct side callees;
    uint64_t scale; /* unit of all times */
    int time_width; /* columns */
    int calls_width;
    struct pt_buffer name;
};

static int columns(const char *text)
{
    return (int)pt_text_width(text, strlen(text));
}

/* Takes the measure of all blocks before the first is printed. */
static void measure(struct edges_table *self)
{
    uint64_t greatest_ns = 0;
    uint64_t most_calls = 0;
    char text[PT_UNITS_MAX];

    for (size_t i = 0; i < self->order->count; i++) {
        const struct pt_edges_function *function = &self->edges->functions[self->order->functions[i]];
        if (function->total_ns > greatest_ns)
            greatest_ns = function->total_ns;
        if (function->calls > most_calls)
            most_calls = function->calls;
    }
    for (uint32_t i = 1; i < self->edges->callees.count; i++)
        if (self->edges->callees.edges[i].calls > most_calls)
            most_calls = self->edges->callees.edges[i].calls;
    self->scale = pt_units_scale(greatest_ns);
    self->time_width = columns(pt_units_scaled(text, greatest_ns, self->scale));
    self->calls_width = columns(pt_units_count(text, most_calls));
    if (self->calls_width < 8)
        self->calls_width = 8;
}

static enum pt_status put_function(struct edges_table *self, uint32_t number)
{
    struct pt_screen *screen = self->report->screen;
    if (number == PT_EDGES_NOBODY) {
        pt_screen_style(screen, PT_SCREEN_DIM);
        pt_screen_put(screen, "(nobody: the thread begins here)");
        pt_screen_style(screen, PT_SCREEN_PLAIN);
        return PT_OK;
    }
    self->name.size = 0;
    PT_TRY(pt_text_function(&self->name, &self->report->input->functions[number], self->report->options->paths));
    pt_screen_write(screen, (const char *)self->name.data, self->name.size);
    return PT_OK;
}

/* `percent` below 0 is left out. */
static void put_figures(struct edges_table *self, uint64_t ns, double percent, const char *calls)
{
    struct pt_screen *screen = self->report->screen;
    char time[PT_UNITS_MAX];
    pt_units_scaled(time, ns, self->scale);
    pt_screen_printf(screen, "%*s%s ", self->time_width - columns(time), "", time);
    if (percent >= 0)
        pt_screen_printf(screen, "%5.1f %%", percent);
    else
        pt_screen_printf(screen, "%7s", "");
    pt_screen_printf(screen, " %*s  ", self->calls_width, calls);
}

static double percent_of(uint64_t part_ns, uint64_t whole_ns)
{
    return whole_ns ? 100.0 * (double)part_ns / (double)whole_ns : 0;
}

static void put_branch(struct edges_table *self, const char *branch)
{
    pt_screen_style(self->report->screen, PT_SCREEN_DIM);
    pt_screen_put(self->report->screen, branch);
    pt_screen_style(self->report->screen, PT_SCREEN_PLAIN);
}

/* The edges of one function in one direction. Callers hang from above, callees from below the function between them. */
static enum pt_status put_side(struct edges_table *self, const struct side *side, uint32_t chosen)
{
    struct pt_screen *screen = self->report->screen;
    uint64_t whole_ns = self->edges->functions[chosen].total_ns;
    uint32_t first = side->order->first[chosen], end = side->order->first[chosen + 1];
    uint32_t shown = side->rows && end - first > side->rows ? (uint32_t)side->rows : end - first;
    bool is_callers = side == &self->callers;
    uint64_t rest_ns = 0, rest_calls = 0;
    char text[PT_UNITS_MAX], count[PT_UNITS_MAX];

    for (uint32_t i = 0; i < shown; i++) {
        const struct pt_edge *edge = &side->edges[side->order->order[first + i]];
        bool is_end = is_callers ? i == 0 : i == end - first - 1;
        put_figures(self, edge->ns, percent_of(edge->ns, whole_ns), pt_units_count(text, edge->calls));
        put_branch(self, !is_end ? "├ " : is_callers ? "┌ " : "└ ");
        PT_TRY(put_function(self, edge->other));
        if (i == 0) {
            pt_screen_style(screen, PT_SCREEN_HEAD);
            pt_screen_printf(screen, "   %s", side->title);
            pt_screen_style(screen, PT_SCREEN_PLAIN);
        }
        pt_screen_put(screen, "\n");
    }
    if (shown == end - first)
        return PT_OK;
    for (uint32_t i = first + shown; i < end; i++) {
        rest_ns += side->edges[side->order->order[i]].ns;
        rest_calls += side->edges[side->order->order[i]].calls;
    }
    put_figures(self, rest_ns, percent_of(rest_ns, whole_ns), pt_units_count(text, rest_calls));
    pt_screen_style(screen, PT_SCREEN_DIM);
    pt_screen_printf(screen, "%s … %s more (%s)\n", is_callers ? "├" : "└", pt_units_count(count, end - first - shown),
                     side->remedy);
    pt_screen_style(screen, PT_SCREEN_PLAIN);
    return PT_OK;
}

static enum pt_status put_block(struct edges_table *self, uint32_t chosen)
{
    const struct pt_edges_function *function = &self->edges->functions[chosen];
    struct pt_screen *screen = self->report->screen;
    char calls[PT_UNITS_MAX], text[PT_UNITS_MAX];

    pt_screen_put(screen, "\n");
    PT_TRY(put_side(self, &self->callers, chosen));
    put_figures(self, function->total_ns, -1, pt_units_count(calls, function->calls));
    pt_screen_style(screen, PT_SCREEN_STRONG);
    pt_screen_put(screen, "► ");
    PT_TRY(put_function(self, function->function));
    pt_screen_style(screen, PT_SCREEN_PLAIN);
    if (function->recursion > 1) {
        pt_screen_style(screen, PT_SCREEN_DIM);
        pt_screen_printf(screen, " ↻%u", function->recursion);
        pt_screen_style(screen, PT_SCREEN_PLAIN);
    }
    pt_screen_printf(screen, "   self %s (%.1f %%)\n", pt_units_scaled(text, function->self_ns, self->scale),
                     percent_of(function->self_ns, function->total_ns));
    return put_side(self, &self->callees, chosen);
}

enum pt_status pt_edges_table_print(const struct pt_report *report, const struct pt_edges *edges,
                                    const struct pt_edges_order *order, bool asks_callers)
{
    size_t top = (size_t)report->options->top;
    size_t blocks = top && order->count > top ? top : order->count;
    enum pt_status status = PT_OK;
    char text[PT_UNITS_MAX];
    struct edges_table self = {
        .report = report,
        .edges = edges,
        .order = order,
        .callers = {edges->callers.edges, &order->callers, asks_callers ? top : OTHER_SIDE_ROWS, "CALLERS",
                    asks_callers ? "--top 0" : "see callers"},
        .callees = {edges->callees.edges, &order->callees, asks_callers ? OTHER_SIDE_ROWS : top, "CALLEES",
                    asks_callers ? "see callees" : "--top 0"},
    };

    pt_header_line_print(report);
    measure(&self);
    if (order->count == 0)
        pt_screen_put(report->screen, "The filters leave no call of a function that matches.\n");
    for (size_t i = 0; i < blocks && status == PT_OK && !pt_screen_gone(report->screen); i++)
        status = put_block(&self, order->functions[i]);
    if (blocks < order->count)
        pt_screen_printf(report->screen, "\n… %s more functions match (--top 0)\n",
                         pt_units_count(text, order->count - blocks));
    pt_buffer_release(&self.name);
    return status;
}
