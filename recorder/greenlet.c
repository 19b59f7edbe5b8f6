#include "greenlet.h"

#include <stdatomic.h>
#include <string.h>

#include "collections.h"
#include "greenlet_numbers.h"
#include "layout.h"
#include "open_frames.h"
#include "ring.h"
#include "session.h"
#include "session_use.h"

/* --- The package ------------------------------------------------------------------------------------------------- */

/* How long an import of the package may take, in events of the threads that run meanwhile. */
#define PATIENCE_EVENTS 1000000u

enum package_state {
    UNSEEN,
    EXPECTED, /* a function of the module was seen: it is being imported */
    GIVEN_UP, /* it is another module of that name */
    USED,
};

/* What is used of it. One for the process, found once. */
static struct {
    _Atomic int state;
    _Atomic uint32_t patience;
    PyObject *settrace;
    PyObject *gettrace;
    PyObject *getcurrent;
    PyObject *parent; /* the attribute, as the type has it */
} package;

/* Borrowed, or NULL: modules that are being imported lack some. */
static PyObject *module_function(PyObject *module, const char *name)
{
    PyObject *function = PyDict_GetItemString(PyModule_GetDict(module), name);
    return function && PyCFunction_Check(function) ? function : NULL;
}

static bool take_functions(PyObject *module)
{
    if (!module || !PyModule_Check(module))
        return false;
    PyObject *type = PyDict_GetItemString(PyModule_GetDict(module), "greenlet");
    PyObject *settrace = module_function(module, "settrace");
    PyObject *gettrace = module_function(module, "gettrace");
    PyObject *getcurrent = module_function(module, "getcurrent");
    PyObject *parent = type && PyType_Check(type) ? PyObject_GetAttrString(type, "parent") : NULL;
    PyErr_Clear();
    if (!settrace || !gettrace || !getcurrent || !parent || !Py_TYPE(parent)->tp_descr_get) {
        Py_XDECREF(parent);
        return false;
    }
    Py_INCREF(settrace);
    Py_INCREF(gettrace);
    Py_INCREF(getcurrent);
    package.settrace = settrace;
    package.gettrace = gettrace;
    package.getcurrent = getcurrent;
    package.parent = parent;
    return true;
}

/* Makes every thread come here at its next event. */
static void call_threads(void)
{
    for (uint32_t i = 0; i < pt_session->threads_used; i++)
        atomic_store(&pt_session->threads[i].limit, 0);
}

static bool find_package(void)
{
    PyObject *modules = PyImport_GetModuleDict();
    if (!take_functions(PyDict_GetItemString(modules, "greenlet._greenlet")) &&
        !take_functions(PyDict_GetItemString(modules, "greenlet")))
        return false;
    /* In one total order with the limits: see pt_greenlet_is_due. */
    atomic_store(&package.state, USED);
    call_threads();
    return true;
}

void pt_greenlet_start(void)
{
    if (atomic_load(&package.state) != USED)
        (void)find_package();
}

void pt_greenlet_notice(const struct pt_text *module)
{
    static const char name[] = "greenlet";
    const uint32_t size = sizeof name - 1;
    if (module->size < size || memcmp(module->data, name, size) != 0 ||
        (module->size > size && module->data[size] != '.') || atomic_load(&package.state) != UNSEEN)
        return;
    atomic_store(&package.patience, PATIENCE_EVENTS);
    atomic_store(&package.state, EXPECTED);
    call_threads();
}

/* --- The trace function ------------------------------------------------------------------------------------------ */

struct tracer {
    PyObject base;
    PyObject *previous; /* called after ours; NULL for none */
};

static void follow(PyObject *target);

/* At the calling thread's next event. */
static void look_after_soon(void)
{
    struct pt_thread_state *self = pt_thread_self;
    if (!pt_session_enter())
        return;
    if (self->session == pt_session->serial) {
        self->follows_greenlets = false;
        pt_thread_state_set_limit(self, 0);
    }
    pt_session_exit();
}

