/* What the trace's header says, from what the host and the machine tell. */
#ifndef PT_DRAIN_HEADER_H
#define PT_DRAIN_HEADER_H

#include <stdint.h>

#include "drain_arena.h"
#include "drain_trace.h"
#include "handshake.h"

/* A run id that nobody can guess, the boot id, and the clock, measured. PT_IO, PT_UNSUPPORTED if there is no such clock here. */
PT_MUST_USE enum pt_status pt_drain_header_identify(struct pt_drain_identity *identity, enum pt_clock_choice clock,
                                                    struct pt_error *error);

/* Three readings of the same moment. */
void pt_drain_header_clock(const struct pt_drain_identity *identity, struct pt_clock *clock);

/* Writes the HEADER block, and a first CLOCK; both are there before the host can record anything, so that whatever happens the file tells
 * where its arena is. */
PT_MUST_USE enum pt_status pt_drain_header_write(struct pt_drain_trace *trace, const struct pt_handshake *handshake,
                                                 const struct pt_drain_identity *identity,
                                                 const struct pt_drain_arena *arena, unsigned leftovers_removed);

#endif
