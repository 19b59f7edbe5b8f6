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

/* Takes `root` if it is the best so far; true if it has all that is wanted. */
static bool consider(struct pt_drain_place *place, const char *root, size_t root_length, uint64_t wanted)
{
    char path[PATH_MAX];
    uint64_t room = 0;
    if (root_length == 0 || root_length >= sizeof path)
        return false;
    memcpy(path, root, root_length);
    path[root_length] = '\0';
    if (pt_drain_place_room(path, &room, NULL) != PT_OK || room <= place->room)
        return false;
    memcpy(place->root, path, root_length + 1);
    place->room = room;
    return room >= wanted;
}

enum pt_status pt_drain_place_choose(struct pt_drain_place *place, const struct pt_handshake *handshake,
                                     uint64_t wanted, uint64_t least, struct pt_error *error)
{
    const struct pt_settings *settings = &handshake->settings;
    place->room = 0;
    if (settings->ring_dir) {
        PT_TRY(pt_drain_place_room(settings->ring_dir, &place->room, error));
        snprintf(place->root, sizeof place->root, "%s", settings->ring_dir);
    } else {
        const char *slash = strrchr(settings->output, '/');
        const char *candidates[] = {"/dev/shm", handshake->runtime_directory, settings->output};
        size_t lengths[] = {
            strlen("/dev/shm"),
            handshake->runtime_directory ? strlen(handshake->runtime_directory) : 0,
            slash > settings->output ? (size_t)(slash - settings->output) : 1,
        };
        for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++)
            if (consider(place, candidates[i], lengths[i], wanted))
                break;
    }
    if (place->room < least) {
        errno = ENOSPC;
        return pt_error_set_errno(error, "no room for the rings in",
                                  settings->ring_dir ? settings->ring_dir : "/dev/shm or beside the trace");
    }
    return PT_OK;
}
