/* A recording as its drain process runs it: from the settings of the host to the end of the trace file. */
#ifndef PT_DRAIN_H
#define PT_DRAIN_H

#include "handshake.h"
#include "status.h"

struct pt_drain;

/* Creates arena and trace file. On failure nothing is left behind. `handshake` must outlive the drain. PT_IO, PT_UNSUPPORTED, PT_NOMEM. */
PT_MUST_USE enum pt_status pt_drain_open(struct pt_drain **out, const struct pt_handshake *handshake,
                                         struct pt_error *error);

/* The arena's directory: what the host is told. */
const char *pt_drain_arena_directory(const struct pt_drain *drain);

/* Records until the recording ends: stopped, at its size limit, or with the last of its processes. PT_OK: the trace is complete. PT_END: the host
 * never began; arena and trace are gone. PT_IO, PT_NOMEM: the trace could not be completed; the arena is left for salvage. Call once. */
PT_MUST_USE enum pt_status pt_drain_run(struct pt_drain *drain);

/* Instead of pt_drain_run: deletes what pt_drain_open created. */
void pt_drain_abandon(struct pt_drain *drain);
void pt_drain_free(struct pt_drain *drain);

#endif
