/* The view that the options ask for: the filters, matched once against every function. */
#ifndef PT_VIEW_H
#define PT_VIEW_H

#include "input.h"
#include "options.h"
#include "stream.h"

/* Fills a zeroed view. `*flags`, which the view borrows, is to be freed in any case. PT_MISUSE (no regular expression;
 * `error` names the option), PT_NOMEM. */
PT_MUST_USE enum pt_status pt_view_make(struct pt_stream_view *view, uint8_t **flags, const struct pt_options *options,
                                        const struct pt_input *input, struct pt_error *error);

#endif
