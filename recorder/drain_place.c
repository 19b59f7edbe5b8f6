#include "drain_place.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "drain_cgroup.h"

#define XFS_MAGIC     0x58465342
#define MARGIN_PART   10                   /* a tenth of the file system is left to others … */
#define MARGIN_MAX    (UINT64_C(64) << 20) /* … or this, if that is less */
#define HEADROOM_PART 4

/* A page of a hole on a full file system is a SIGBUS in the host. fallocate() prevents that only where blocks are
 * written in place: copy-on-write, network and user-space file systems take it and promise nothing. */
static bool reservations_hold(const struct statfs *fs)
{
    switch ((unsigned long)fs->f_type) {
    case TMPFS_MAGIC:
    case EXT4_SUPER_MAGIC:
    case XFS_MAGIC:
    case OVERLAYFS_SUPER_MAGIC: /* as good as what lies under it, which fallocate() itself tells */
        return true;
    default:
        return false;
    }
}

enum pt_status pt_drain_place_room(const char *path, uint64_t *room, struct pt_error *error)
{
    struct statfs fs;
    if (statfs(path, &fs) < 0)
        return pt_error_set_errno(error, "cannot use", path);
    if (!reservations_hold(&fs))
        return pt_error_set(error, PT_UNSUPPORTED, PT_ERROR_NO_OFFSET,
                            "the file system of %s (type %#lx) cannot reserve space for the rings", path,
                            (unsigned long)fs.f_type);
    if (access(path, W_OK | X_OK) < 0)
        return pt_error_set_errno(error, "cannot write to", path);

    uint64_t block = (uint64_t)fs.f_bsize;
    uint64_t margin = fs.f_blocks * block / MARGIN_PART;
    uint64_t available = fs.f_bavail * block;
    if (margin > MARGIN_MAX)
        margin = MARGIN_MAX;
    *room = available > margin ? available - margin : 0;
    uint64_t headroom = pt_drain_cgroup_headroom();
    if (headroom != UINT64_MAX && *room > headroom / HEADROOM_PART)
        *room = headroom / HEADROOM_PART;
    return PT_OK;
}

/* Puts `root` where it belongs in the list, if it has at least `least` bytes. */
static void consider(struct pt_drain_place *places, size_t *count, const char *root, size_t root_length,
                     uint64_t wanted, uint64_t least)
{
    struct pt_drain_place place = {0};
    if (root_length == 0 || root_length >= sizeof place.root)
        return;
    memcpy(place.root, root, root_length);
    if (pt_drain_place_room(place.root, &place.room, NULL) != PT_OK || place.room < least)
        return;
    size_t at = *count;
    while (at > 0 && places[at - 1].room < wanted && places[at - 1].room < place.room)
        at--;
    memmove(&places[at + 1], &places[at], (*count - at) * sizeof *places);
    places[at] = place;
    ++*count;
}

enum pt_status pt_drain_places_find(struct pt_drain_place places[PT_DRAIN_PLACES_MAX], size_t *count,
                                    const struct pt_handshake *handshake, uint64_t wanted, uint64_t least,
                                    struct pt_error *error)
{
    const struct pt_settings *settings = &handshake->settings;
    *count = 0;
    if (settings->ring_dir) {
        uint64_t room;
        PT_TRY(pt_drain_place_room(settings->ring_dir, &room, error)); /* tells what is wrong with it */
        consider(places, count, settings->ring_dir, strlen(settings->ring_dir), wanted, least);
    } else {
        const char *runtime = handshake->runtime_directory;
        const char *slash = strrchr(settings->output, '/');
        consider(places, count, "/dev/shm", strlen("/dev/shm"), wanted, least);
        if (runtime)
            consider(places, count, runtime, strlen(runtime), wanted, least);
        consider(places, count, settings->output, slash > settings->output ? (size_t)(slash - settings->output) : 1,
                 wanted, least);
    }
    if (*count > 0)
        return PT_OK;
    errno = ENOSPC;
    return pt_error_set_errno(error, "no room for the rings in",
                              settings->ring_dir ? settings->ring_dir : "/dev/shm or beside the trace");
}
