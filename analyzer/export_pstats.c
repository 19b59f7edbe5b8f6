/* pstats: what cProfile.Profile.dump_stats writes. A dictionary, marshalled:
 *
 *     (file, line, name): (primitive calls, calls, self, total, {caller: (calls, unnested calls, self, total), …})
 *
 * Times are seconds. The order of the two counts differs between function and caller; so it is in cProfile. A function is what
 * cProfile takes for one: file, first line and co_name; C functions are ("~", 0, label). */
#include <stdlib.h>
#include <string.h>

#include "call_graph.h"
#include "export.h"
#include "interrupt.h"
#include "marshal.h"
#include "report_function.h"

/* How pstats knows a function. */
struct key {
    const char *file;
    uint32_t line;
    const char *name; /* not terminated */
    size_t name_size;
};

struct pstats {
    struct pt_report *report;
    struct pt_call_graph graph;
    uint32_t *numbers; /* by function of the input: the key that stands for it */
    struct key *keys;  /* and behind them, that of time that is not recorded */
    size_t key_count;
};

/* --- Keys ------------------------------------------------------------------------------------------------------- */

static struct key key_of(const struct pt_function *function)
{
    struct key key = {.file = "~", .name = function->label, .name_size = strlen(function->label)};
    const size_t file_size = strlen(function->file);
    if (function->kind == PT_NAME_C || strncmp(function->label, function->file, file_size) != 0)
        return key;
    const char *name = strchr(function->label + file_size, '('); /* file:line(name) */
    if (!name)
        return key;
    key.file = function->file;
    key.line = function->line;
    key.name = name + 1;
    key.name_size = strlen(key.name) - 1;
    return key;
}

static int compare_functions(const void *a, const void *b, void *context)
{
    const struct pt_function *functions = context;
    const struct key x = key_of(&functions[*(const uint32_t *)a]), y = key_of(&functions[*(const uint32_t *)b]);
    int order = strcmp(x.file, y.file);
    if (order != 0)
        return order;
    if (x.line != y.line)
        return x.line < y.line ? -1 : 1;
    if (x.name_size != y.name_size)
        return x.name_size < y.name_size ? -1 : 1;
    return memcmp(x.name, y.name, x.name_size);
}

/* Functions sorted by key fall into runs, each of which gets a number. */
static enum pt_status number_keys(struct pstats *self)
{
    const struct pt_input *input = self->report->input;
    const size_t count = input->function_count;
    uint32_t *order = calloc(count, sizeof *order);
    self->numbers = calloc(count, sizeof *self->numbers);
    self->keys = calloc(count + 1, sizeof *self->keys);
    if (!order || !self->numbers || !self->keys) {
        free(order);
        return PT_NOMEM;
    }
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, count, sizeof *order, compare_functions, input->functions);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || compare_functions(&order[i - 1], &order[i], input->functions) != 0)
            self->keys[self->key_count++] = key_of(&input->functions[order[i]]);
        self->numbers[order[i]] = (uint32_t)(self->key_count - 1);
    }
    self->keys[self->key_count] =
        (struct key){.file = "~", .name = PT_EXPORT_UNRECORDED, .name_size = strlen(PT_EXPORT_UNRECORDED)};
    free(order);
    return PT_OK;
}

/* --- Writing ---------------------------------------------------------------------------------------------------- */

static void put_key(const struct pstats *self, uint32_t number)
{
    struct pt_screen *screen = self->report->screen;
    const struct key *key = &self->keys[number];
    pt_marshal_tuple(screen, 3);
    pt_marshal_text(screen, key->file, strlen(key->file));
    pt_marshal_uint(screen, key->line);
    pt_marshal_text(screen, key->name, key->name_size);
}

static void put_seconds(struct pt_screen *screen, uint64_t ns)
{
    pt_marshal_float(screen, (double)ns / 1e9);
}

/* A function, of which `edges` are those to it. */
static void put_function(const struct pstats *self, const struct pt_call_edge *edges, size_t count)
{
    struct pt_screen *screen = self->report->screen;
    struct pt_call_edge sum = {0};
    for (size_t i = 0; i < count; i++) {
        sum.calls += edges[i].calls;
        sum.primitive += edges[i].primitive;
        sum.ns.self += edges[i].ns.self;
        sum.ns.total += edges[i].ns.total;
    }
    put_key(self, edges->callee);
    pt_marshal_tuple(screen, 5);
    pt_marshal_uint(screen, sum.primitive);
    pt_marshal_uint(screen, sum.calls);
    put_seconds(screen, sum.ns.self);
    put_seconds(screen, sum.ns.total);
    pt_marshal_dict(screen);
    for (size_t i = 0; i < count; i++) {
        if (edges[i].caller == pt_call_graph_nobody(&self->graph))
            continue;
        put_key(self, edges[i].caller);
        pt_marshal_tuple(screen, 4);
        pt_marshal_uint(screen, edges[i].calls);
        pt_marshal_uint(screen, edges[i].unnested);
        put_seconds(screen, edges[i].ns.self);
        put_seconds(screen, edges[i].ns.span);
    }
    pt_marshal_dict_end(screen);
}

static enum pt_status put_all(const struct pstats *self)
{
    const struct pt_call_graph *graph = &self->graph;
    struct pt_screen *screen = self->report->screen;
    pt_marshal_dict(screen);
    for (uint32_t from = 1, to; from < graph->count && !pt_screen_gone(screen); from = to) {
        for (to = from; to < graph->count && graph->edges[to].callee == graph->edges[from].callee;)
            to++;
        put_function(self, &graph->edges[from], to - from);
        if (pt_interrupt_requested())
            return PT_END;
    }
    pt_marshal_dict_end(screen);
    return PT_OK;
}

enum pt_status pt_export_pstats(struct pt_report *report)
{
    struct pstats self = {.report = report};
    struct pt_stream_view view;
    uint8_t *flags = NULL;
    enum pt_status status = pt_report_function_view(report, &view, &flags);
    if (status == PT_OK)
        status = number_keys(&self);
    view.numbers = self.numbers;
    if (status == PT_OK)
        status = pt_call_graph_read(&self.graph, report, &view, self.key_count);
    pt_progress_finish(report->progress);
    if (status == PT_OK)
        status = put_all(&self);
    pt_call_graph_release(&self.graph);
    free(self.numbers);
    free(self.keys);
    free(flags);
    return status;
}
