/* What of a call tree is worth showing, in the order in which it is shown: each path, below it the paths that it leads to. */
#ifndef PT_TREE_ROWS_H
#define PT_TREE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "call_tree.h"
#include "status.h"

enum pt_tree_order { PT_TREE_BY_TOTAL, PT_TREE_BY_SELF, PT_TREE_BY_CALLS, PT_TREE_BY_NAME };

struct pt_tree_choice {
    uint64_t min_ns;    /* smaller totals are left out */
    uint64_t depth_max; /* deeper paths are left out; 0: none is */
    uint64_t row_max;   /* only so many, those with the greatest totals; 0: all */
    enum pt_tree_order order;
    /* For PT_TREE_BY_NAME: as strcmp. */
    int (*compare_names)(void *context, uint32_t function_a, uint32_t function_b);
    void *context;
};

/* Why paths were left out, the plainest first. */
enum pt_tree_reason { PT_TREE_SHOWN, PT_TREE_SMALL, PT_TREE_BEYOND_ROWS, PT_TREE_TOO_DEEP };

struct pt_tree_row {
    uint32_t node;   /* of the tree; for a row that stands for what was left out, the node above it */
    uint32_t hidden; /* children of `node` that were left out here; 0: this row is a path */
    uint64_t hidden_ns;
    uint32_t depth; /* 0 for the outermost functions */
    bool last;      /* nothing follows at this depth below the same parent */
    enum pt_tree_reason reason;
};

struct pt_tree_rows {
    struct pt_tree_row *rows;
    size_t count;
    size_t capacity;
    uint64_t left_out; /* paths that no row of their own shows */
};

/* `rows` zeroed. Rows for what was left out appear only where that is worth a line: min_ns or more, or cut by depth. PT_NOMEM. Release in any case. */
PT_MUST_USE enum pt_status pt_tree_rows_choose(struct pt_tree_rows *rows, const struct pt_call_tree *tree,
                                               const struct pt_tree_choice *choice);
void pt_tree_rows_release(struct pt_tree_rows *rows);

#endif
