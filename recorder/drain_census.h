/* Who may still come to a recording in which nobody is left (SPEC.md 8.7): programs that recorded processes have
 * executed and that have not joined yet, children that were forked and have not run yet. By what /proc tells. */
#ifndef PT_DRAIN_CENSUS_H
#define PT_DRAIN_CENSUS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "arena.h"

struct pt_drain_census {
    const struct pt_arena *arena;
    char variable[PATH_MAX + 32]; /* what the environment of such a program holds */
    bool image_known;             /* of the program that started the recording, which its children share: */
    dev_t device;
    ino_t inode;
};

struct pt_drain_census_result {
    bool programs; /* one is about to join */
    bool children; /* one that was announced may be on its way */
};

/* While `host` lives. The arena must outlive it. */
void pt_drain_census_init(struct pt_drain_census *census, const struct pt_arena *arena, const char *directory,
                          pid_t host);

/* Looks through all processes of the system. `alone_ns` is how long nobody has been recorded now; `born_ns`, how long
 * ago the first of the children was announced that have not come, 0 if there is none. */
struct pt_drain_census_result pt_drain_census_take(const struct pt_drain_census *census, uint64_t alone_ns,
                                                   uint64_t born_ns);

#endif
