#include "tree_read.h"

#include <stdlib.h>

#include "replay.h"
#include "report_function.h"

struct reader {
    const struct pt_options *options;
    struct pt_call_tree *tree;
};

static enum pt_status begin_thread(void *context, const struct pt_input_thread *thread)
{
    const struct reader *self = context;
    uint32_t group = PT_CALL_TREE_GROUP;
    if (self->options->by == PT_BY_THREAD)
        group = (uint32_t)thread->tid;
    else if (self->options->by == PT_BY_PROCESS)
        group = (uint32_t)thread->pid;
    return pt_call_tree_begin(self->tree, group, thread->origin->clock_ns);
}

static enum pt_status add_steps(void *context, const struct pt_step *steps, size_t count)
{
    const struct reader *self = context;
    return pt_call_tree_add(self->tree, steps, count);
}

enum pt_status pt_tree_read(struct pt_call_tree **tree, struct pt_report *report)
{
    struct reader self = {.options = report->options};
    struct pt_replay_sink sink = {.context = &self, .thread = begin_thread, .steps = add_steps};
    struct pt_stream_view view;
    uint8_t *flags = NULL;
    enum pt_status status = pt_report_function_view(report, &view, &flags);

    *tree = NULL;
    if (status == PT_OK)
        status = pt_call_tree_new(&self.tree, report->input->function_count, !report->options->no_collapse);
    if (status == PT_OK)
        status = pt_replay(report, &view, &sink);
    if (status == PT_OK)
        pt_call_tree_finish(self.tree);
    *tree = self.tree;
    free(flags);
    return status;
}
