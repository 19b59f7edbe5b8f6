#include "join.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "chosen.h"
#include "clock.h"
#include "code_watch.h"
#include "environment.h"
#include "first_frame.h"
#include "hook.h"
#include "host_facts.h"
#include "host_wait.h"
#include "proc_stat.h"
#include "process_entry.h"
#include "session.h"
#include "session_lock.h"
#include "session_private.h"
#include "thread_state.h"

#define ANCESTORS_MAX 64
#define TRIES_MAX     8

/* --- Whether to join ---------------------------------------------------------------------------------------------- */

/* Who could write to the file is nobody but us: pt_arena_map has looked. */
static bool takes_us(const struct pt_arena *arena)
{
    const struct pt_arena_control *control = pt_arena_control(arena);
    char boot_id[sizeof control->boot_id];
    pt_arena_boot_id(boot_id);
    return (control->flags & PT_ARENA_FLAG_CHILDREN) &&
           memcmp(control->boot_id, boot_id, sizeof boot_id) == 0 && /* else the mutex below tells of another world */
           pt_arena_owner_alive(&control->drain) && atomic_load(&control->stop) == PT_ARENA_RUNNING &&
           atomic_load_explicit(&control->start_tick, memory_order_acquire) != 0;
}

/* --- Whose child we are ------------------------------------------------------------------------------------------- */

static pid_t parent_of(pid_t pid)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    const char *parent = pt_proc_stat_field(text, 4);
    return parent ? (pid_t)strtol(parent, NULL, 10) : 0;
}

/* The last process with this id that used an entry. Those that have ended count, too, until the entry is used again:
 * exec is an end. */
static bool find_entry(const struct pt_arena *arena, pid_t pid, struct pt_process_entry *found)
{
    uint64_t latest = 0;
    for (uint32_t i = 0; i < arena->shape.process_count; i++) {
        const struct pt_arena_process *process = pt_arena_process(arena, i);
        const uint64_t use = atomic_load(&process->use);
        const uint64_t start_tick = atomic_load(&process->start_tick);
        if ((uint32_t)use == PT_PROCESS_UNRESERVED || (uint32_t)use == PT_PROCESS_BORN || start_tick < latest ||
            atomic_load(&process->pid) != (uint32_t)pid || atomic_load(&process->use) != use)
            continue;
        *found = (struct pt_process_entry){i, (uint32_t)(use >> 32)};
        latest = start_tick;
    }
    return latest != 0;
}

/* Ourselves, before the exec, if we were recorded then; else the nearest ancestor that is: there may be a shell in
 * between. */
static struct pt_process_entry find_parent(const struct pt_arena *arena)
{
    struct pt_process_entry entry = {.index = PT_ARENA_NO_PROCESS};
    pid_t pid = getpid();
    for (int i = 0; i < ANCESTORS_MAX && pid > 0 && !find_entry(arena, pid, &entry); i++)
        pid = parent_of(pid);
    return entry;
}

/* --- Joining ------------------------------------------------------------------------------------------------------ */

/* The program is about to run. Between site and this moment it may have been forked, or have begun a recording of its
 * own. */
static void begin(void)
{
    if (!pt_session_try_lock())
        return; /* somebody is about to begin one right now */
    if (pt_session->state == PT_SESSION_RECORDING && pt_session->joined) {
        pt_code_watch_start();
        if (pt_hook_start(pt_session->c_calls) < 0) {
            PyErr_Clear();
            if (pt_session_leave_earlier() < 0)
                PyErr_Clear();
        }
    }
    pt_session_unlock();
}

static bool take_place(const struct pt_session *session)
{
    const struct pt_process_entry parent = find_parent(&session->arena);
    struct pt_process_entry own;
    *pt_session = *session; /* no recording yet, but an arena, which the two functions below need */
    /* Where nobody else is left the drain may take the entry for that of a child that will never come, and ours away
     * before we have it. It sees us now as a program that is about to join: so again. */
    for (int tries = 0; tries < TRIES_MAX && pt_process_entry_reserve(&own, &parent, PT_PROCESS_EXECED); tries++) {
        struct pt_arena_process *process = pt_arena_process(&session->arena, own.index);
        pt_host_facts_program(process->program, sizeof process->program);
        if (pt_session_take_process(pt_session, own.index, own.generation, 0)) {
            pt_session->state = PT_SESSION_RECORDING;
            atomic_store(&pt_session_control()->expected, 0);
            pt_host_wait_wake();
            return true;
        }
    }
    memset(pt_session, 0, sizeof *pt_session);
    return false;
}

/* What the recording's first process was asked to tell of, we tell of, too. */
static int choose(const struct pt_arena_control *control)
{
    char lines[PT_ARENA_PATTERN_SIZE] = "";
    char opcodes[PT_ARENA_PATTERN_SIZE] = "";
    memcpy(lines, control->lines, sizeof lines - 1);
    memcpy(opcodes, control->opcodes, sizeof opcodes - 1);
    return pt_chosen_set(lines, opcodes, control->flags & PT_ARENA_FLAG_EXCEPTIONS);
}

static bool join(const char *directory, PyObject *globals)
{
    struct pt_session session = {.state = PT_SESSION_NONE, .joined = true, .children = true};
    size_t threads_size = 0;
    bool joined = false;

    if (pt_arena_map(&session.arena, directory, 1, NULL) != PT_OK)
        return false;
    const struct pt_arena_control *control = pt_arena_control(&session.arena);
    threads_size = session.arena.shape.slot_count * sizeof *session.threads;
    if (!takes_us(&session.arena) || pt_session_prepare() < 0 || choose(control) < 0 ||
        (session.threads = pt_session_map_wiped(threads_size)) == NULL ||
        pt_hook_reserve(control->flags & PT_ARENA_FLAG_C_CALLS) < 0)
        goto cleanup;
    session.serial = pt_session_next_serial();
    session.started_ns = pt_clock_monotonic_ns();
    session.c_calls = control->flags & PT_ARENA_FLAG_C_CALLS;
    session.block = !(control->flags & PT_ARENA_FLAG_DROP);
    joined = take_place(&session);
    if (joined)
        pt_first_frame_await(globals, begin);
    else
        pt_hook_stop();

cleanup:
    if (!joined) {
        if (session.threads)
            munmap(session.threads, threads_size);
        pt_arena_unmap(&session.arena);
    }
    return joined;
}

PyObject *pt_join(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    const char *directory =
        secure_getenv(PT_ENVIRONMENT_ARENA); /* none where we have more rights than who started us */
    PyObject *main = PyDict_GetItemString(PyImport_GetModuleDict(), "__main__");
    if (directory && main && PyModule_Check(main) && PyInterpreterState_Get() == PyInterpreterState_Main() &&
        pt_session_try_lock()) {
        if (pt_session->state == PT_SESSION_NONE)
            join(directory, PyModule_GetDict(main));
        pt_session_unlock();
    }
    PyErr_Clear();
    Py_RETURN_NONE;
}
