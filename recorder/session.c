#include "session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "code_watch.h"
#include "environment.h"
#include "fork.h"
#include "functions.h"
#include "greenlet.h"
#include "hook.h"
#include "host_wait.h"
#include "layout.h"
#include "names_journal.h"
#include "process_owner.h"
#include "retired.h"
#include "ring.h"
#include "session_lock.h"
#include "session_private.h"
#include "session_use.h"
#include "slot.h"
#include "spawn.h"
#include "thread_state.h"

#define CHAIN_MAX (PT_NAMES_CHAIN_MAX - 1) /* readers follow inherited names so far back, and no further */

static struct pt_session no_session;

struct pt_session *pt_session = &no_session;

/* Outlives a fork, unlike the session: no two sessions that a thread may meet bear the same number. */
static uint32_t last_serial;

uint32_t pt_session_next_serial(void)
{
    return ++last_serial;
}

static uint64_t tick_now(const struct pt_arena_control *control)
{
    return pt_clock_tick((enum pt_clock_kind)control->clock, control->tick_shift);
}

bool pt_session_is_recording(void)
{
    if (!pt_session_enter())
        return false;
    bool running = atomic_load(&pt_session_control()->stop) == PT_ARENA_RUNNING;
    pt_session_exit();
    return running;
}

void pt_session_note(uint32_t note)
{
    if (pt_session->process)
        atomic_fetch_or_explicit(&pt_session->process->notes, note, memory_order_relaxed);
}

/* --- Leaving ----------------------------------------------------------------------------------------------------- */

/* Sends every thread's next event to the slow path, which finds that there is no session. */
static void close_threads(void)
{
    for (uint32_t i = 0; i < pt_session->threads_used; i++)
        pt_thread_state_set_limit(&pt_session->threads[i], 0);
}

static void flush_threads(void)
{
    for (uint32_t i = 0; i < pt_session->threads_used; i++) {
        if (pt_session->threads[i].session == pt_session->serial) {
            pt_ring_flush(&pt_session->threads[i]);
            pt_slot_date_end(&pt_session->threads[i]);
        }
    }
}

/* Lets nobody in any more, and makes sure that the rings are as their threads left them. False if some thread is still
 * in the middle of an event. */
static bool close_session(void)
{
    pt_hook_stop();
    pt_greenlet_stop();
    atomic_store(&pt_session->state, PT_SESSION_ENDED);
    close_threads();
    if (!pt_session_wait_unused())
        return false;
    flush_threads();
    return true;
}

/* The process has no session any more. It was closed before. */
static void leave(void)
{
    pt_environment_remove();
    pt_slot_release();
    pt_code_watch_stop();
    pt_process_owner_release(pt_session->process);
    pt_retired_add(&pt_session->arena, pt_session->threads);
    memset(pt_session, 0, sizeof *pt_session);
    pt_functions_clear();
    pt_names_journal_reset();
}

static void publish_end(enum pt_process_state state)
{
    struct pt_arena_process *process = pt_session->process;
    atomic_store_explicit(&process->end_tick, tick_now(pt_session_control()), memory_order_relaxed);
    /* After all records of this process: the drain reads rings to their end once it has seen this. */
    atomic_store_explicit(&process->state, state, memory_order_release);
}

int pt_session_leave_earlier(void)
{
    const uint32_t state = pt_session->state;
    if (state == PT_SESSION_NONE) {
        /* A child that was forked without a part in its parent's recording has its hook and tables all the same. */
        pt_hook_stop();
        pt_functions_clear();
        pt_names_journal_reset();
        return 0;
    }
    if (!close_session()) {
        PyErr_SetString(PyExc_RuntimeError, "a thread is still busy with the last recording");
        return -1;
    }
    pt_slot_release();
    if (state == PT_SESSION_RECORDING) {
        publish_end(PT_PROCESS_DETACHED);
        pt_host_wait_wake();
    }
    leave();
    return 0;
}

