#include "drain_census.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proc_stat.h"

#define PYTHON_MAX_NS   UINT64_C(5000000000)  /* from its start until site runs, disks being slow … */
#define STARVED_MAX_NS  UINT64_C(20000000000) /* … or processors rare */
#define START_CPU_NS    UINT64_C(1000000000)  /* more than site needs: that one has got its share */
#define OTHER_MAX_NS    UINT64_C(100000000)   /* a shell, env, nice: until it executes what it was started for */
#define CLOCK_SLACK_NS  UINT64_C(20000000)    /* the kernel tells start times to 10 ms */
#define ENVIRONMENT_MAX (16u << 20)
#define FLAG_EXITING    0x4u /* PF_EXITING, among the flags that /proc/PID/stat shows */
#define PATH_SIZE       (NAME_MAX + 16)
#define NANOSECONDS     UINT64_C(1000000000)

struct process {
    const char *directory; /* below /proc */
    pid_t pid;
    pid_t parent;
    uint64_t age_ns;
    uint64_t cpu_ns;
    bool runnable; /* it has a processor, or waits for one, or for a disk */
};

/* What the process table says of a process id. */
enum known { STRANGER, EXECUTED, LEFT };

/* Whether the process was executed with our variable. While it is being executed it has no environment yet. */
enum bearing { BEARS_NOT, BEARS_NOTHING, BEARS_VARIABLE };

void pt_drain_census_init(struct pt_drain_census *census, const struct pt_arena *arena, const char *directory,
                          pid_t host)
{
    struct stat image;
    char path[64];
    *census = (struct pt_drain_census){.arena = arena};
    snprintf(census->variable, sizeof census->variable, "PYTRACE_ARENA=%s", directory);
    snprintf(path, sizeof path, "/proc/%ld/exe", (long)host);
    census->image_known = stat(path, &image) == 0;
    if (census->image_known) {
        census->device = image.st_dev;
        census->inode = image.st_ino;
    }
}

static uint64_t now_since_boot_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * NANOSECONDS + (uint64_t)now.tv_nsec;
}

/* The whole file, with a zero behind it, in memory that the caller frees. NULL if it cannot be read. */
static char *read_file(int proc, const char *path, size_t *size)
{
    int descriptor = openat(proc, path, O_RDONLY | O_CLOEXEC);
    char *text = NULL;
    ssize_t got = -1;
    *size = 0;
    for (size_t capacity = 4096; descriptor >= 0 && capacity <= ENVIRONMENT_MAX; capacity *= 2) {
        char *larger = realloc(text, capacity);
        if (!larger)
            break;
        text = larger;
        while ((got = read(descriptor, text + *size, capacity - 1 - *size)) > 0)
            *size += (size_t)got;
        if (*size < capacity - 1)
            break;
    }
    if (descriptor >= 0)
        close(descriptor);
    if (!text || got < 0) {
        free(text);
        return NULL;
    }
    text[*size] = '\0';
    return text;
}

static uint64_t stat_number(const char *text, unsigned field_number)
{
    const char *field = text ? pt_proc_stat_field(text, field_number) : NULL;
    return field ? strtoull(field, NULL, 10) : 0;
}

/* False for one that is gone, or about to be. */
static bool read_process(int proc, const char *name, uint64_t now_ns, struct process *process)
{
    size_t size;
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/stat", name);
    char *text = read_file(proc, path, &size);
    const char *state_field = text ? pt_proc_stat_field(text, 3) : NULL;
    const char state = state_field ? *state_field : 'X';
    const uint64_t parent = stat_number(text, 4);
    const uint64_t flags = stat_number(text, 9);
    const uint64_t cpu = stat_number(text, 14) + stat_number(text, 15);
    const uint64_t start = stat_number(text, 22);
    free(text);
    if (state == 'Z' || state == 'X' || (flags & FLAG_EXITING))
        return false;
    const uint64_t unit_ns = NANOSECONDS / (uint64_t)sysconf(_SC_CLK_TCK);
    const uint64_t start_ns = start * unit_ns;
    process->directory = name;
    process->pid = (pid_t)strtol(name, NULL, 10);
    process->parent = (pid_t)parent;
    process->age_ns = now_ns > start_ns ? now_ns - start_ns : 0;
    process->cpu_ns = cpu * unit_ns;
    process->runnable = state == 'R' || state == 'D';
    return true;
}

static enum bearing look_for_variable(const struct pt_drain_census *census, int proc, const struct process *process)
{
    char path[PATH_SIZE];
    size_t size;
    snprintf(path, sizeof path, "%s/environ", process->directory);
    char *environment = read_file(proc, path, &size);
    enum bearing bearing = environment && size == 0 ? BEARS_NOTHING : BEARS_NOT;
    for (size_t at = 0; environment && at < size; at += strlen(environment + at) + 1)
        if (strcmp(environment + at, census->variable) == 0)
            bearing = BEARS_VARIABLE;
    free(environment);
    return bearing;
}

