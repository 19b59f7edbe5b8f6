#include "drain_leftovers.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "arena.h"
#include "block.h"
#include "bytes.h"
#include "drain_arena.h"
#include "meta.h"

#define ENTRIES_MAX  4096 /* looked at in one directory */
#define REMOVED_MAX  8
#define KEPT_MAX     64
#define AGE_MIN_S    60 /* a younger one may just be in the making */
#define AGE_MAX_S    (7 * 24 * 3600)
#define NAME_LENGTH  (sizeof PT_DRAIN_ARENA_PREFIX - 1 + 8)
#define END_SIZE_MAX 65536u

struct leftover {
    char name[NAME_LENGTH + 1];
    time_t modified;
    bool useless;
};

/* --- Is its trace unfinished? ----------------------------------------------------------------------------------- */

static uint8_t *read_range(int descriptor, uint64_t offset, size_t size)
{
    uint8_t *bytes = malloc(size);
    if (bytes && pread(descriptor, bytes, size, (off_t)offset) != (ssize_t)size) {
        free(bytes);
        bytes = NULL;
    }
    return bytes;
}

static bool is_of_run(int trace, const uint8_t *run_id)
{
    bool same = false;
    struct pt_block block;
    struct pt_header header = {0};
    uint8_t *bytes = read_range(trace, 0, PT_BLOCK_HEADER_SIZE);
    size_t size = bytes ? PT_BLOCK_HEADER_SIZE + (size_t)pt_bytes_load32(bytes + PT_BLOCK_OFF_LENGTH) : 0;
    free(bytes);
    if (size <= PT_BLOCK_HEADER_SIZE || size > PT_BLOCK_PAYLOAD_MAX)
        return false;
    bytes = read_range(trace, 0, size);
    if (bytes && pt_block_decode(bytes, size, &block) == PT_OK && block.type == PT_BLOCK_HEADER &&
        pt_header_decode(&header, bytes + PT_BLOCK_HEADER_SIZE, block.length) == PT_OK) {
        same = memcmp(header.run_id, run_id, sizeof header.run_id) == 0;
        pt_header_release(&header);
    }
    free(bytes);
    return same;
}

static bool has_end(int trace, uint64_t file_size)
{
    struct pt_block block;
    uint8_t *bytes = file_size < PT_BLOCK_HEADER_SIZE ? NULL : read_range(trace, file_size - 4, 4);
    size_t size = bytes ? pt_bytes_load32(bytes) : 0;
    free(bytes);
    if (size < PT_BLOCK_HEADER_SIZE || size > END_SIZE_MAX || size > file_size)
        return false;
    bytes = read_range(trace, file_size - size, size);
    bool end = bytes && pt_block_decode(bytes, size, &block) == PT_OK && block.type == PT_BLOCK_END;
    free(bytes);
    return end;
}

static bool trace_is_unfinished(int directory, const uint8_t *run_id)
{
    struct stat status;
    char path[PATH_MAX];
    ssize_t length = readlinkat(directory, PT_DRAIN_ARENA_LINK, path, sizeof path - 1);
    if (length <= 0)
        return false;
    path[length] = '\0';
    int trace = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (trace < 0)
        return false;
    bool unfinished = fstat(trace, &status) == 0 && S_ISREG(status.st_mode) && is_of_run(trace, run_id) &&
                      !has_end(trace, (uint64_t)status.st_size);
    close(trace);
    return unfinished;
}

/* --- Sorting out ------------------------------------------------------------------------------------------------ */

/* Opens the directory of an arena that is ours and whose drain is dead; −1 if it is not that. */
static int open_dead(int root, const char *name, time_t now, struct leftover *leftover,
                     struct pt_arena_control *control)
{
    struct stat status;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int arena = -1;
    bool dead = false;
    int directory = openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0)
        return -1;
    if (fstat(directory, &status) < 0 || status.st_uid != geteuid() || (status.st_mode & (S_IRWXG | S_IRWXO)) != 0 ||
        now - status.st_mtime < AGE_MIN_S)
        goto cleanup;
    arena = openat(directory, PT_ARENA_FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (arena >= 0 && (fcntl(arena, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK))
        goto cleanup;
    memset(control, 0, sizeof *control);
    if (arena >= 0 && pread(arena, control, sizeof *control, 0) != (ssize_t)sizeof *control)
        memset(control, 0, sizeof *control);
    leftover->modified = status.st_mtime;
    snprintf(leftover->name, sizeof leftover->name, "%s", name);
    dead = true;
cleanup:
    if (arena >= 0)
        close(arena);
    if (!dead)
        close(directory);
    return dead ? directory : -1;
}

static bool is_useless(int directory, const struct leftover *leftover, const struct pt_arena_control *control,
                       const char *boot_id, time_t now)
{
    return control->magic != PT_ARENA_MAGIC || now - leftover->modified > AGE_MAX_S ||
           strncmp(control->boot_id, boot_id, sizeof control->boot_id) != 0 ||
           !trace_is_unfinished(directory, control->run_id);
}

static int newest_first(const void *a, const void *b)
{
    const struct leftover *left = a, *right = b;
    return (left->modified < right->modified) - (left->modified > right->modified);
}

static bool delete_leftover(int root, const struct leftover *leftover)
{
    int directory = openat(root, leftover->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0)
        return false;
    unlinkat(directory, PT_ARENA_FILE_NAME, 0);
    unlinkat(directory, PT_DRAIN_ARENA_LINK, 0);
    close(directory);
    return unlinkat(root, leftover->name, AT_REMOVEDIR) == 0;
}

static size_t list_leftovers(DIR *root, const char *boot_id, struct leftover *leftovers)
{
    size_t count = 0, looked_at = 0;
    time_t now = time(NULL);
    for (const struct dirent *entry = readdir(root); entry && looked_at < ENTRIES_MAX;
         entry = readdir(root), looked_at++) {
        struct pt_arena_control control;
        if (strlen(entry->d_name) != NAME_LENGTH ||
            strncmp(entry->d_name, PT_DRAIN_ARENA_PREFIX, sizeof PT_DRAIN_ARENA_PREFIX - 1) != 0)
            continue;
        int directory = open_dead(dirfd(root), entry->d_name, now, &leftovers[count], &control);
        if (directory < 0)
            continue;
        leftovers[count].useless = is_useless(directory, &leftovers[count], &control, boot_id, now);
        count++;
        close(directory);
    }
    return count;
}

unsigned pt_drain_leftovers_remove(const char *root, const char *boot_id)
{
    unsigned removed = 0, kept = 0;
    struct leftover *leftovers = calloc(ENTRIES_MAX, sizeof *leftovers);
    DIR *directory = opendir(root);
    if (leftovers && directory) {
        size_t count = list_leftovers(directory, boot_id, leftovers);
        qsort(leftovers, count, sizeof *leftovers, newest_first);
        for (size_t i = 0; i < count && removed < REMOVED_MAX; i++)
            if (leftovers[i].useless || ++kept > KEPT_MAX)
                removed += delete_leftover(dirfd(directory), &leftovers[i]);
    }
    if (directory)
        closedir(directory);
    free(leftovers);
    return removed;
}
