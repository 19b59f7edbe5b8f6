/* The arena as its owner, the drain, has it: made, fed with space ahead of the demand, given back. */
#ifndef PT_DRAIN_ARENA_H
#define PT_DRAIN_ARENA_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "drain_place.h"
#include "handshake.h"
#include "status.h"

#define PT_DRAIN_ARENA_PREFIX "pytrace-" /* of directory names; eight random letters follow */
#define PT_DRAIN_ARENA_LINK   "trace"    /* beside the arena: a symbolic link to the trace file */

struct pt_drain_arena {
    struct pt_arena arena;
    int descriptor; /* holds the lock that tells others that the recording has a drain */
    char directory[PATH_MAX];
    uint32_t processes_reserved; /* entries below have their space */
    uint32_t slots_reserved;
    uint64_t retry_ns;  /* after a reservation failed: not before this */
    bool short_of_room; /* the rings are smaller than was asked for */
    bool owned;         /* we hold the mutex that tells hosts that we live */
    bool size_limited;  /* there are fewer slots, or smaller rings, than was asked for: RLIMIT_FSIZE */
};

/* What the control page tells about the recording. */
struct pt_drain_identity {
    uint8_t run_id[16];
    char boot_id[PT_ARENA_BOOT_ID_SIZE];
    enum pt_clock_kind clock;
    uint32_t tick_shift;
    uint64_t tick_ps;
};

/* Makes directory and file, with space for the first threads, and process entry 0 being born for the host; in the next place if it
 * cannot be done in the first. PT_IO, PT_UNSUPPORTED, PT_NOMEM; nothing is left behind then. Free with pt_drain_arena_release. */
PT_MUST_USE enum pt_status pt_drain_arena_create(struct pt_drain_arena *arena, const struct pt_handshake *handshake,
                                                 const struct pt_drain_identity *identity, struct pt_error *error);

/* Reserves space so that some entries are free, ahead of the demand, as far as there is room. Cheap when there is nothing to do. */
void pt_drain_arena_reserve(struct pt_drain_arena *arena);

/* After the end: gives back the space of all rings and journals that nobody owns, though hosts may have them mapped for long. */
void pt_drain_arena_give_back(struct pt_drain_arena *arena);

/* Deletes file and directory; what has them mapped keeps the memory. */
void pt_drain_arena_delete(struct pt_drain_arena *arena);

/* Unmaps and closes. What was not deleted before stays for salvage. */
void pt_drain_arena_release(struct pt_drain_arena *arena);

#endif
