/* What the hook costs: calls of a few tiny functions of our own, timed with and without it, before a recording begins. The
 * program sees nothing of it but 3 ms, and the audit event "compile"; no other thread meets the hook. */
#ifndef PT_PROBE_H
#define PT_PROBE_H

#include <stdbool.h>

#include "costs.h"

/* Between pt_hook_reserve and pt_hook_start. Where somebody else watches the calling thread, whose cost would be in the
 * figures too, or where these are not to be had for another reason, all or some of `costs` is PT_COST_UNMEASURED. Returns 0, or -1 with
 * an exception set: that of a signal handler which ran meanwhile. */
int pt_probe_measure(struct pt_cost costs[PT_COST_KINDS], bool c_calls);

#endif
