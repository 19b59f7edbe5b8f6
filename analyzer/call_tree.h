/* The call tree: every path of functions that was on a stack, with the calls and the time of each.
 *
 * A node is a path: a function below the node of its caller. Memory is O(paths), whatever the number of events.
 *
 * Recursion is collapsed unless told otherwise: a call of a function that is on the stack already folds into the node of its outermost
 * activation there. What it then calls appears below that node, and its time is that node's. So the tree stays
 * as deep as there are different functions on a path, and the total of a node is exactly its own self time (and stalls) plus the totals of its
 * children: every moment is counted in one place only. */
#ifndef PT_CALL_TREE_H
#define PT_CALL_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"
#include "stream.h"

/* In pt_call_node.function: the rest of it is not a function but the number of a group (a thread, a process). */
#define PT_CALL_TREE_GROUP UINT32_C(0x80000000)

struct pt_call_node {
    uint32_t parent;      /* a node that stands before this one; the root is its own */
    uint32_t function;    /* number in the input, or PT_CALL_TREE_GROUP | number of the group */
    uint32_t first_child; /* 0 for none; siblings in no order */
    uint32_t next_sibling;
    uint32_t recent_child; /* the one entered last: most calls repeat */
    uint32_t recursion;    /* most activations at once on a stack; 1 without recursion */
    uint64_t calls;        /* all of them */
    uint64_t primitive;    /* those that did not fold */
    uint64_t raised;
    uint64_t self_ticks;  /* of the thread and trace that are being read */
    uint64_t other_ticks; /* stalls and gaps while this was on top: total, but nobody's self time */
    uint64_t self_ns;     /* the rest of the figures: valid after pt_call_tree_finish */
    uint64_t other_ns;
    uint64_t total_ns;
};

struct pt_call_tree_private;

struct pt_call_tree {
    struct pt_call_node *nodes; /* [0] is the root, nobody's; parents stand before their children */
    uint32_t count;
    struct pt_call_tree_private *inner;
};

/* `functions`: how many numbers steps can hold. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_call_tree_new(struct pt_call_tree **out, size_t functions, bool collapse);
void pt_call_tree_free(struct pt_call_tree *tree);

/* The steps that follow are of another thread. Its outermost functions stand below the root, or below a node for `group` if that is below
 * PT_CALL_TREE_GROUP. Requires that every frame of the thread before was left. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_call_tree_begin(struct pt_call_tree *tree, uint32_t group, double tick_ns);

/* PT_NOMEM, also if there are more than 2^32 paths. */
PT_MUST_USE enum pt_status pt_call_tree_add(struct pt_call_tree *tree, const struct pt_step *steps, size_t count);

/* The same for a chunk, without steps: a pt_stream_run, whose context is the tree. */
pt_stream_run pt_call_tree_run;

/* Adds what was read into another tree, for as many functions, of one trace. Its paths come behind those that are there, in
 * their order. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_call_tree_merge(struct pt_call_tree *into, const struct pt_call_tree *from);

/* Turns ticks into nanoseconds and sums up the totals. Call once, at the end. */
void pt_call_tree_finish(struct pt_call_tree *tree);

#endif
