#include <Python.h>

#include "probe.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "collections.h"
#include "hook.h"
#include "record.h"
#include "thread_state.h"

#define CALLS       255
#define CALLS_TEXT  "255"
#define DEPTH_TEXT  "6" /* of a tree of 127 calls, with LEAVES below it */
#define LEAVES      128
#define WARM_ROUNDS 4  /* the interpreter specialises what runs often */
#define ROUNDS      11 /* the median of which counts */
#define RING_WORDS  4096
#define TRIES       8

/* What is called, and how. A loop that repeats one call is what a processor predicts best, and functions are seldom called
 * so: hence a tree. */
static const char source[] = "calls = range(1000, 1000 + " CALLS_TEXT ")\n"
                             "depth = " DEPTH_TEXT "\n"
                             "def leaf(x): return (x + 7) * 3 - (x >> 1)\n"
                             "def bare(x): pass\n"
                             "def generator(calls):\n"
                             "    for i in calls: yield i\n"
                             "def empty(calls, called):\n"
                             "    for i in calls: pass\n"
                             "def call(depth, called):\n"
                             "    if depth:\n"
                             "        call(depth - 1, called)\n"
                             "        call(depth - 1, called)\n"
                             "    else:\n"
                             "        called(depth)\n"
                             "        called(depth)\n"
                             "def c_call(calls, called):\n"
                             "    for i in calls:\n"
                             "        called(i)\n"
                             "        i.bit_length()\n"
                             "method = int.bit_length\n"
                             "def resume(calls, called):\n"
                             "    for i in called(calls): pass\n";

static PyObject *do_nothing(PyObject *self, PyObject *argument)
{
    (void)self, (void)argument;
    Py_RETURN_NONE;
}

static PyMethodDef c_leaf = {"c_leaf", do_nothing, METH_O, NULL};

/* A function of those above that makes `count` calls, and the records that tell of them. */
struct subject {
    const char *caller;
    const char *calls; /* its arguments */
    const char *called;
    const char *also; /* is called, too; NULL for nothing */
    unsigned count;
    enum pt_kind kind;
};

static const struct subject subjects[PT_COST_KINDS] = {
    [PT_COST_CALL] = {"call", "depth", "leaf", NULL, CALLS, PT_KIND_START},
    [PT_COST_C_CALL] = {"c_call", "calls", "c_leaf", "method", 2 * CALLS, PT_KIND_C_CALL},
    [PT_COST_RESUME] = {"resume", "calls", "generator", NULL, CALLS, PT_KIND_RESUME},
};

/* Timed without the hook only: what is left without the leaf's body, and what a generator does by itself. */
static const struct subject bare = {"call", "depth", "bare", NULL, CALLS, PT_KIND_START};
static const struct subject loop = {"empty", "calls", "leaf", NULL, CALLS, PT_KIND_START};

struct probe {
    PyObject *names; /* what `source` makes, and c_leaf */
    struct pt_thread_state *state;
    struct pt_arena_slot *slot;
    uint64_t *ring;
};

/* Of one call, in counts of the clock; `whole` is negative if it could not be measured. */
struct timing {
    double whole;
    double own; /* the part between its two records */
};

/* --- Setting up --------------------------------------------------------------------------------------------------- */

/* Functions know the dict that they stand in: nobody is to find them until a collection comes. */
static void release_names(PyObject *names)
{
    if (names)
        PyDict_Clear(names);
    Py_XDECREF(names);
}

static void release(struct probe *probe)
{
    release_names(probe->names);
    free(probe->state);
    free(probe->slot);
    free(probe->ring);
}

static PyObject *make_names(void)
{
    PyObject *names = PyDict_New();
    if (!names || PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()) < 0)
        Py_CLEAR(names);
    PyObject *code = names ? Py_CompileString(source, "<pytrace>", Py_file_input) : NULL;
    PyObject *result = code ? PyEval_EvalCode(code, names, names) : NULL;
    PyObject *function = result ? PyCFunction_NewEx(&c_leaf, NULL, NULL) : NULL;
    if (!function || PyDict_SetItemString(names, "c_leaf", function) < 0)
        Py_CLEAR(names);
    Py_XDECREF(function);
    Py_XDECREF(result);
    Py_XDECREF(code);
    return names;
}

