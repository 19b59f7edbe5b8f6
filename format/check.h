/* The strict check of a trace: everything that SPEC.md says, and whatever keeps it from being pristine. */
#ifndef PT_CHECK_H
#define PT_CHECK_H

#include <stdint.h>

#include "status.h"
#include "trace.h"

/* One finding a call: what is wrong and where (PT_ERROR_NO_OFFSET if nowhere). */
typedef void pt_check_finding(void *context, uint64_t offset, const char *text);

/* Decodes everything in an open trace and reports each violation and each imperfection (no end, tail still in the
 * arena, losses, damage, trailing bytes, unmatched leaves are not one). Returns PT_OK whatever was found; PT_NOMEM.
 * `findings` counts them. */
PT_MUST_USE enum pt_status pt_check(const struct pt_trace *trace, pt_check_finding *report, void *context,
                                    uint64_t *findings);

#endif
