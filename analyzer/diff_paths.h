/* The call paths of all traces of a comparison in one tree, with what each trace has to say of each.
 *
 * A path is a function below the path of its caller; recursion is collapsed (call_tree.h). Memory is O(paths × traces). */
#ifndef PT_DIFF_PATHS_H
#define PT_DIFF_PATHS_H

#include <stddef.h>
#include <stdint.h>

#include "call_tree.h"
#include "row_index.h"
#include "status.h"

/* What one trace tells of one row. */
struct pt_diff_cell {
    uint64_t calls;
    uint64_t self_clock; /* on the clock of its steps: a sum that may be less than nothing (pt_stream_ns) */
};

struct pt_diff_path {
    uint32_t parent;   /* the key: a path that stands before this one; that of the root is 0 */
    uint32_t function; /* as steps number it */
};

/* Release with pt_diff_paths_release. */
struct pt_diff_paths {
    struct pt_diff_path *paths; /* [0] is the root, nobody's */
    struct pt_diff_cell *cells; /* by path, then by trace */
    uint32_t count;
    size_t trace_count;
    struct pt_row_index index;
};

PT_MUST_USE enum pt_status pt_diff_paths_init(struct pt_diff_paths *paths, size_t trace_count);
void pt_diff_paths_release(struct pt_diff_paths *paths);

/* Adds what a trace tells: a tree of its own, to which every thread was added and which is not finished. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_diff_paths_add(struct pt_diff_paths *paths, const struct pt_call_tree *tree,
                                             size_t trace);

static inline const struct pt_diff_cell *pt_diff_paths_cells(const struct pt_diff_paths *paths, uint32_t path)
{
    return &paths->cells[path * paths->trace_count];
}

#endif