static int remove_hook(void *unused)
{
    (void)unused;
    if (!pt_session_try_lock())
        return 0; /* who has it takes the hook away */
    if (pt_session->state == PT_SESSION_ENDED) {
        pt_hook_stop();
        pt_greenlet_stop();
        pt_environment_remove();
    }
    pt_session_unlock();
    return 0;
}

void pt_session_end(void)
{
    uint32_t recording = PT_SESSION_RECORDING;
    if (!atomic_compare_exchange_strong(&pt_session->state, &recording, PT_SESSION_ENDED))
        return;
    close_threads();
    /* Not here: the interpreter is in the middle of calling the hook. If the queue is full the hook stays, and finds
     * nothing to do. */
    (void)Py_AddPendingCall(remove_hook, NULL);
}

static void request_stop(struct pt_arena_control *control)
{
    uint32_t running = PT_ARENA_RUNNING;
    if (atomic_load(&control->stop) != running)
        return;
    /* A concurrent stop stores nearly the same. */
    atomic_store(&control->stop_tick, tick_now(control));
    atomic_compare_exchange_strong(&control->stop, &running, PT_ARENA_STOPPED);
}

int pt_session_check_interpreter(void)
{
    if (PyInterpreterState_Get() == PyInterpreterState_Main())
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "a recording can be started and stopped in the main interpreter only");
    return -1;
}

int pt_session_stop_locked(void)
{
    struct pt_arena_control *control = pt_session_control();
    bool closed = close_session();
    request_stop(control);
    pt_slot_release();
    int trouble = pt_host_wait_done() ? (int)atomic_load(&control->trouble) : -1;
    pt_spawn_reap(control->keeper);
    if (closed)
        leave();
    return trouble;
}

int pt_session_stop(void)
{
    if (pt_session_check_interpreter() < 0 || pt_session_lock() < 0)
        return -1;
    bool stopped = pt_session->state != PT_SESSION_NONE;
    int trouble = stopped ? pt_session_stop_locked() : 0;
    pt_session_unlock();
    if (!stopped) {
        PyErr_SetString(PyExc_RuntimeError, "nothing is being recorded");
        return -1;
    }
    if (trouble == 0)
        return 0;
    if (trouble > 0)
        return PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "cannot write the trace: %s; it is incomplete",
                                strerror(trouble));
    return PyErr_WarnEx(PyExc_RuntimeWarning, "the drain process does not answer; the trace ends where it left off", 1);
}

/* Those that died without a word are counted in `live` until the drain has looked. */
bool pt_session_others_live(void)
{
    for (uint32_t i = 0; i < pt_session->arena.shape.process_count; i++) {
        struct pt_arena_process *process = pt_arena_process(&pt_session->arena, i);
        uint32_t state = atomic_load_explicit(&process->state, memory_order_acquire);
        if (state == PT_PROCESS_BORN)
            return true;
        if (state == PT_PROCESS_LIVE && process != pt_session->process && pt_arena_owner_alive(&process->owner))
            return true;
    }
    return false;
}

static bool is_closed_or_expects(void *context)
{
    const struct pt_arena_control *control = context;
    return (atomic_load(&control->live) & PT_ARENA_CLOSED) || atomic_load(&control->expected);
}

/* Whether threads that we know, other than the calling one, are still there. */
static bool others_run(void)
{
    for (uint32_t i = 0; i < pt_session->threads_used; i++) {
        const struct pt_thread_state *thread = &pt_session->threads[i];
        if (thread->session == pt_session->serial && thread != pt_thread_self &&
            pt_arena_owner_alive(&thread->slot->owner))
            return true;
    }
    return false;
}

/* Runs after the interpreter is gone, in pure C. Whoever is the last one waits, so that the file is complete when the
 * process has ended. Not while daemon threads run: they wake to an interpreter that is no more, and only because a
 * process ends at once does it get away with that (3.10 crashes in take_gil within milliseconds). Then the drain is not
 * even woken, which could cost us the processor: it sees by itself that the process has ended. */
