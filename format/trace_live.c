/* Opening, step 5: whether the file is still being written. */
#include "trace_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* The drain holds a write lock of its open file description on the whole trace while it works; asking for it disturbs
 * nobody. */
bool pt_trace_locked(const struct pt_trace *trace)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    return fcntl(trace->private->descriptor, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool pt_trace_grown(const struct pt_trace *trace)
{
    struct stat about;
    return fstat(trace->private->descriptor, &about) == 0 && (uint64_t)about.st_size != trace->file_size;
}

/* A zombie has ended, though its number is still taken. */
static bool is_zombie(uint64_t pid)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%llu/stat", (unsigned long long)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    const char *name_end = strrchr(text, ')');
    return name_end && strncmp(name_end, ") Z", 3) == 0;
}

static bool is_alive(uint64_t pid)
{
    if (pid == 0 || pid > INT32_MAX)
        return false;
    return (kill((pid_t)pid, 0) == 0 || errno != ESRCH) && !is_zombie(pid);
}

/* By process ids: all that stands in the file. That they may have been given to others since, or mean nothing in our
 * namespace, only decides whether we wait. */
bool pt_trace_ending(const struct pt_trace *trace)
{
    bool any = false;
    for (size_t i = 0; i < trace->process_count; i++) {
        const struct pt_process *process = &trace->processes[i];
        if (process->serial == 0)
            continue;
        any = true;
        if (!*process->ended && is_alive(process->pid))
            return false;
    }
    return any || (trace->has_header && !is_alive(trace->header.pid));
}
