/* Salvage: the blocks that a crashed recording left in its arena (SPEC.md 8; internal to trace.c). */
#ifndef PT_SALVAGE_H
#define PT_SALVAGE_H

#include "collector.h"
#include "status.h"
#include "trace.h"

/* Finds the arena that `trace` (blocks read, no end) names, refuses it unless it is under a known root or beside the
 * trace, of our uid, of this boot and of the same run, and hands what the file lacks to `sink`. Sets trace->arena and
 * trace->arena_text, and counts the losses that no chunk tells of. PT_NOMEM, or what the sink returned; an arena that cannot
 * be used is no error. */
PT_MUST_USE enum pt_status pt_salvage(struct pt_trace *trace, pt_collector_sink *sink, void *context);

#endif
