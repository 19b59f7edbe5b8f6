#include "diff_read.h"

#include <stdlib.h>

#include "call_tree.h"
#include "replay.h"
#include "report_function.h"

enum pt_side pt_diff_side(const struct pt_report *report, size_t trace)
{
    return trace < report->options->base_count ? PT_SIDE_BASE : PT_SIDE_NEW;
}

struct pt_input pt_diff_only(const struct pt_input *whole, size_t trace)
{
    struct pt_input input = *whole;
    size_t first = 0;
    size_t count = 0;
    input.traces = &whole->traces[trace];
    input.trace_count = 1;
    while (first < whole->thread_count && whole->threads[first].origin != input.traces)
        first++;
    while (first + count < whole->thread_count && whole->threads[first + count].origin == input.traces)
        count++;
    input.threads = whole->threads + first;
    input.thread_count = count;
    return input;
}

/* Where the steps of a trace go. */
struct sink {
    struct pt_call_tree *tree;
    struct pt_diff_blocks *blocks;
    size_t trace;
};

static enum pt_status begin_thread(void *context, const struct pt_input_thread *thread)
{
    struct sink *self = context;
    if (self->blocks)
        pt_diff_blocks_begin(self->blocks, thread, self->trace);
    return pt_call_tree_begin(self->tree, PT_CALL_TREE_GROUP, thread->origin->clock_ns);
}

static enum pt_status add_steps(void *context, const struct pt_step *steps, size_t count)
{
    struct sink *self = context;
    if (self->blocks)
        PT_TRY(pt_diff_blocks_add(self->blocks, steps, count));
    return pt_call_tree_add(self->tree, steps, count);
}

static enum pt_status read_trace(struct pt_diff_reader *self, size_t trace)
{
    struct pt_input input = pt_diff_only(self->report->input, trace);
    struct pt_report part = *self->report;
    struct pt_stream_view view;
    uint8_t *flags = NULL;
    struct pt_call_tree *tree = NULL;
    part.input = &input;
    part.figures = &self->report->figures[trace];
    enum pt_status status = pt_report_function_view(&part, &view, &flags);
    view.by = PT_BY_FUNCTION;
    view.numbers = self->match->numbers[pt_diff_side(self->report, trace)];
    if (status == PT_OK)
        status = pt_call_tree_new(&tree, self->match->count, true);
    if (status == PT_OK) {
        struct sink context = {.tree = tree, .blocks = self->blocks, .trace = trace};
        struct pt_replay_sink sink = {.context = &context, .thread = begin_thread, .steps = add_steps};
        status = pt_replay(&part, &view, &sink);
    }
    if (status == PT_OK)
        status = pt_diff_paths_add(self->paths, tree, trace);
    pt_call_tree_free(tree);
    free(flags);
    return status;
}

enum pt_status pt_diff_read(struct pt_diff_reader *self)
{
    enum pt_status status = pt_diff_paths_init(self->paths, self->report->input->trace_count);
    if (status == PT_OK && self->blocks)
        status = pt_diff_blocks_init(self->blocks, self->match->count, self->report->input->trace_count);
    for (size_t i = 0; i < self->report->input->trace_count && status == PT_OK; i++)
        status = read_trace(self, i);
    self->report->replayed = true;
    return status;
}