/* By what the hook knows a function. */
static const void *key_of(const struct probe *probe, const char *name)
{
    PyObject *object = PyDict_GetItemString(probe->names, name);
    if (PyFunction_Check(object))
        return PyFunction_GetCode(object);
    return PyCFunction_Check(object) ? ((PyCFunctionObject *)object)->m_ml : ((PyMethodDescrObject *)object)->d_method;
}

/* Lets the fast path find them all. False if two of them fall on one place in the cache. */
static bool know_functions(struct probe *probe)
{
    uint32_t id = 0;
    memset(probe->state->cache, 0, sizeof probe->state->cache);
    for (int kind = 0; kind < PT_COST_KINDS; kind++) {
        const char *names[] = {subjects[kind].caller, subjects[kind].called, subjects[kind].also};
        for (int i = 0; i < 3 && names[i]; i++) {
            const void *key = key_of(probe, names[i]);
            struct pt_cached_id *cached = pt_thread_state_cached(probe->state, key);
            if (!pt_cached_id_is_of(cached, NULL))
                return false;
            pt_cached_id_set(cached, key, ++id);
        }
    }
    return true;
}

/* A thread state whose records go nowhere but to us. */
static int init(struct probe *probe)
{
    probe->state = calloc(1, sizeof *probe->state);
    probe->slot = calloc(1, sizeof *probe->slot);
    probe->ring = calloc(RING_WORDS, sizeof *probe->ring);
    if (!probe->state || !probe->slot || !probe->ring) {
        PyErr_NoMemory();
        return -1;
    }
    probe->state->ring = probe->ring;
    probe->state->mask = RING_WORDS - 1;
    probe->state->slot = probe->slot;
    pt_thread_state_set_limit(probe->state, UINT64_MAX);

    bool known = false;
    for (int tries = 0; tries < TRIES && !known; tries++) {
        PyObject *names = make_names(); /* elsewhere than those before, which are still there */
        release_names(probe->names);
        probe->names = names;
        if (!names)
            return -1;
        known = know_functions(probe);
    }
    return 0;
}

/* --- Timing ------------------------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;
    return (*left > *right) - (*left < *right);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

/* The mean time between the records of calls that called nothing in turn; negative if records are missing. */
static double own_time(const struct probe *probe, const struct subject *subject)
{
    uint64_t sum = 0;
    unsigned calls = 0;
    for (uint64_t i = 1; i < probe->state->position; i++) {
        const uint64_t first = probe->ring[i - 1];
        const uint64_t second = probe->ring[i];
        if (pt_record_kind(first) != (uint32_t)subject->kind || pt_record_kind(second) <= PT_KIND_OPEN)
            continue;
        sum += pt_record_tick_low(second) - pt_record_tick_low(first);
        calls++;
    }
    return probe->state->position >= 2 * subject->count && calls > 0 ? (double)sum / calls : -1;
}

/* Returns 0, or -1 with an exception set. */
static int time_calls(struct probe *probe, const struct subject *subject, bool with_hook, struct timing *timing)
{
    PyObject *caller = PyDict_GetItemString(probe->names, subject->caller);
    PyObject *calls = PyDict_GetItemString(probe->names, subject->calls);
    PyObject *called = PyDict_GetItemString(probe->names, subject->called);
    double whole[ROUNDS], own[ROUNDS];
    size_t count = 0;
    for (int i = 0; i < WARM_ROUNDS + ROUNDS; i++) {
        const uint64_t before = pt_clock_counter();
        probe->state->position = 0;
        probe->state->epoch = before >> PT_TICK_BITS;
        PyObject *result = PyObject_CallFunctionObjArgs(caller, calls, called, NULL);
        const uint64_t after = pt_clock_counter();
        if (!result)
            return -1;
        Py_DECREF(result);
        own[count] = with_hook ? own_time(probe, subject) : 0;
        whole[count] = (double)(after - before) / subject->count;
        count += i >= WARM_ROUNDS && own[count] >= 0;
    }
    *timing = (struct timing){.whole = -1};
    if (count > 0)
        *timing = (struct timing){median(whole, count), median(own, count)};
    return 0;
}