static bool is_image_of_host(const struct pt_drain_census *census, int proc, const struct process *process)
{
    char path[PATH_SIZE];
    struct stat image;
    snprintf(path, sizeof path, "%s/exe", process->directory);
    return census->image_known && fstatat(proc, path, &image, 0) == 0 && image.st_dev == census->device &&
           image.st_ino == census->inode;
}

static bool is_python(int proc, const struct process *process)
{
    char path[PATH_SIZE], target[PATH_MAX];
    snprintf(path, sizeof path, "%s/exe", process->directory);
    ssize_t length = readlinkat(proc, path, target, sizeof target - 1);
    if (length <= 0)
        return false;
    target[length] = '\0';
    const char *slash = strrchr(target, '/');
    return strstr(slash ? slash : target, "python") != NULL;
}

/* Entries keep the pid of their last process until they are reserved again. Who left of its own accord has written when
 * (and is on its way out, or goes on without us); who did not, and lives, has executed another program. */
static enum known look_up(const struct pt_arena *arena, pid_t pid)
{
    enum known known = STRANGER;
    uint64_t latest = 0;
    for (uint32_t i = 0; i < arena->shape.process_count; i++) {
        const struct pt_arena_process *process = pt_arena_process(arena, i);
        const uint64_t start_tick = atomic_load_explicit(&process->start_tick, memory_order_relaxed);
        if (atomic_load_explicit(&process->pid, memory_order_relaxed) != (uint32_t)pid || start_tick < latest)
            continue;
        latest = start_tick;
        known = atomic_load_explicit(&process->end_tick, memory_order_relaxed) == 0 ? EXECUTED : LEFT;
    }
    return known;
}

/* The parent was recorded; or there is none any more, and the child has come to whom the drain came. */
static bool may_be_ours(const struct pt_drain_census *census, const struct process *process)
{
    return process->parent == 1 || process->parent == getppid() || look_up(census->arena, process->parent) != STRANGER;
}

/* About to join is a Python (by its name, or because it is the program that the recording was started in) that bears the
 * variable, and is young or has just been executed in the place of a recorded process. For a moment anything else may
 * become one. */
static bool may_join(const struct process *process, enum known known, enum bearing bearing, bool is_python,
                     uint64_t alone_ns)
{
    const bool executed = known == EXECUTED;
    const bool starved = process->runnable && (executed || process->cpu_ns < START_CPU_NS);
    const uint64_t since_ns = executed && alone_ns < process->age_ns ? alone_ns : process->age_ns;
    const bool fresh = since_ns < OTHER_MAX_NS;
    const bool recent = since_ns < (starved ? STARVED_MAX_NS : PYTHON_MAX_NS);
    return (recent && is_python && bearing == BEARS_VARIABLE) || (fresh && (bearing != BEARS_NOT || executed));
}

static void look_at(const struct pt_drain_census *census, int proc, const struct process *process, uint64_t alone_ns,
                    uint64_t born_ns, struct pt_drain_census_result *result)
{
    const enum known known = look_up(census->arena, process->pid);
    const bool after_birth = born_ns > 0 && process->age_ns <= born_ns + CLOCK_SLACK_NS;
    if (process->pid == getpid() || known == LEFT ||
        (known == STRANGER && process->age_ns >= STARVED_MAX_NS && !after_birth))
        return;
    enum bearing bearing = look_for_variable(census, proc, process);
    if (bearing == BEARS_NOTHING && known == STRANGER && !may_be_ours(census, process))
        bearing = BEARS_NOT; /* whoever else is being executed on this machine */
    const bool is_image = is_image_of_host(census, proc, process);
    if (after_birth && (bearing == BEARS_VARIABLE || is_image))
        result->children = true;
    if (may_join(process, known, bearing, is_image || is_python(proc, process), alone_ns))
        result->programs = true;
}

struct pt_drain_census_result pt_drain_census_take(const struct pt_drain_census *census, uint64_t alone_ns,
                                                   uint64_t born_ns)
{
    struct pt_drain_census_result result = {.children = born_ns > 0 && !census->image_known};
    DIR *list = opendir("/proc");
    if (!list) {
        result.children = born_ns > 0; /* nothing is known */
        return result;
    }
    const uint64_t now_ns = now_since_boot_ns();
    for (const struct dirent *entry = readdir(list); entry; entry = readdir(list)) {
        struct process process;
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            read_process(dirfd(list), entry->d_name, now_ns, &process))
            look_at(census, dirfd(list), &process, alone_ns, born_ns, &result);
    }
    closedir(list);
    return result;
}
