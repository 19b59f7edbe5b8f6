#include "event.h"

#include "collections.h"
#include "functions.h"
#include "greenlet.h"
#include "hook.h"
#include "host_wait.h"
#include "module.h"
#include "open_frames.h"
#include "ring.h"
#include "session.h"
#include "session_use.h"
#include "slot.h"

static bool enters(enum pt_kind kind)
{
    return kind == PT_KIND_START || kind == PT_KIND_RESUME || kind == PT_KIND_THROW || kind == PT_KIND_C_CALL;
}

/* There is a frame already that is not open yet. */
static bool enters_frame(enum pt_kind kind)
{
    return enters(kind) && kind != PT_KIND_C_CALL;
}

static bool is_c(enum pt_kind kind)
{
    return kind == PT_KIND_C_CALL || kind == PT_KIND_C_RETURN || kind == PT_KIND_C_RAISE;
}

/* Whatever is due now and then, by the position in the ring. False if the recording has ended. */
static bool at_marks(struct pt_thread_state *self, bool entering)
{
    if (atomic_load_explicit(&pt_session_control()->stop, memory_order_relaxed) != PT_ARENA_RUNNING) {
        pt_session_end();
        return false;
    }
    const bool mark = self->position >= self->mark;
    if (mark || (self->name_retry != 0 && self->position >= self->name_retry))
        pt_slot_update_name(self);
    if (mark) {
        pt_hook_scan();
        pt_greenlet_scan(self, entering);
    }
    return true;
}

/* Calls of start, stop and the like belong to the recorder: neither they nor their returns are written. Until one has
 * returned, every event of the thread comes this way. */
static void hide(struct pt_thread_state *self, enum pt_kind kind)
{
    if (kind == PT_KIND_C_CALL)
        self->hidden++;
    else if (self->hidden > 0)
        self->hidden--;
}

/* In the child of a fork: handlers that Python runs there come before the return of the C function that forked, whose
 * call is a record of the parent's. True for that return, which is not written. */
static bool is_return_from_fork(struct pt_thread_state *self, enum pt_kind kind)
{
    if (enters(kind)) {
        self->fork_depth++;
        return false;
    }
    if (self->fork_depth > 0) {
        self->fork_depth--;
        return false;
    }
    self->in_fork = false;
    return is_c(kind);
}

/* The thread's first event. NULL if it cannot be written. */
static struct pt_thread_state *attach(enum pt_kind kind)
{
    /* A C function that returns was entered before the recording began, or while the thread had no slot; its frame is
     * known to nobody. */
    if (is_c(kind) && !enters(kind)) {
        pt_slot_returned_from_fork();
        pt_slot_lose_leave();
        return NULL;
    }
    struct pt_thread_state *self = pt_slot_claim();
    if (!self)
        return NULL;
    if (pt_greenlet_is_due(self))
        pt_greenlet_look_after(self, true, enters_frame(kind));
    pt_open_frames_write(self, enters_frame(kind));
    return self;
}

static void write_event(enum pt_kind kind, const void *key, PyObject *function)
{
    struct pt_thread_state *self = pt_thread_self;
    if (self->session != pt_session->serial && (self = attach(kind)) == NULL)
        return;
    if (!at_marks(self, enters_frame(kind)))
        return;
    if (pt_greenlet_is_due(self))
        pt_greenlet_look_after(self, false, enters_frame(kind));
    if (kind == PT_KIND_EXCEPTION) {
        pt_ring_put(self, kind, pt_functions_raise_site(key), 0);
    } else if (pt_record_is_inner(kind)) {
        pt_ring_put(self, kind, (uint32_t)(uintptr_t)key, 0);
    } else if (is_c(kind) && pt_module_owns(key)) {
        hide(self, kind);
    } else if (self->in_fork && is_return_from_fork(self, kind)) {
        /* the thread goes on as any other */
    } else if (enters(kind) || kind == PT_KIND_UNWIND) {
        struct pt_cached_id *cached = pt_thread_state_cached(self, key);
        const bool known = pt_cached_id_is_of(cached, key);
        uint32_t id = known ? cached->id : pt_functions_id(key, function, PyEval_GetGlobals());
        const bool watched = kind == PT_KIND_C_CALL && pt_greenlet_is_settrace(self, key);
        if (!known && id != PT_ID_UNKNOWN && !watched)
            pt_cached_id_set(cached, key, id);
        pt_ring_put(self, kind, id, pt_record_frame(id, is_c(kind)));
    } else {
        pt_ring_put(self, kind, 0, 0);
    }
    pt_ring_update_limit(self);
    if (pt_greenlet_is_due(self))
        pt_thread_state_set_limit(self, 0);
}

PyObject *pt_event_slow(enum pt_kind kind, const void *key, PyObject *function)
{
    if (!pt_session_enter())
        return Py_None;
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    const int collecting = pt_collections_hold();
    write_event(kind, key, function);
    pt_collections_release(collecting);
    PyErr_Restore(type, error, traceback);
    pt_session_exit();
    return Py_None;
}

PyObject *pt_event_exception(PyCodeObject *code, int line, PyTypeObject *type)
{
    const struct pt_raise_site site = {code, line, type};
    return pt_event_slow(PT_KIND_EXCEPTION, &site, NULL);
}

bool pt_event_was_last(enum pt_kind kind, PyObject *code)
{
    const struct pt_thread_state *self = pt_thread_self;
    if (!pt_session_enter())
        return false;
    bool was = self->session == pt_session->serial && pt_ring_last_is(self, kind, pt_functions_find(code));
    pt_session_exit();
    return was;
}