/* With the hook for our functions, and our ring in place of the thread's. */
static int time_with_hook(struct probe *probe, struct timing timings[PT_COST_KINDS], bool c_calls)
{
    PyObject *codes[2 * PT_COST_KINDS];
    size_t count = 0;
    for (int kind = 0; kind < PT_COST_KINDS; kind++) {
        codes[count++] = (PyObject *)(uintptr_t)key_of(probe, subjects[kind].caller);
        if (kind != PT_COST_C_CALL)
            codes[count++] = (PyObject *)(uintptr_t)key_of(probe, subjects[kind].called);
    }
    struct pt_thread_state *own = pt_thread_self;
    pt_thread_self = probe->state;
    int result = pt_hook_rehearse(codes, count, c_calls);
    for (int kind = 0; kind < PT_COST_KINDS && result == 0; kind++)
        result = time_calls(probe, &subjects[kind], true, &timings[kind]);
    pt_hook_rehearse_end(codes, count);
    pt_thread_self = own;
    return result;
}

/* --- The figures -------------------------------------------------------------------------------------------------- */

static uint64_t to_ps(double counts, double count_ps)
{
    return counts > 0 ? (uint64_t)(counts * count_ps + 0.5) : 0;
}

/* `body`: what the function does by itself, between its records. A real one does something: between two records without
 * anything in between the processor has nothing else to do while it waits. */
static struct pt_cost cost_of(const struct timing *with, const struct timing *without, double body, double count_ps)
{
    const double own = body > 0 ? with->own - body : with->own;
    return (struct pt_cost){to_ps(own, count_ps), to_ps(with->whole - without->whole - own, count_ps)};
}

static int measure(struct probe *probe, struct pt_cost costs[PT_COST_KINDS], bool c_calls)
{
    struct timing with[PT_COST_KINDS], without[PT_COST_KINDS], without_body, loop_alone;
    const uint64_t start_ns = pt_clock_monotonic_ns();
    const uint64_t start = pt_clock_counter();
    for (int kind = 0; kind < PT_COST_KINDS; kind++)
        if (time_calls(probe, &subjects[kind], false, &without[kind]) < 0)
            return -1;
    if (time_calls(probe, &bare, false, &without_body) < 0 || time_calls(probe, &loop, false, &loop_alone) < 0 ||
        time_with_hook(probe, with, c_calls) < 0)
        return -1;
    const double bodies[PT_COST_KINDS] = {
        [PT_COST_CALL] = (without[PT_COST_CALL].whole - without_body.whole) * CALLS / LEAVES,
        [PT_COST_RESUME] = loop_alone.whole,
    };
    const double count_ps = (double)(pt_clock_monotonic_ns() - start_ns) * 1000 / (double)(pt_clock_counter() - start);
    for (int kind = 0; kind < PT_COST_KINDS; kind++)
        if (with[kind].whole >= 0)
            costs[kind] = cost_of(&with[kind], &without[kind], bodies[kind], count_ps);
    return 0;
}

int pt_probe_measure(struct pt_cost costs[PT_COST_KINDS], bool c_calls)
{
    static const struct pt_cost unmeasured[PT_COST_KINDS] = PT_COSTS_UNMEASURED;
    struct probe probe = {0};
    memcpy(costs, unmeasured, sizeof unmeasured);
    if (!pt_hook_is_alone())
        return 0;
    const int collecting = pt_collections_hold();
    int result = init(&probe);
    if (result == 0)
        result = measure(&probe, costs, c_calls);
    release(&probe);
    pt_collections_release(collecting);
    return result;
}
