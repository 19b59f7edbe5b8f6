/* The recording that this process takes part in: at most one at a time.
 *
 * Everything here lies in memory that fork and a raw clone wipe (MADV_WIPEONFORK): a child has no session unless the
 * fork handlers (fork.c) gave it one, so that a child which bypassed them finds all zeros and records nothing.
 *
 * Who may look at it and who may change it: session_use.h, session_lock.h. The functions here are for threads that are attached to the
 * interpreter. */
#ifndef PT_SESSION_H
#define PT_SESSION_H

#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

struct pt_thread_state;

enum pt_session_state {
    PT_SESSION_NONE = 0,
    PT_SESSION_RECORDING = 1,
    PT_SESSION_ENDED = 2, /* stopped by another process or by the size limit; the hooks are on their way out */
};

struct pt_session {
    /* enum pt_session_state. RECORDING is stored after the rest, and anything else before the rest is taken away. */
    _Atomic uint32_t state;
    uint32_t serial; /* which session of this process, from 1; a thread state of another one is stale */
    struct pt_arena arena;
    struct pt_arena_process *process; /* our entry */
    uint32_t process_index;
    uint32_t process_generation;
    uint32_t chain;                  /* forks between us and the process whose names begin at 1 */
    struct pt_thread_state *threads; /* one for each slot of the arena, same index */
    _Atomic uint32_t threads_used;   /* those from this index on were never claimed by this process */
    uint64_t started_ns;             /* CLOCK_MONOTONIC */
    bool c_calls;
    bool block; /* policy */
    bool children;
    bool joined;                     /* we were forked into this recording, and did not start it */
    atomic_bool slots_exhausted;     /* the last search for a slot failed: the next one does not wait */
    atomic_bool processes_exhausted; /* the same for a child's process entry */
    atomic_bool warned;              /* the one warning about a dead drain was written */
};

/* Never NULL; state is PT_SESSION_NONE while there is no session. */
extern struct pt_session *pt_session;

static inline struct pt_arena_control *pt_session_control(void)
{
    return pt_arena_control(&pt_session->arena);
}

/* Starts a recording in the main interpreter. `keywords` is a dict of those of `start`, "path" among them. With
 * `bootstrap` the frames now open in the calling thread are the recorder's own and never written. Returns 0, or -1 with
 * an exception set; then nothing is left behind. */
int pt_session_start(PyObject *keywords, bool bootstrap);

/* Ends the recording, for all its processes, and waits until the trace file is complete. Returns 0, or -1 with
 * RuntimeError set. */
int pt_session_stop(void);

bool pt_session_is_recording(void);

/* Whether another process of this recording is alive. */
bool pt_session_others_live(void);

/* Recording goes on without us: the hooks leave at the next safe moment. From the slow path, when `stop` was found
 * raised. */
void pt_session_end(void);

/* Something that readers of the trace should know of this process: PT_PROCESS_NOTE_… */
void pt_session_note(uint32_t note);

/* Gives the child of a fork its session: a copy of its parent's, with the process entry that was reserved for it. */
void pt_session_join(const struct pt_session *parent, uint32_t process_index, uint32_t process_generation);

#endif
