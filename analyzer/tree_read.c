#include "tree_read.h"

#include <stdlib.h>

#include "report_function.h"
#include "shares.h"

/* What all workers work at, or one of them. */
struct reading {
    const struct pt_report *report;
    struct pt_call_tree *tree;
};

static enum pt_status begin_thread(void *context, const struct pt_input_thread *thread)
{
    const struct reading *self = context;
    const enum pt_by by = self->report->options->by;
    uint32_t group = PT_CALL_TREE_GROUP;
    if (by == PT_BY_THREAD)
        group = (uint32_t)thread->tid;
    else if (by == PT_BY_PROCESS)
        group = (uint32_t)thread->pid;
    return pt_call_tree_begin(self->tree, group, thread->origin->clock_ns);
}

static enum pt_status add_steps(void *context, const struct pt_step *steps, size_t count)
{
    const struct reading *self = context;
    return pt_call_tree_add(self->tree, steps, count);
}

static enum pt_status run_chunk(void *context, struct pt_stream *stream)
{
    const struct reading *self = context;
    return pt_call_tree_run(self->tree, stream);
}

static enum pt_status begin(void *context, const struct pt_input_trace *origin, struct pt_replay_sink *sink)
{
    const struct reading *whole = context;
    const struct pt_report *report = whole->report;
    struct reading *share = calloc(1, sizeof *share);
    (void)origin;
    *sink = (struct pt_replay_sink){.context = share, .thread = begin_thread, .steps = add_steps, .run = run_chunk};
    if (!share)
        return PT_NOMEM;
    share->report = report;
    return pt_call_tree_new(&share->tree, report->input->function_count, !report->options->no_collapse);
}

/* The first tree is taken as it is: there may be many millions of paths. */
static enum pt_status merge(void *context, struct pt_replay_sink *sink)
{
    struct reading *whole = context;
    struct reading *share = sink->context;
    if (whole->tree)
        return pt_call_tree_merge(whole->tree, share->tree);
    whole->tree = share->tree;
    share->tree = NULL;
    return PT_OK;
}

static void end(void *context, struct pt_replay_sink *sink)
{
    struct reading *share = sink->context;
    (void)context;
    if (share)
        pt_call_tree_free(share->tree);
    free(share);
}

enum pt_status pt_tree_read(struct pt_call_tree **tree, struct pt_report *report)
{
    struct reading whole = {.report = report};
    const struct pt_shares shares = {.context = &whole, .begin = begin, .merge = merge, .end = end};
    struct pt_stream_view view;
    uint8_t *flags = NULL;
    enum pt_status status = pt_report_function_view(report, &view, &flags);
    if (status == PT_OK)
        status = pt_shares_read(report, &view, &shares);
    if (status == PT_OK)
        pt_call_tree_finish(whole.tree);
    *tree = whole.tree;
    free(flags);
    return status;
}
