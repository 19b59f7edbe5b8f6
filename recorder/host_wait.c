#include "host_wait.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "session.h"

#define WAIT_MAX_NS     UINT64_C(100000000)
#define PLACE_MAX_NS    UINT64_C(1000000000)
#define WAIT_SLICE_NS   UINT64_C(5000000)    /* then looked at again, unasked */
#define WAIT_SHARE      10                   /* all waits together take at most this part of the run … */
#define WAIT_GRACE_NS   UINT64_C(1000000000) /* … and the first second is free, for runs that are short or just began */
#define DRAIN_SILENT_NS UINT64_C(5000000000)

static void futex_wait(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns)
{
    struct timespec timeout = {
        .tv_sec = (time_t)(timeout_ns / 1000000000u),
        .tv_nsec = (long)(timeout_ns % 1000000000u),
    };
    syscall(SYS_futex, word, FUTEX_WAIT, value, &timeout, NULL, 0);
}

void pt_host_wait_wake(void)
{
    struct pt_arena_control *control = pt_session_control();
    int saved_errno = errno;
    /* Both sides in one total order: the drain stores `asleep`, then compares `wake`; so one of us sees the other. */
    atomic_fetch_add(&control->wake, 1);
    if (atomic_load(&control->asleep))
        syscall(SYS_futex, &control->wake, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    errno = saved_errno;
}

static bool may_wait(struct pt_arena_control *control, uint64_t now_ns)
{
    if (!pt_session->block || atomic_load_explicit(&control->degraded, memory_order_relaxed))
        return false;
    uint64_t share = (now_ns - pt_session->started_ns) / WAIT_SHARE + WAIT_GRACE_NS;
    return atomic_load_explicit(&control->waited_ns, memory_order_relaxed) < share;
}

/* Returns what `ready` said last, and how long that took. */
static bool wait_until(pt_host_wait_ready *ready, void *context, uint64_t start_ns, uint64_t max_ns,
                       uint64_t *waited_ns)
{
    struct pt_arena_control *control = pt_session_control();
    int saved_errno = errno;
    bool done;
    atomic_fetch_add(&control->waiters, 1);
    for (;;) {
        uint32_t progress = atomic_load(&control->progress);
        done = ready(context);
        *waited_ns = pt_clock_monotonic_ns() - start_ns;
        if (done || *waited_ns >= max_ns || atomic_load(&control->stop) || !pt_arena_owner_alive(&control->drain))
            break;
        futex_wait(&control->progress, progress, WAIT_SLICE_NS);
    }
    atomic_fetch_sub(&control->waiters, 1);
    errno = saved_errno;
    return done;
}

bool pt_host_wait_until(pt_host_wait_ready *ready, void *context, uint64_t *waited_ns)
{
    struct pt_arena_control *control = pt_session_control();
    uint64_t start_ns = pt_clock_monotonic_ns();
    *waited_ns = 0;
    pt_host_wait_wake();
    if (!may_wait(control, start_ns))
        return ready(context);
    bool done = wait_until(ready, context, start_ns, WAIT_MAX_NS, waited_ns);
    atomic_fetch_add(&control->waited_ns, *waited_ns);
    return done;
}

bool pt_host_wait_for_place(pt_host_wait_ready *ready, void *context)
{
    uint64_t waited_ns;
    pt_host_wait_wake();
    return pt_session->block ? wait_until(ready, context, pt_clock_monotonic_ns(), PLACE_MAX_NS, &waited_ns)
                             : ready(context);
}

void pt_host_wait_degrade(void)
{
    atomic_store(&pt_session_control()->degraded, 1);
}

/* Killed, say; or stopped, or on a machine that hangs. */
static bool drain_is_silent(struct pt_arena_control *control)
{
    uint64_t heartbeat_ns = atomic_load_explicit(&control->heartbeat_ns, memory_order_relaxed);
    uint64_t now_ns = pt_clock_monotonic_ns();
    bool silent =
        !pt_arena_owner_alive(&control->drain) || (now_ns > heartbeat_ns && now_ns - heartbeat_ns > DRAIN_SILENT_NS);
    return silent && !atomic_load(&control->done); /* it is done before it dies */
}

static bool others_join(const struct pt_arena_control *control)
{
    return atomic_load(&control->stop) == PT_ARENA_RUNNING &&
           (atomic_load(&control->expected) || pt_session_others_live());
}

static bool wait_done(bool if_last)
{
    struct pt_arena_control *control = pt_session_control();
    uint64_t start_ns = pt_clock_monotonic_ns();
    pt_host_wait_wake();
    while (!atomic_load(&control->done)) {
        if (if_last && others_join(control))
            return false;
        futex_wait(&control->done, 0, 20 * WAIT_SLICE_NS);
        /* A drain that slept through a long flush interval has an old heartbeat, and gets the time to wake up. */
        bool patient = pt_clock_monotonic_ns() - start_ns <= DRAIN_SILENT_NS && pt_arena_owner_alive(&control->drain);
        if (!patient && drain_is_silent(control))
            return atomic_load(&control->done);
    }
    return true;
}

bool pt_host_wait_done(void)
{
    return wait_done(false);
}

bool pt_host_wait_done_if_last(void)
{
    return wait_done(true);
}

void pt_host_wait_check_drain(const char *consequence)
{
    struct pt_arena_control *control = pt_session_control();
    int trouble = (int)atomic_load_explicit(&control->trouble, memory_order_relaxed);
    bool silent = drain_is_silent(control);
    if ((!silent && trouble == 0) || atomic_exchange(&pt_session->warned, true))
        return;
    int saved_errno = errno;
    char warning[160];
    int length = snprintf(warning, sizeof warning, "pytrace: %s%s; %s\n",
                          silent ? "the drain process does not answer" : "cannot write the trace: ",
                          silent                     ? ""
                          : strerrordesc_np(trouble) ? strerrordesc_np(trouble)
                                                     : "unknown error",
                          consequence);
    ssize_t written = write(STDERR_FILENO, warning, (size_t)length);
    (void)written; /* nobody is left to tell */
    errno = saved_errno;
}
