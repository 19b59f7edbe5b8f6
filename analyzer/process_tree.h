/* The processes of a trace as the tree that they grew in, each with the sums of its threads. */
#ifndef PT_PROCESS_TREE_H
#define PT_PROCESS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "input.h"
#include "options.h"
#include "status.h"

struct pt_process_row {
    const struct pt_process *process;
    uint64_t pid;        /* serial number in the input */
    uint64_t parent;     /* the same of the parent; 0 if none is known */
    uint32_t depth;      /* below a process of which no parent is shown: 0 */
    bool last;           /* no later row has the same parent */
    const char *program; /* pt_process_program */
    uint64_t threads;
    uint64_t events;
    uint64_t lost;
};

/* Parents before their children, siblings in order of pid. Zeroed is empty; release with pt_process_tree_release. */
struct pt_process_tree {
    struct pt_process_row *rows;
    size_t count;
    uint32_t deepest;
};

/* Those processes of the trace that `pids` chooses. A process whose parent is not among them is a root, and so is one that
 * names a parent which is no earlier process: no file makes a circle of them. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_process_tree_make(struct pt_process_tree *tree, const struct pt_input_trace *origin,
                                                const struct pt_serials *pids);
void pt_process_tree_release(struct pt_process_tree *tree);

/* What a process ran, for display; a forked one runs what its parent does. Empty if nobody knows. Escape before printing. */
const char *pt_process_program(const struct pt_trace *trace, uint64_t serial);

#endif
