#include "session_use.h"

#ifdef Py_GIL_DISABLED

#include <string.h>
#include <time.h>

#include "clock.h"

#define SEATS          64u
#define LOOK_AGAIN_NS  100000
#define WAIT_UNUSED_NS UINT64_C(5000000000)

/* Users, each counted in the seat of its thread: threads in the slow path are not to contend for one cache line. */
static struct {
    _Alignas(64) _Atomic uint32_t users;
} seats[SEATS];

static _Atomic uint32_t threads_seated;

static _Thread_local uint32_t seat __attribute__((tls_model("initial-exec"))); /* from 1; 0: none yet */

bool pt_session_enter(void)
{
    if (seat == 0)
        seat = 1 + atomic_fetch_add_explicit(&threads_seated, 1, memory_order_relaxed) % SEATS;
    /* In one total order with the state, as stored by who ends the session, and the counts, as it then finds them:
     * either it sees us, or we see that the session ends. */
    atomic_fetch_add(&seats[seat - 1].users, 1);
    if (atomic_load(&pt_session->state) == PT_SESSION_RECORDING)
        return true;
    pt_session_exit();
    return false;
}

void pt_session_exit(void)
{
    atomic_fetch_sub(&seats[seat - 1].users, 1);
}

static bool is_unused(void)
{
    for (uint32_t i = 0; i < SEATS; i++)
        if (atomic_load(&seats[i].users) != 0)
            return false;
    return true;
}

bool pt_session_wait_unused(void)
{
    if (is_unused())
        return true;
    bool unused;
    const uint64_t start_ns = pt_clock_monotonic_ns();
    /* Detached: the user may itself wait for the interpreter, and that for us. */
    PyThreadState *thread = PyEval_SaveThread();
    while (!(unused = is_unused()) && pt_clock_monotonic_ns() - start_ns < WAIT_UNUSED_NS)
        nanosleep(&(struct timespec){.tv_nsec = LOOK_AGAIN_NS}, NULL);
    PyEval_RestoreThread(thread);
    return unused;
}

void pt_session_use_reset(void)
{
    memset(seats, 0, sizeof seats);
}

#endif
