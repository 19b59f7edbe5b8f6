#include "edges_table.h"

#include <stdio.h>
#include <string.h>

#include "buffer.h"
#include "header_line.h"
#include "text.h"
#include "units.h"

/* Rows of the side that was not asked for; the other one has as many as --top says. */
#define OTHER_SIDE_ROWS 5

/* A function's own name gives way to its self time on a narrow screen, down to this many columns. */
#define NAME_LEAST 12

#define SELF_MAX      (PT_UNITS_MAX + 48)
#define PERCENT_WIDTH 7 /* "100.0 %" */
#define TITLE_GAP     3

#define NOBODY "(nobody: the thread begins here)"

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
    int calls_width; /* columns */
    uint64_t scale;  /* unit of the times of a block */
    int time_width;
    size_t name_column;  /* where names begin */
    size_t title_column; /* where titles and the self time stand, counted from where names begin */
    struct pt_buffer name;
};

static int columns(const char *text)
{
    return (int)pt_text_width(text, strlen(text));
}

static enum pt_status name_of(struct edges_table *self, uint32_t number)
{
    const struct pt_report *report = self->report;
    self->name.size = 0;
    if (number == PT_EDGES_NOBODY)
        return pt_buffer_append(&self->name, NOBODY, strlen(NOBODY));
    return pt_text_function(&self->name, &report->input->functions[number], report->options->paths);
}

/* Calls have one width in all blocks: their column then runs straight down the screen. */
static void measure_calls(struct edges_table *self)
{
    uint64_t most = 0;
    char text[PT_UNITS_MAX];
    for (size_t i = 0; i < self->order->count; i++)
        if (self->edges->functions[self->order->functions[i]].calls > most)
            most = self->edges->functions[self->order->functions[i]].calls;
    for (uint32_t i = 1; i < self->edges->callees.count; i++)
        if (self->edges->callees.edges[i].calls > most)
            most = self->edges->callees.edges[i].calls;
    self->calls_width = columns(pt_units_count(text, most));
}

static double percent_of(uint64_t part_ns, uint64_t whole_ns)
{
    return whole_ns ? 100.0 * (double)part_ns / (double)whole_ns : 0;
}

/* " ↻37", or nothing. */
static void recursion_of(char out[PT_UNITS_MAX], const struct pt_edges_function *function)
{
    char depth[PT_UNITS_MAX];
    out[0] = '\0';
    if (function->recursion > 1)
        snprintf(out, PT_UNITS_MAX, " ↻%.20s", pt_units_count(depth, function->recursion));
}

/* What stands behind the name of the function between its callers and its callees. */
static void self_of(char out[SELF_MAX], const struct edges_table *self, const struct pt_edges_function *function)
{
    char time[PT_UNITS_MAX];
    snprintf(out, SELF_MAX, "%*sself %s (%.1f %%)", TITLE_GAP, "",
             pt_units_scaled(time, function->self_ns, self->scale), percent_of(function->self_ns, function->total_ns));
}

/* The unit of a block, and its columns. */
static enum pt_status measure_block(struct edges_table *self, uint32_t chosen)
{
    const struct pt_edges_function *function = &self->edges->functions[chosen];
    const struct side *sides[] = {&self->callers, &self->callees};
    const size_t screen_width = pt_screen_width(self->report->screen);
    char text[PT_UNITS_MAX], self_text[SELF_MAX];

    self->scale = pt_units_scale(function->total_ns);
    self->time_width = columns(pt_units_scaled(text, function->total_ns, self->scale));
    self->name_column = (size_t)self->time_width + 1 + PERCENT_WIDTH + 1 + (size_t)self->calls_width + 2 + 2;
    recursion_of(text, function);
    PT_TRY(name_of(self, function->function));
    size_t own = pt_text_width((const char *)self->name.data, self->name.size);
    size_t least = (own < NAME_LEAST ? own : NAME_LEAST) + (size_t)columns(text);
    self->title_column = own + (size_t)columns(text);
    for (size_t i = 0; i < 2; i++) {
        uint32_t first = sides[i]->order->first[chosen];
        if (first == sides[i]->order->first[chosen + 1])
            continue;
        PT_TRY(name_of(self, sides[i]->edges[sides[i]->order->order[first]].other));
        size_t width = pt_text_width((const char *)self->name.data, self->name.size);
        if (width > self->title_column)
            self->title_column = width;
    }
    if (screen_width > 0) {
        self_of(self_text, self, function);
        size_t taken = self->name_column + (size_t)columns(self_text);
        size_t room = screen_width > taken + least ? screen_width - taken : least;
        if (self->title_column > room)
            self->title_column = room;
    }
    return PT_OK;
}

