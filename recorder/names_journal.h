/* The function ids of this process, and their way to the drain (SPEC.md 8.2). Any thread may ask. */
#ifndef PT_NAMES_JOURNAL_H
#define PT_NAMES_JOURNAL_H

#include <stdint.h>

#include "names.h"

/* The id of what `name` describes: an earlier one if the same was described before, so that a program which executes
 * the same source for ever does not use up the ids. PT_ID_UNKNOWN if there are none left, or the journal is full
 * (host_wait.h says how long is waited). */
uint32_t pt_names_journal_id(const struct pt_name *name);

/* Ids given so far, those taken over from a parent included. */
uint32_t pt_names_journal_count(void);

/* Forgets everything: ids begin at 1 again. Allocates and frees nothing, so that the child of a fork may call it. Nobody else may be
 * asking for an id. */
void pt_names_journal_reset(void);

/* Around a fork, in both processes: so that the child does not find a change half done, or the mutex taken. */
void pt_names_journal_lock(void);
void pt_names_journal_unlock(void);

#endif
