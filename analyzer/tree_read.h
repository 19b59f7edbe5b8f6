/* The call tree of a report's whole input, as the options ask for it. */
#ifndef PT_TREE_READ_H
#define PT_TREE_READ_H

#include "call_tree.h"
#include "report.h"

/* Reads every chosen thread into a fresh tree, finished. With --by thread or process each of them has a node of its own at the top. PT_NOMEM; PT_END
 * after Ctrl-C. On failure *tree is NULL or to be freed like any other. */
PT_MUST_USE enum pt_status pt_tree_read(struct pt_call_tree **tree, struct pt_report *report);

#endif