static PyObject *tracer_call(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    /* Called in the greenlet that goes on, as (event, (from, to)). */
    PyObject *pair = PyTuple_GET_SIZE(arguments) == 2 ? PyTuple_GET_ITEM(arguments, 1) : NULL;
    if (pair && PyTuple_Check(pair) && PyTuple_GET_SIZE(pair) == 2 && pt_session_enter()) {
        follow(PyTuple_GET_ITEM(pair, 1));
        pt_session_exit();
    }
    struct tracer *tracer = (struct tracer *)self;
    if (!tracer->previous)
        Py_RETURN_NONE;
    PyObject *result = PyObject_Call(tracer->previous, arguments, keywords);
    if (!result) {
        /* A trace function that raises is taken away, and ours is with it. It comes back alone. */
        Py_CLEAR(tracer->previous);
        look_after_soon();
    }
    return result;
}

static int tracer_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((struct tracer *)self)->previous);
    return 0;
}

static int tracer_clear(PyObject *self)
{
    Py_CLEAR(((struct tracer *)self)->previous);
    return 0;
}

static void tracer_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    tracer_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot tracer_slots[] = {
    {Py_tp_call, tracer_call},
    {Py_tp_dealloc, tracer_dealloc},
    {Py_tp_traverse, tracer_traverse},
    {Py_tp_clear, tracer_clear},
    {0, NULL},
};

