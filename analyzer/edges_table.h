/* Callers and callees as people read them: around each function a block, callers above, callees below. */
#ifndef PT_EDGES_TABLE_H
#define PT_EDGES_TABLE_H

#include <stdbool.h>

#include "edges.h"
#include "edges_order.h"
#include "report.h"

/* Prints the header line and the blocks. All of the side that was asked for is shown (within --top), of the other one only the
 * greatest. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_edges_table_print(const struct pt_report *report, const struct pt_edges *edges,
                                                const struct pt_edges_order *order, bool asks_callers);

#endif