static void exit_session(void)
{
    struct pt_arena_control *control = pt_session_control();
    if (pt_session->state == PT_SESSION_RECORDING) {
        atomic_store(&pt_session->state, PT_SESSION_ENDED);
        close_threads();
        if (!Py_IsInitialized())
            flush_threads();
        uint32_t others = (atomic_load(&control->live) & ~PT_ARENA_CLOSED) - 1;
        publish_end(PT_PROCESS_EXITED);
        /* The first process of a pid namespace takes all others along when it ends, the drain too: nobody has anything
         * left to record. (One that was forked into the recording has its drain outside.) */
        if (getpid() == 1 && !pt_session->joined)
            request_stop(control);
        if (others_run())
            return;
        pt_host_wait_wake();
        uint64_t waited_ns;
        if (others > 0 && atomic_load(&control->stop) == PT_ARENA_RUNNING &&
            (pt_session_others_live() || !pt_host_wait_until(is_closed_or_expects, control, &waited_ns)))
            return;
    }
    if (others_run())
        return;
    if (pt_host_wait_done_if_last())
        pt_spawn_reap(control->keeper);
    pt_host_wait_check_drain("the trace is incomplete");
}

static void at_exit(void)
{
    if (!pt_session_try_lock())
        return; /* a thread that starts or stops a recording is overtaken by the end */
    if (pt_session->state != PT_SESSION_NONE)
        exit_session();
    pt_session_unlock();
}

/* --- Beginning, once in the life of a process -------------------------------------------------------------------- */

void *pt_session_map_wiped(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory != MAP_FAILED && madvise(memory, size, MADV_WIPEONFORK) == 0)
        return memory;
    PyErr_SetFromErrno(PyExc_OSError);
    if (memory != MAP_FAILED)
        munmap(memory, size);
    return NULL;
}

int pt_session_prepare(void)
{
    if (pt_fork_install() < 0)
        return -1;
    if (pt_session != &no_session)
        return 0;
    struct pt_session *memory = pt_session_map_wiped(sizeof *memory);
    if (!memory)
        return -1;
    if (atexit(at_exit) != 0) {
        munmap(memory, sizeof *memory);
        PyErr_NoMemory();
        return -1;
    }
    pt_session = memory;
    return 0;
}

/* --- Joining ----------------------------------------------------------------------------------------------------- */

bool pt_session_take_process(struct pt_session *session, uint32_t index, uint32_t generation, uint32_t inherited)
{
    struct pt_arena_process *process = pt_arena_process(&session->arena, index);
    uint64_t born = pt_arena_process_use(PT_PROCESS_BORN, generation);
    if (atomic_load(&process->use) != born || !pt_process_owner_take(process))
        return false;
    session->process = process;
    session->process_index = index;
    session->process_generation = generation;
    atomic_store_explicit(&process->pid, (uint32_t)getpid(), memory_order_relaxed);
    process->inherited = inherited;
    atomic_store_explicit(&process->start_tick, tick_now(pt_arena_control(&session->arena)), memory_order_relaxed);
    atomic_store_explicit(&process->end_tick, 0, memory_order_relaxed);
    atomic_store_explicit(&process->notes, 0, memory_order_relaxed);
    /* Publishes the fields; the drain reads them only in this state. It may have given the entry back meanwhile, tired
     * of waiting, and another child may have been promised it. */
    if (atomic_compare_exchange_strong(&process->use, &born, pt_arena_process_use(PT_PROCESS_LIVE, generation)))
        return true;
    pt_process_owner_release(process);
    return false;
}

void pt_session_join(const struct pt_session *parent, uint32_t process_index, uint32_t process_generation)
{
    struct pt_session session = *parent;
    session.serial = pt_session_next_serial();
    session.state = PT_SESSION_NONE;
    session.threads_used = 0;
    session.joined = true;
    session.slots_exhausted = false;
    session.processes_exhausted = false;
    if (++session.chain >= CHAIN_MAX) {
        pt_functions_forget_all();
        pt_names_journal_reset();
        session.chain = 0;
    }
    pt_slot_forget();
    if (!pt_session_take_process(&session, process_index, process_generation, pt_names_journal_count()))
        return;
    *pt_session = session;
    atomic_store(&pt_session->state, PT_SESSION_RECORDING);
    pt_host_wait_wake();
}
