/* The processes of a recording as `info` tells of them. */
#ifndef PT_PROCESS_TABLE_H
#define PT_PROCESS_TABLE_H

#include "input.h"
#include "json.h"
#include "options.h"
#include "screen.h"
#include "status.h"

/* A table, with the tree in its last column. PT_NOMEM: nothing was printed. */
PT_MUST_USE enum pt_status pt_process_table_print(struct pt_screen *screen, const struct pt_input_trace *origin,
                                                  const struct pt_options *options);

/* An array of objects, parents before their children. PT_NOMEM: nothing was written. */
PT_MUST_USE enum pt_status pt_process_table_json(struct pt_json *json, const struct pt_input_trace *origin,
                                                 const struct pt_options *options);

#endif
