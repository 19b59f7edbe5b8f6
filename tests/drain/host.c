#include "host.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "futex.h"
#include "journal.h"
#include "record.h"
#include "spawn.h"

#define WAIT_NS UINT64_C(10000000000)

static void nap(long ns)
{
    nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

struct pt_settings host_settings(const char *output)
{
    return (struct pt_settings){
        .output = output,
        .c_calls = true,
        .children = true,
        .ring_size = PT_SETTINGS_RING_SIZE,
        .max_threads = PT_SETTINGS_MAX_THREADS,
        .flush_interval_ns = PT_SETTINGS_FLUSH_INTERVAL_NS,
        .level = PT_SETTINGS_LEVEL,
        .pid = (uint64_t)getpid(),
        .program = "host",
        .python = "3.0.0",
        .hook = "monitoring",
    };
}

uint64_t host_tick(const struct host *host)
{
    return pt_clock_tick((enum pt_clock_kind)host->control->clock, host->control->tick_shift);
}

void host_wake(struct host *host)
{
    atomic_fetch_add(&host->control->wake, 1);
    if (atomic_load(&host->control->asleep))
        pt_futex_wake_all(&host->control->wake);
}

enum pt_status host_start(struct host *host, const char *program, const struct pt_settings *settings,
                          struct pt_error *error)
{
    PT_TRY(pt_spawn_drain(program ? program : PT_TEST_DRAIN, settings, host->directory, sizeof host->directory, error));
    PT_TRY(pt_arena_map(&host->arena, host->directory, 1, error));
    host->control = pt_arena_control(&host->arena);
    host->process = pt_arena_process(&host->arena, 0);
    if (!pt_arena_owner_try(&host->process->owner))
        return PT_MISUSE;
    uint64_t tick = host_tick(host);
    host->process->pid = (uint32_t)getpid();
    host->process->start_tick = tick;
    atomic_store_explicit(&host->process->state, PT_PROCESS_LIVE, memory_order_release);
    atomic_store_explicit(&host->control->start_tick, tick, memory_order_release);
    host_wake(host);
    return PT_OK;
}

static int try_claim(struct host *host, struct host_thread *thread, uint32_t index)
{
    struct pt_arena_slot *slot = pt_arena_slot(&host->arena, index);
    if (atomic_load(&slot->state) != PT_SLOT_FREE || !pt_arena_owner_try(&slot->owner))
        return 0;
    if (atomic_load(&slot->state) != PT_SLOT_FREE) {
        pt_arena_owner_release(&slot->owner);
        return 0;
    }
    atomic_fetch_add(&slot->generation, 1);
    slot->process = (uint32_t)(host->process - pt_arena_process(&host->arena, 0));
    slot->process_generation = atomic_load(&host->process->generation);
    slot->native_id = (uint64_t)gettid();
    slot->start_tick = host_tick(host);
    atomic_store_explicit(&slot->state, PT_SLOT_OWNED, memory_order_release);
    *thread = (struct host_thread){
        .slot = slot,
        .ring = pt_arena_ring(&host->arena, index),
        .mask = host->arena.shape.ring_size / sizeof(uint64_t) - 1,
        .host = host,
    };
    return 1;
}

void host_claim(struct host *host, struct host_thread *thread)
{
    for (uint32_t i = 0; !try_claim(host, thread, i); i = (i + 1) % host->arena.shape.slot_count)
        if (i == host->arena.shape.slot_count - 1) {
            host_wake(host);
            nap(1000000);
        }
    uint64_t tick = host_tick(host);
    thread->ring[0] = pt_record_pack_control(PT_CONTROL_REBASE, 1, tick);
    thread->ring[1] = tick;
    thread->position = 2;
    atomic_store_explicit(&thread->slot->produced, 2, memory_order_release);
}

int host_push(struct host_thread *thread, uint64_t record)
{
    struct host *host = thread->host;
    while (thread->position - atomic_load_explicit(&thread->slot->consumed, memory_order_acquire) > thread->mask) {
        if (atomic_load(&host->control->stop) != PT_ARENA_RUNNING)
            return 0;
        host_wake(host);
        nap(100000);
    }
    thread->ring[thread->position++ & thread->mask] = record;
    atomic_store_explicit(&thread->slot->produced, thread->position, memory_order_release);
    if ((thread->position & (thread->mask >> 1)) == 0)
        host_wake(host);
    return 1;
}

uint64_t host_calls(struct host_thread *thread, uint32_t id, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t tick = host_tick(thread->host);
        uint64_t record =
            i % 2 == 0 ? pt_record_pack(PT_KIND_START, id, tick) : pt_record_pack(PT_KIND_RETURN, 0, tick);
        if (!host_push(thread, record))
            return i;
    }
    return count;
}

