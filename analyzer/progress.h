/* Progress of long work, on stderr, for people who watch: percent and remaining time.
 *
 * Shown only if stderr is a terminal and the work has taken half a second; erased at the end. Steps may be
 * reported from several threads. */
#ifndef PT_PROGRESS_H
#define PT_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct pt_progress {
    const char *what; /* "reading", static */
    uint64_t total;
    uint64_t start_ns;
    bool enabled;
    _Atomic uint64_t done;
    _Atomic uint64_t next_ns; /* when to paint again; also whose turn it is: a compare-and-swap decides */
    atomic_bool painted;
};

/* `total` in whatever unit pt_progress_step uses (compressed bytes, chunks …). `allowed` false (--no-progress, -q): never shows anything. */
void pt_progress_init(struct pt_progress *progress, const char *what, uint64_t total, bool allowed);

/* `amount` more is done. Costs a clock reading: call it once a chunk, not once an event. */
void pt_progress_step(struct pt_progress *progress, uint64_t amount);

/* Erases what was painted. Call before anything else is written to the terminal. */
void pt_progress_finish(struct pt_progress *progress);

#endif
