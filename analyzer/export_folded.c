/* folded: a line for each call path, its functions with semicolons between them, outermost first, and its self time. The format
 * of stackcollapse-*.pl and flamegraph.pl (Brendan Gregg), which most tools for flame graphs read. */
#include <inttypes.h>
#include <stdlib.h>

#include "export.h"
#include "export_names.h"
#include "interrupt.h"
#include "tree_read.h"

struct folded {
    struct pt_report *report;
    struct pt_call_tree *tree;
    struct pt_export_names names;
    uint32_t *path; /* of the line that is being written: nodes, innermost first */
};

static void put_frame(const struct folded *self, const struct pt_call_node *node)
{
    struct pt_screen *screen = self->report->screen;
    if (node->function & PT_CALL_TREE_GROUP)
        pt_screen_printf(screen, "%s %" PRIu32, self->report->options->by == PT_BY_THREAD ? "thread" : "process",
                         node->function & ~PT_CALL_TREE_GROUP);
    else
        pt_screen_put(screen, self->names.names[node->function]);
}

/* `more` is a function that no node stands for, or NULL. */
static void put_line(const struct folded *self, uint32_t node, const char *more, uint64_t ns)
{
    struct pt_screen *screen = self->report->screen;
    const struct pt_call_node *nodes = self->tree->nodes;
    size_t depth = 0;
    if (ns == 0)
        return;
    for (uint32_t at = node; at != 0; at = nodes[at].parent)
        self->path[depth++] = at;
    while (depth > 0) {
        put_frame(self, &nodes[self->path[--depth]]);
        if (depth > 0 || more)
            pt_screen_write(screen, ";", 1);
    }
    if (more)
        pt_screen_put(screen, more);
    pt_screen_printf(screen, " %" PRIu64 "\n", ns);
}

enum pt_status pt_export_folded(struct pt_report *report)
{
    struct folded self = {.report = report};
    enum pt_status status = pt_tree_read(&self.tree, report);
    if (status == PT_OK)
        status = pt_export_names_make(&self.names, report, ";");
    if (status != PT_OK)
        goto cleanup;
    self.path = calloc(self.tree->count, sizeof *self.path);
    if (!self.path) {
        status = PT_NOMEM;
        goto cleanup;
    }
    pt_progress_finish(report->progress);
    for (uint32_t node = 1; node < self.tree->count && !pt_screen_gone(report->screen) && !pt_interrupt_requested();
         node++) {
        put_line(&self, node, NULL, self.tree->nodes[node].self_ns);
        put_line(&self, node, PT_EXPORT_UNRECORDED, self.tree->nodes[node].other_ns);
    }
    if (pt_interrupt_requested())
        status = PT_END;

cleanup:
    free(self.path);
    pt_export_names_release(&self.names);
    pt_call_tree_free(self.tree);
    return status;
}
