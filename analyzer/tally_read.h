/* The sums of a whole input. */
#ifndef PT_TALLY_READ_H
#define PT_TALLY_READ_H

#include "report.h"
#include "tally.h"

/* Reads every chosen thread of the report's input through `view` into a fresh tally of `count` entries, on as many
 * processors as --jobs allows. PT_NOMEM; PT_END after Ctrl-C. Release the tally in any case. */
PT_MUST_USE enum pt_status pt_tally_read(struct pt_tally *tally, struct pt_report *report,
                                         const struct pt_stream_view *view, size_t count);

#endif
