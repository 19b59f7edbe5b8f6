/* Entries of the process table, for a process that is about to join (SPEC.md 8.2). */
#ifndef PT_PROCESS_ENTRY_H
#define PT_PROCESS_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

/* A use of an entry. */
struct pt_process_entry {
    uint32_t index; /* PT_ARENA_NO_PROCESS: none */
    uint32_t generation;
};

/* Reserves an entry in the arena of pt_session, so that the recording cannot end before that process takes it, and
 * remembers there how it came about. Waits for one within the bounds of host_wait.h; allocates nothing. False if the
 * recording is closed, or if there is none: that is counted. */
bool pt_process_entry_reserve(struct pt_process_entry *entry, const struct pt_process_entry *parent,
                              enum pt_process_origin origin);

#endif
