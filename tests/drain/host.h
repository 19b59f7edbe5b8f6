/* A recorded process in plain C: what the extension does to arena and drain, without an interpreter. */
#ifndef PT_TEST_HOST_H
#define PT_TEST_HOST_H

#include <stdint.h>
#include <sys/types.h>

#include "arena.h"
#include "settings.h"
#include "status.h"

struct host {
    struct pt_arena arena;
    struct pt_arena_control *control;
    struct pt_arena_process *process;
    char directory[4096];
};

struct host_thread {
    struct pt_arena_slot *slot;
    uint64_t *ring;
    uint64_t mask;
    uint64_t position;
    struct host *host;
};

/* Everything at its default; `output` is the trace. */
struct pt_settings host_settings(const char *output);

/* Starts a drain (PT_TEST_DRAIN, or `program` if it is not NULL) and begins to record: the calling thread owns process entry 0. */
enum pt_status host_start(struct host *host, const char *program, const struct pt_settings *settings,
                          struct pt_error *error);

/* The calling thread claims a slot, waiting for one if it must, and writes the first rebase. */
void host_claim(struct host *host, struct host_thread *thread);

/* One record, published. Waits for room as policy `block` does, but for as long as it takes; 0 once the recording was stopped. */
int host_push(struct host_thread *thread, uint64_t record);

/* Function `id` entered and left, at the ticks of now, until `count` records are written or the recording is stopped; returns how many were. */
uint64_t host_calls(struct host_thread *thread, uint32_t id, uint64_t count);

void host_define(struct host *host, uint32_t id, const char *qualname);
void host_release(struct host_thread *thread);
uint64_t host_tick(const struct host *host);
void host_wake(struct host *host);

/* What stop() does, and what a process does that ends in order. Both wait until the trace is complete; 0 if that took over 10 s. */
int host_stop(struct host *host);
int host_exit(struct host *host);

/* fork(), with a process entry reserved for the child, whose `host` and main thread it then is: what the fork handlers do. Returns as fork(). */
pid_t host_fork(struct host *host);

/* Its two halves: an entry for a child; the child's taking it. A child that comes too late ends with status 4. */
struct pt_arena_process *host_announce(struct host *host);
void host_be_born(struct host *host, struct pt_arena_process *entry);

/* Waits until the recording's arena is gone, as it is once the drain has finished; 0 if that took over 10 s. */
int host_wait_gone(const char *directory);

/* The pid of the drain that writes `trace` (by its command line); 0 if there is none. */
pid_t host_find_drain(const char *trace);

/* False once the process has ended, reaped or not. */
int host_is_running(pid_t pid);

/* Arenas in /dev/shm whose link leads to `trace`. */
int host_count_arenas(const char *trace);

#endif
