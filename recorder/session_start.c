#include "session.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>

#include "chosen.h"
#include "clock.h"
#include "code_watch.h"
#include "environment.h"
#include "greenlet.h"
#include "hook.h"
#include "host_facts.h"
#include "host_wait.h"
#include "module.h"
#include "open_frames.h"
#include "probe.h"
#include "retired.h"
#include "session_lock.h"
#include "session_private.h"
#include "spawn.h"
#include "start_options.h"
#include "thread_state.h"

static void raise_status(enum pt_status status, const struct pt_error *error, const struct pt_settings *settings)
{
    if (status == PT_NOMEM) {
        PyErr_NoMemory();
    } else if (status == PT_IO && error->system_errno != 0) {
        errno = error->system_errno;
        /* Only where the trace itself is meant does its name belong into the exception. */
        if (strstr(error->text, settings->output) || errno == EEXIST)
            PyErr_SetFromErrnoWithFilename(PyExc_OSError, settings->output);
        else
            PyErr_Format(PyExc_OSError, "%s", error->text);
    } else {
        PyErr_SetString(status == PT_IO ? PyExc_OSError : PyExc_RuntimeError, error->text);
    }
}

static int check_not_recording(void)
{
    if (pt_session->state == PT_SESSION_RECORDING && pt_session_is_recording() && !pt_session->joined) {
        PyErr_SetString(PyExc_RuntimeError, "this process is already being recorded");
        return -1;
    }
    return 0;
}

/* Spawns the drain and takes the first place in its arena. Returns 0, or -1 with an exception set. */
static int connect_session(struct pt_session *session, const struct pt_settings *settings)
{
    char directory[PATH_MAX];
    struct pt_error error = {0};
    enum pt_status status = pt_spawn_drain(pt_module_drain_path(), settings, directory, sizeof directory, &error);
    if (status == PT_OK)
        status = pt_arena_map(&session->arena, directory, 1, &error);
    if (status != PT_OK) {
        raise_status(status, &error, settings);
        return -1;
    }
    if (session->arena.shape.slot_count > settings->max_threads || !pt_session_take_process(session, 0, 1, 0)) {
        pt_arena_unmap(&session->arena);
        PyErr_SetString(PyExc_RuntimeError, "the arena is not what was asked for");
        return -1;
    }
    if (settings->children)
        pt_environment_put(directory);
    else
        pt_environment_remove();
    return 0;
}

/* The session is complete: makes it the one of this process and lets events in. */
static int open_session(const struct pt_session *session, bool bootstrap)
{
    *pt_session = *session;
    atomic_store(&pt_session->state, PT_SESSION_RECORDING);
    struct pt_arena_control *control = pt_session_control();
    pt_code_watch_start();
    if (bootstrap)
        pt_open_frames_hide();
    atomic_store_explicit(&control->start_tick, pt_clock_tick((enum pt_clock_kind)control->clock, control->tick_shift),
                          memory_order_release);
    pt_host_wait_wake();
    pt_greenlet_start();
    if (pt_hook_start(pt_session->c_calls) == 0) {
        pt_open_frames_choose();
        return 0;
    }
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    (void)pt_session_stop_locked();
    PyErr_Restore(type, error, traceback);
    return -1;
}

static int start_locked(PyObject *keywords, bool bootstrap)
{
    struct pt_start_options options;
    struct pt_host_facts facts = {0};
    struct pt_session session = {.state = PT_SESSION_NONE};
    size_t threads_size = 0;
    int result = -1;

    if (check_not_recording() < 0 || pt_start_options_parse(&options, keywords) < 0)
        return -1;
    options.settings.max_threads = pt_host_facts_max_threads(options.settings.max_threads);
    if (pt_host_facts_init(&facts, &options.settings, options.argv) < 0 || pt_session_prepare() < 0 ||
        pt_session_leave_earlier() < 0)
        goto cleanup;
    pt_retired_free();
    if (pt_chosen_set(options.settings.lines, options.settings.opcodes, options.settings.exceptions) < 0)
        goto cleanup;
    threads_size = options.settings.max_threads * sizeof *session.threads;
    if ((session.threads = pt_session_map_wiped(threads_size)) == NULL || pt_hook_reserve(options.settings.c_calls) < 0)
        goto cleanup;
    if (pt_probe_measure(options.settings.costs, options.settings.c_calls) < 0 ||
        connect_session(&session, &options.settings) < 0) {
        pt_hook_stop();
        goto cleanup;
    }
    session.serial = pt_session_next_serial();
    session.started_ns = pt_clock_monotonic_ns();
    session.c_calls = options.settings.c_calls;
    session.block = !options.settings.drop;
    session.children = options.settings.children;
    result = open_session(&session, bootstrap);
    session.threads = NULL; /* the process's now, or retired with it */

cleanup:
    if (session.threads)
        munmap(session.threads, threads_size);
    pt_host_facts_release(&facts);
    return result;
}

int pt_session_start(PyObject *keywords, bool bootstrap)
{
    if (pt_session_check_interpreter() < 0 || pt_session_lock() < 0)
        return -1;
    int result = start_locked(keywords, bootstrap);
    pt_session_unlock();
    return result;
}
