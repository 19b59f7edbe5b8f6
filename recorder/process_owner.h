/* The mutex of the process's entry in the arena (arena.h, ownership), held by one of its threads.
 *
 * A thread may end while the process goes on: then it lets go of the mutex, and the next thread that has something to
 * do with the arena takes it. */
#ifndef PT_PROCESS_OWNER_H
#define PT_PROCESS_OWNER_H

#include <stdbool.h>

#include "arena.h"

/* Takes the mutex for the calling thread. False if another thread that is alive has it. */
bool pt_process_owner_take(struct pt_arena_process *process);

/* Lets go of it if the calling thread has it. */
void pt_process_owner_release(struct pt_arena_process *process);

#endif
