/* The time of one thread, on the clock of the recording. Under PT_CLOCK_CPU that is its own: it begins at the tick at
 * which the thread gets its slot, and goes on while the thread runs (SPEC.md 4.4). */
#ifndef PT_THREAD_CLOCK_H
#define PT_THREAD_CLOCK_H

#include <stdint.h>

#include "thread_state.h"

/* By the thread itself, once `clock` and `tick_shift` are set. Returns its first tick. */
uint64_t pt_thread_clock_start(struct pt_thread_state *self);

/* The thread's tick of now. */
uint64_t pt_thread_clock_tick(const struct pt_thread_state *self);

/* The same for any thread of the process, which may have ended: then `otherwise`. */
uint64_t pt_thread_clock_tick_of(const struct pt_thread_state *thread, uint64_t otherwise);

#endif
