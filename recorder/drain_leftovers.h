/* Arenas of recordings whose drain died before it could finish: found, and taken away once they are of no use. */
#ifndef PT_DRAIN_LEFTOVERS_H
#define PT_DRAIN_LEFTOVERS_H

/* Looks through `root` for arenas of our user that no drain holds a lock on and that are at least a minute old, and deletes at most 8 of
 * those that nothing can be salvaged from any more: of another boot; never begun; whose trace is complete, gone, or now another
 * recording's; older than 7 days; beyond the 64 newest. All others stay for `pytrace-analyze`. Returns how many were deleted. */
unsigned pt_drain_leftovers_remove(const char *root, const char *boot_id);

#endif