static PyType_Spec tracer_spec = {
    .name = "pytrace._core.greenlet_tracer",
    .basicsize = sizeof(struct tracer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = tracer_slots,
};

/* Made once, and never freed. */
static PyTypeObject *_Atomic tracer_type;

static PyTypeObject *get_tracer_type(void)
{
    PyTypeObject *type = atomic_load(&tracer_type);
    if (type)
        return type;
    PyTypeObject *made = (PyTypeObject *)PyType_FromSpec(&tracer_spec);
    if (made && !atomic_compare_exchange_strong(&tracer_type, &type, made))
        Py_DECREF(made);
    return made ? atomic_load(&tracer_type) : NULL;
}

/* Puts a trace function of ours before the one that the thread has. False if that was there already. */
static bool put_tracer(void)
{
    PyObject *before = PyObject_CallNoArgs(package.gettrace);
    PyTypeObject *type = get_tracer_type();
    if (!before || !type || Py_IS_TYPE(before, type)) {
        Py_XDECREF(before);
        return false;
    }
    struct tracer *tracer = (struct tracer *)type->tp_alloc(type, 0);
    if (tracer) {
        tracer->previous = before == Py_None ? NULL : before;
        Py_XINCREF(tracer->previous);
        Py_XDECREF(PyObject_CallOneArg(package.settrace, (PyObject *)tracer));
    }
    Py_XDECREF(tracer);
    Py_DECREF(before);
    return true;
}

void pt_greenlet_stop(void)
{
    if (atomic_load(&package.state) != USED)
        return;
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyObject *now = PyObject_CallNoArgs(package.gettrace);
    if (now && Py_IS_TYPE(now, atomic_load(&tracer_type))) {
        PyObject *previous = ((struct tracer *)now)->previous;
        Py_XDECREF(PyObject_CallOneArg(package.settrace, previous ? previous : Py_None));
    }
    Py_XDECREF(now);
    PyErr_Restore(type, error, traceback);
}

/* --- A thread's greenlets ---------------------------------------------------------------------------------------- */

#define KEY "pytrace.greenlets"

/* Kept in the dict of the thread's state, and freed with it. */
struct follower {
    uint32_t session; /* the numbers are those of this one */
    struct pt_greenlet_numbers numbers;
};

static void free_follower(PyObject *capsule)
{
    struct follower *follower = PyCapsule_GetPointer(capsule, KEY);
    pt_greenlet_numbers_clear(&follower->numbers);
    PyMem_Free(follower);
}

/* NULL if there is none, and none is to be `made` or can be. */
static struct follower *follower_of_thread(bool made)
{
    PyObject *dict = PyThreadState_GetDict();
    PyObject *capsule = dict ? PyDict_GetItemString(dict, KEY) : NULL;
    if (capsule)
        return PyCapsule_GetPointer(capsule, KEY);
    struct follower *follower = dict && made ? PyMem_Calloc(1, sizeof *follower) : NULL;
    if (!follower)
        return NULL;
    capsule = PyCapsule_New(follower, KEY, free_follower);
    if (!capsule) {
        PyMem_Free(follower);
        return NULL;
    }
    const int result = PyDict_SetItemString(dict, KEY, capsule);
    Py_DECREF(capsule);
    return result == 0 ? follower : NULL;
}

/* A greenlet goes on. */
static void follow(PyObject *target)
{
    struct pt_thread_state *self = pt_thread_self;
    if (self->session != pt_session->serial || !self->follows_greenlets)
        return;
    const int collecting = pt_collections_hold();
    struct follower *follower = follower_of_thread(false);
    struct pt_greenlet_number *entry = NULL;
    if (follower && follower->session == self->session)
        entry = pt_greenlet_numbers_find(&follower->numbers, target);
    if (entry && entry->number != self->greenlet) {
        pt_ring_switch(self, entry->number);
        if (!entry->is_known && !self->loss.switched) {
            entry->is_known = true;
            pt_open_frames_write_resumed(self); /* none, if it begins now */
        }
        pt_ring_update_limit(self);
    }
    PyErr_Clear();
    pt_collections_release(collecting);
}

/* The greenlets of the thread, and which of them runs, were not seen for a while: nothing that the trace knows of them can
 * be relied on. What is open in this one is told anew; in the others, when they go on. */
static void begin_again(struct pt_thread_state *self, struct follower *follower, struct pt_greenlet_number *running,
                        bool entering)
{
    pt_greenlet_numbers_forget(&follower->numbers);
    running->is_known = true;
    pt_ring_forget(self, running->number);
    pt_open_frames_write(self, entering);
}

/* The outermost greenlet of a thread has no parent. */
static bool is_outermost(PyObject *greenlet)
{
    PyObject *parent = Py_TYPE(package.parent)->tp_descr_get(package.parent, greenlet, (PyObject *)Py_TYPE(greenlet));
    Py_XDECREF(parent);
    PyErr_Clear();
    return parent == Py_None;
}

static void look_after(struct pt_thread_state *self, struct follower *follower, PyObject *current, bool begins,
                       bool entering)
{
    const bool is_new = follower->session != self->session;
    if (is_new) {
        pt_greenlet_numbers_clear(&follower->numbers);
        follower->session = self->session;
    }
    struct pt_greenlet_number *running = pt_greenlet_numbers_find(&follower->numbers, current);
    if (!running)
        return;
    if (self->loss.switched) {
        if (pt_ring_recover(self))
            begin_again(self, follower, running, entering);
    } else if (begins || (is_new ? is_outermost(current) : running->number == self->greenlet)) {
        running->is_known = true;
    } else {
        begin_again(self, follower, running, entering);
    }
}

void pt_greenlet_look_after(struct pt_thread_state *self, bool begins, bool entering)
{
    if (atomic_load(&package.state) == EXPECTED && !find_package()) {
        if (atomic_fetch_sub(&package.patience, 1) == 0)
            atomic_store(&package.state, GIVEN_UP);
        return;
    }
    if (atomic_load(&package.state) != USED)
        return;
    self->follows_greenlets = true;
    (void)put_tracer();
    struct follower *follower = follower_of_thread(true);
    PyObject *current = follower ? PyObject_CallNoArgs(package.getcurrent) : NULL;
    if (current)
        look_after(self, follower, current, begins, entering);
    Py_XDECREF(current);
    PyErr_Clear();
}

bool pt_greenlet_is_due(const struct pt_thread_state *self)
{
    /* Who finds the package stores that and then lowers all limits; a thread sets its limit and then asks here. In one
     * total order, one of both sees the other. */
    const int state = atomic_load(&package.state);
    return state == EXPECTED || (state == USED && (!self->follows_greenlets || self->loss.switched));
}

bool pt_greenlet_is_settrace(struct pt_thread_state *self, const void *method)
{
    if (atomic_load(&package.state) != USED || method != ((PyCFunctionObject *)package.settrace)->m_ml)
        return false;
    self->follows_greenlets = false;
    return true;
}

void pt_greenlet_scan(struct pt_thread_state *self, bool entering)
{
    if (!self->follows_greenlets || !put_tracer())
        return;
    pt_session_note(PT_PROCESS_NOTE_GREENLETS_MISSED);
    struct follower *follower = follower_of_thread(false);
    PyObject *current = follower ? PyObject_CallNoArgs(package.getcurrent) : NULL;
    struct pt_greenlet_number *running = current ? pt_greenlet_numbers_find(&follower->numbers, current) : NULL;
    if (running && !self->loss.switched)
        begin_again(self, follower, running, entering);
    Py_XDECREF(current);
    PyErr_Clear();
}
