/* Journals: definitions on their way from a recorded process to the drain (SPEC.md 8.2).
 *
 * A byte ring; one writer (the process, under its own lock), one reader (the drain, or salvage). */
#ifndef PT_JOURNAL_H
#define PT_JOURNAL_H

#include <stdint.h>

#include "arena.h"
#include "names.h"
#include "status.h"

/* Appends a definition and publishes it (release). Texts over PT_JOURNAL_STRING_MAX bytes are cut at a character.
 * Returns 1, or 0 if there is no room now: nothing was written, wake the drain and try again. Never allocates. */
int pt_journal_append(struct pt_arena_process *process, uint8_t *journal, uint64_t journal_size, uint32_t id,
                      const struct pt_name *name);

/* Reads the definition at byte position `*position` (below `produced`) into `scratch` (PT_JOURNAL_ENTRY_MAX bytes,
 * which the texts of `name` point into) and moves `*position` behind it. Trusts nothing. PT_CORRUPT. */
PT_MUST_USE enum pt_status pt_journal_read(const uint8_t *journal, uint64_t journal_size, uint64_t *position,
                                           uint64_t produced, uint8_t *scratch, uint32_t *id, struct pt_name *name);

#endif
