/* Where the arena is to lie: a file system on which reserved space is really there, and that has enough of it. */
#ifndef PT_DRAIN_PLACE_H
#define PT_DRAIN_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "handshake.h"
#include "status.h"

struct pt_drain_place {
    char root[PATH_MAX]; /* the arena's directory is to be made in this one */
    uint64_t room;       /* bytes that may be taken there now */
};

/* The first of --ring-dir, or else /dev/shm, $XDG_RUNTIME_DIR and the trace's own directory, that has room for `wanted` bytes; if none has, the one with
 * the most room, if that is at least `least`. PT_IO with ENOSPC, or with what is wrong with --ring-dir. */
PT_MUST_USE enum pt_status pt_drain_place_choose(struct pt_drain_place *place, const struct pt_handshake *handshake,
                                                 uint64_t wanted, uint64_t least, struct pt_error *error);

/* How much may still be taken on the file system of `path`: never the last of it, and never more than a quarter of what the control group
 * leaves. PT_UNSUPPORTED for a file system whose reservations are no promise, PT_IO. */
PT_MUST_USE enum pt_status pt_drain_place_room(const char *path, uint64_t *room, struct pt_error *error);

#endif
