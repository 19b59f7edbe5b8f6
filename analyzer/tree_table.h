/* The call tree as people read it. */
#ifndef PT_TREE_TABLE_H
#define PT_TREE_TABLE_H

#include "call_tree.h"
#include "report.h"
#include "tree_rows.h"

/* Prints the header line and the rows. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_tree_table_print(const struct pt_report *report, const struct pt_call_tree *tree,
                                               const struct pt_tree_rows *rows);

#endif
