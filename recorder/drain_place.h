/* Where the arena is to lie: a file system on which reserved space is really there, and that has enough of it. */
#ifndef PT_DRAIN_PLACE_H
#define PT_DRAIN_PLACE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "handshake.h"
#include "status.h"

struct pt_drain_place {
    char root[PATH_MAX]; /* the arena's directory is to be made in this one */
    uint64_t room;       /* bytes that may be taken there now */
};

#define PT_DRAIN_PLACES_MAX 3

/* The places to try, in order: --ring-dir alone, or else those of /dev/shm, $XDG_RUNTIME_DIR and the trace's own directory that
 * have room for `wanted` bytes, and behind them those that have at least `least`, the roomiest first. PT_IO with ENOSPC if there is
 * none, or what is wrong with --ring-dir. */
PT_MUST_USE enum pt_status pt_drain_places_find(struct pt_drain_place places[PT_DRAIN_PLACES_MAX], size_t *count,
                                                const struct pt_handshake *handshake, uint64_t wanted, uint64_t least,
                                                struct pt_error *error);

/* How much may still be taken on the file system of `path`: never the last of it, and never more than a quarter of what the control group
 * leaves. PT_UNSUPPORTED for a file system whose reservations are no promise, PT_IO. */
PT_MUST_USE enum pt_status pt_drain_place_room(const char *path, uint64_t *room, struct pt_error *error);

#endif
