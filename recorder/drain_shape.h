/* How large the arena is: what was asked for, or what the system allows. */
#ifndef PT_DRAIN_SHAPE_H
#define PT_DRAIN_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "settings.h"
#include "status.h"

#define PT_DRAIN_FIRST_ENTRIES 2 /* with space before the host goes on; more follow while it runs */
#define PT_DRAIN_AHEAD_ENTRIES 4 /* kept free: a burst of threads finds these without a wait */

/* Plans what was asked for. The arena is one file: where that may not be as long, it is planned smaller, and
 * `*size_limited` set. PT_MISUSE, PT_IO with EFBIG. */
PT_MUST_USE enum pt_status pt_drain_shape_plan(struct pt_arena_shape *shape, bool *size_limited,
                                               const struct pt_settings *settings, struct pt_error *error);

/* The bytes that the tables and so many rings and journals take. */
uint64_t pt_drain_shape_space(const struct pt_arena_shape *shape, uint64_t entries);

/* Where there is little room rings are halved until the first entries fit, and `*short_of_room` set. PT_MISUSE if they
 * never do. */
PT_MUST_USE enum pt_status pt_drain_shape_fit(struct pt_arena_shape *shape, bool *short_of_room, uint64_t room);

#endif
