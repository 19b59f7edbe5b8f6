#include "drain_cgroup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CGROUP_ROOT "/sys/fs/cgroup"

static bool read_text(const char *path, char *text, size_t size)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    ssize_t count = read(descriptor, text, size - 1);
    close(descriptor);
    text[count > 0 ? count : 0] = '\0';
    return count > 0;
}

static bool read_number(const char *group, const char *file, uint64_t *number)
{
    char path[PATH_MAX], text[32], *end;
    if ((size_t)snprintf(path, sizeof path, CGROUP_ROOT "%s/%s", group, file) >= sizeof path)
        return false;
    if (!read_text(path, text, sizeof text))
        return false;
    *number = strtoull(text, &end, 10);
    return end != text; /* "max" is no number */
}

uint64_t pt_drain_cgroup_headroom(void)
{
    char text[PATH_MAX];
    uint64_t headroom = UINT64_MAX;
    if (!read_text("/proc/self/cgroup", text, sizeof text))
        return headroom;
    char *group = strstr(text, "0::");
    if (!group || (group != text && group[-1] != '\n'))
        return headroom;
    group += strlen("0::");
    group[strcspn(group, "\n")] = '\0';
    if (strcmp(group, "/") == 0)
        *group = '\0';

    for (;;) {
        uint64_t limit, used;
        if (read_number(group, "memory.max", &limit) && read_number(group, "memory.current", &used)) {
            uint64_t left = limit > used ? limit - used : 0;
            headroom = left < headroom ? left : headroom;
        }
        char *slash = strrchr(group, '/');
        if (!slash || *group == '\0')
            return headroom;
        *slash = '\0'; /* the group above; the last is "", the root of what is mounted */
    }
}