void host_define(struct host *host, uint32_t id, const char *qualname)
{
    uint32_t index = (uint32_t)(host->process - pt_arena_process(&host->arena, 0));
    struct pt_name name = {
        .kind = PT_NAME_PYTHON,
        .line = id,
        .module = {"host", 4},
        .qualname = {qualname, (uint32_t)strlen(qualname)},
        .file = {"host.py", 7},
    };
    while (!pt_journal_append(host->process, pt_arena_journal(&host->arena, index), host->arena.shape.journal_size, id,
                              &name)) {
        host_wake(host);
        nap(100000);
    }
}

void host_release(struct host_thread *thread)
{
    thread->slot->end_tick = host_tick(thread->host);
    atomic_store_explicit(&thread->slot->state, PT_SLOT_RELEASED, memory_order_release);
    pt_arena_owner_release(&thread->slot->owner);
}

static int wait_done(struct host *host)
{
    uint64_t deadline_ns = pt_clock_monotonic_ns() + WAIT_NS;
    host_wake(host);
    while (atomic_load(&host->control->done) == 0 && pt_clock_monotonic_ns() < deadline_ns)
        pt_futex_wait(&host->control->done, 0, WAIT_NS);
    return atomic_load(&host->control->done) != 0;
}

int host_stop(struct host *host)
{
    host->control->stop_tick = host_tick(host);
    atomic_store_explicit(&host->control->stop, PT_ARENA_STOPPED, memory_order_release);
    return wait_done(host);
}

int host_exit(struct host *host)
{
    host->process->end_tick = host_tick(host);
    atomic_store_explicit(&host->process->state, PT_PROCESS_EXITED, memory_order_release);
    return wait_done(host);
}

struct pt_arena_process *host_announce(struct host *host)
{
    struct pt_arena_process *entry = NULL;
    for (uint32_t i = 0; !entry; i = (i + 1) % host->arena.shape.process_count) {
        struct pt_arena_process *candidate = pt_arena_process(&host->arena, i);
        uint32_t state = PT_PROCESS_FREE;
        if (atomic_compare_exchange_strong(&candidate->state, &state, PT_PROCESS_BORN))
            entry = candidate;
    }
    atomic_fetch_add(&host->control->live, 1);
    atomic_fetch_add(&entry->generation, 1);
    entry->parent = (uint32_t)(host->process - pt_arena_process(&host->arena, 0));
    entry->parent_generation = host->process->generation;
    entry->start_tick = host_tick(host);
    entry->origin = PT_PROCESS_FORKED;
    return entry;
}

void host_be_born(struct host *host, struct pt_arena_process *entry)
{
    uint32_t born = PT_PROCESS_BORN;
    if (!pt_arena_owner_try(&entry->owner))
        abort();
    host->process = entry;
    entry->pid = (uint32_t)getpid();
    entry->inherited = 0;
    entry->end_tick = 0;
    if (!atomic_compare_exchange_strong(&entry->state, &born, PT_PROCESS_LIVE))
        _exit(4);
}

pid_t host_fork(struct host *host)
{
    struct pt_arena_process *entry = host_announce(host);
    pid_t pid = fork();
    if (pid == 0)
        host_be_born(host, entry);
    return pid;
}

int host_wait_gone(const char *directory)
{
    uint64_t deadline_ns = pt_clock_monotonic_ns() + WAIT_NS;
    while (access(directory, F_OK) == 0) {
        if (pt_clock_monotonic_ns() > deadline_ns)
            return 0;
        nap(1000000);
    }
    return 1;
}

pid_t host_find_drain(const char *trace)
{
    int found = 0;
    DIR *processes = opendir("/proc");
    for (const struct dirent *entry = processes ? readdir(processes) : NULL; entry; entry = readdir(processes)) {
        char path[300], line[4200] = "";
        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        int descriptor = atoi(entry->d_name) > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (descriptor < 0)
            continue;
        ssize_t count = read(descriptor, line, sizeof line - 1);
        close(descriptor);
        size_t name = strlen("pytrace-drain") + 1;
        if (count > (ssize_t)name && strcmp(line, "pytrace-drain") == 0 && strcmp(line + name, trace) == 0)
            found = atoi(entry->d_name);
    }
    if (processes)
        closedir(processes);
    return found;
}

int host_is_running(pid_t pid)
{
    char path[64], line[256] = "", state = 'X';
    long threads = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return 0;
    ssize_t count = read(descriptor, line, sizeof line - 1);
    close(descriptor);
    const char *name_end = count > 0 ? strrchr(line, ')') : NULL;
    if (!name_end || sscanf(name_end, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld",
                            &state, &threads) != 2)
        return 0;
    /* The first thread is a zombie while others still hold what the process has open. */
    return (state != 'Z' && state != 'X') || threads > 1;
}

int host_count_arenas(const char *trace)
{
    int count = 0;
    DIR *directory = opendir("/dev/shm");
    for (const struct dirent *entry = directory ? readdir(directory) : NULL; entry; entry = readdir(directory)) {
        char path[300], target[4096] = "";
        snprintf(path, sizeof path, "/dev/shm/%s/trace", entry->d_name);
        ssize_t length = readlink(path, target, sizeof target - 1);
        count += length > 0 && strcmp(target, trace) == 0;
    }
    if (directory)
        closedir(directory);
    return count;
}
