/* Watching for the death of recorded processes, so that the file of a killed program is complete within milliseconds.
 *
 * A hint only: what counts is the owner mutex, which the drain looks at in every turn. A thread waits on pidfds and raises the drain's wake word;
 * it touches nothing else. */
#ifndef PT_DRAIN_WATCH_H
#define PT_DRAIN_WATCH_H

#include <stdint.h>

#include "arena.h"
#include "status.h"

struct pt_drain_watch;

/* PT_NOMEM, PT_IO: the drain then learns of deaths at its flush interval. The arena must outlive the watch. */
PT_MUST_USE enum pt_status pt_drain_watch_new(struct pt_drain_watch **out, const struct pt_arena *arena);
void pt_drain_watch_free(struct pt_drain_watch *watch);

/* Takes notice of processes that joined and left since the last call, among the first `processes` entries. From the
 * drain's thread only. */
void pt_drain_watch_update(struct pt_drain_watch *watch, uint32_t processes);

#endif