/* Puts a name, or its end if it is wider than `room`: methods of one class differ there. Returns the columns taken. */
static enum pt_status put_function(struct edges_table *self, uint32_t number, enum pt_screen_style style, size_t room,
                                   size_t *taken)
{
    struct pt_screen *screen = self->report->screen;
    PT_TRY(name_of(self, number));
    const char *name = (const char *)self->name.data;
    size_t size = self->name.size;
    size_t width = pt_text_width(name, size);
    pt_screen_style(screen, style);
    if (width > room) {
        size_t excess = width - room + 1; /* 1 for the sign */
        size_t cut = pt_text_fit(name, size, excess);
        if (pt_text_width(name + cut, size - cut) >= room) /* half of a wide character is too much */
            cut = pt_text_fit(name, size, excess + 1);
        pt_screen_put(screen, "…");
        name += cut;
        size -= cut;
        width = 1 + pt_text_width(name, size);
    }
    pt_screen_write(screen, name, size);
    pt_screen_style(screen, PT_SCREEN_PLAIN);
    *taken = width;
    return PT_OK;
}

/* Behind a name of `taken` columns; left out where the screen has no room for it. */
static void put_title(struct edges_table *self, const char *title, size_t taken)
{
    struct pt_screen *screen = self->report->screen;
    size_t blank = TITLE_GAP + (self->title_column > taken ? self->title_column - taken : 0);
    size_t width = pt_screen_width(screen);
    if (width > 0 && self->name_column + taken + blank + (size_t)columns(title) > width)
        return;
    pt_screen_style(screen, PT_SCREEN_HEAD);
    pt_screen_printf(screen, "%*s%s", (int)blank, "", title);
    pt_screen_style(screen, PT_SCREEN_PLAIN);
}

static void put_time(struct edges_table *self, const char *time)
{
    pt_screen_printf(self->report->screen, "%*s%s ", self->time_width - columns(time), "", time);
}

/* Calls from within itself add nothing to a function's time: a dash says that this is no small number. */
static void put_edge_figures(struct edges_table *self, uint64_t ns, uint64_t whole_ns, uint64_t calls)
{
    char text[PT_UNITS_MAX];
    if (ns == 0) {
        put_time(self, "–");
        pt_screen_printf(self->report->screen, "%9s", "–"); /* two bytes more than columns */
    } else {
        put_time(self, pt_units_scaled(text, ns, self->scale));
        pt_screen_printf(self->report->screen, "%5.1f %%", percent_of(ns, whole_ns));
    }
    pt_screen_printf(self->report->screen, " %*s  ", self->calls_width, pt_units_count(text, calls));
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
    /* A line that says "1 more" would take as much room as the one. */
    uint32_t shown = side->rows && end - first > side->rows + 1 ? (uint32_t)side->rows : end - first;
    bool is_callers = side == &self->callers;
    uint64_t rest_ns = 0, rest_calls = 0;
    char count[PT_UNITS_MAX];

    for (uint32_t i = 0; i < shown; i++) {
        const struct pt_edge *edge = &side->edges[side->order->order[first + i]];
        bool is_end = is_callers ? i == 0 : i == end - first - 1;
        size_t taken;
        put_edge_figures(self, edge->ns, whole_ns, edge->calls);
        put_branch(self, !is_end ? "├ " : is_callers ? "┌ " : "└ ");
        PT_TRY(put_function(self, edge->other, edge->other == PT_EDGES_NOBODY ? PT_SCREEN_DIM : PT_SCREEN_PLAIN,
                            SIZE_MAX, &taken));
        if (i == 0)
            put_title(self, side->title, taken);
        pt_screen_put(screen, "\n");
    }
    if (shown == end - first)
        return PT_OK;
    for (uint32_t i = first + shown; i < end; i++) {
        rest_ns += side->edges[side->order->order[i]].ns;
        rest_calls += side->edges[side->order->order[i]].calls;
    }
    put_edge_figures(self, rest_ns, whole_ns, rest_calls);
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
    char text[PT_UNITS_MAX], recursion[PT_UNITS_MAX], self_text[SELF_MAX];
    size_t taken, recursion_width;

    PT_TRY(measure_block(self, chosen));
    pt_screen_put(screen, "\n");
    PT_TRY(put_side(self, &self->callers, chosen));
    put_time(self, pt_units_scaled(text, function->total_ns, self->scale));
    pt_screen_printf(screen, "%7s %*s  ", "", self->calls_width, pt_units_count(text, function->calls));
    pt_screen_style(screen, PT_SCREEN_STRONG);
    pt_screen_put(screen, "► ");
    recursion_of(recursion, function);
    recursion_width = (size_t)columns(recursion);
    PT_TRY(put_function(self, function->function, PT_SCREEN_STRONG, self->title_column - recursion_width, &taken));
    taken += recursion_width;
    self_of(self_text, self, function);
    pt_screen_printf(screen, "%s%*s%s\n", recursion, (int)(self->title_column - taken), "", self_text);
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
    measure_calls(&self);
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
