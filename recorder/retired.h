/* Arenas of recordings that are over. Threads that were recorded may still hold the mutex of their slot, which links
 * arena memory into a list that the C library and the kernel follow: it stays mapped until the last of them has ended
 * or recorded again. */
#ifndef PT_RETIRED_H
#define PT_RETIRED_H

#include "arena.h"
#include "thread_state.h"

/* Takes over the mapping, and the thread states (as many as the arena has slots). */
void pt_retired_add(const struct pt_arena *arena, struct pt_thread_state *threads);

/* Gives back what nobody holds any more. */
void pt_retired_free(void);

#endif
