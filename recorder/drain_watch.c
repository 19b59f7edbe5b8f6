#include "drain_watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "futex.h"

/* A use of an entry of the process table; `descriptor` is its pidfd, or −1 if it has none or could not get one. */
struct watched {
    uint32_t generation;
    bool known;
    int descriptor;
};

struct pt_drain_watch {
    const struct pt_arena *arena;
    struct watched *processes; /* one an entry */
    int epoll;
    int quit; /* eventfd */
    pthread_t thread;
};

static void raise_wake(struct pt_arena_control *control)
{
    atomic_fetch_add(&control->wake, 1);
    pt_futex_wake_all(&control->wake);
}

static void *watch_deaths(void *argument)
{
    const struct pt_drain_watch *watch = argument;
    for (;;) {
        struct epoll_event event;
        int count = epoll_wait(watch->epoll, &event, 1, -1);
        if (count < 0 && errno != EINTR)
            return NULL;
        if (count > 0 && event.data.fd == watch->quit)
            return NULL;
        if (count > 0)
            raise_wake(pt_arena_control(watch->arena));
    }
}

static bool add(const struct pt_drain_watch *watch, int descriptor)
{
    /* Once each: a pidfd stays readable, and the drain may take a while. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = descriptor};
    return descriptor >= 0 && epoll_ctl(watch->epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

enum pt_status pt_drain_watch_new(struct pt_drain_watch **out, const struct pt_arena *arena)
{
    struct pt_drain_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return PT_NOMEM;
    watch->arena = arena;
    watch->processes = calloc(arena->shape.process_count, sizeof *watch->processes);
    watch->epoll = epoll_create1(EPOLL_CLOEXEC);
    watch->quit = eventfd(0, EFD_CLOEXEC);
    if (watch->processes && watch->epoll >= 0 && add(watch, watch->quit) &&
        pthread_create(&watch->thread, NULL, watch_deaths, watch) == 0) {
        *out = watch;
        return PT_OK;
    }
    enum pt_status status = watch->processes ? PT_IO : PT_NOMEM;
    if (watch->epoll >= 0)
        close(watch->epoll);
    if (watch->quit >= 0)
        close(watch->quit);
    free(watch->processes);
    free(watch);
    return status;
}

static void forget(struct watched *process)
{
    if (process->known && process->descriptor >= 0)
        close(process->descriptor); /* which takes it out of the epoll set */
    process->known = false;
}

void pt_drain_watch_update(struct pt_drain_watch *watch, uint32_t processes)
{
    for (uint32_t i = 0; i < processes; i++) {
        const struct pt_arena_process *entry = pt_arena_process(watch->arena, i);
        struct watched *process = &watch->processes[i];
        bool live = atomic_load_explicit(&entry->state, memory_order_acquire) == PT_PROCESS_LIVE;
        uint32_t generation = atomic_load_explicit(&entry->generation, memory_order_relaxed);
        if (process->known && (!live || process->generation != generation))
            forget(process);
        if (!live || process->known)
            continue;
        pid_t pid = (pid_t)atomic_load_explicit(&entry->pid, memory_order_relaxed);
        process->known = true;
        process->generation = generation;
        process->descriptor = (int)syscall(SYS_pidfd_open, pid, 0);
        if (process->descriptor < 0 && errno == ESRCH)
            atomic_fetch_add(&pt_arena_control(watch->arena)->wake, 1); /* gone already: one more turn, at once */
        else
            add(watch, process->descriptor);
    }
}

void pt_drain_watch_free(struct pt_drain_watch *watch)
{
    if (!watch)
        return;
    const uint64_t one = 1;
    if (write(watch->quit, &one, sizeof one) == (ssize_t)sizeof one)
        pthread_join(watch->thread, NULL);
    for (uint32_t i = 0; i < watch->arena->shape.process_count; i++)
        forget(&watch->processes[i]);
    close(watch->epoll);
    close(watch->quit);
    free(watch->processes);
    free(watch);
}
