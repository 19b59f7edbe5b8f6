#include "functions.h"

#include <stdlib.h>
#include <string.h>

#include "code_watch.h"
#include "function_name.h"
#include "layout.h"
#include "names_journal.h"
#include "session.h"
#include "thread_state.h"

struct function {
    const void *key; /* NULL: empty */
    PyObject *held;  /* keeps the key alive, or NULL */
    uint32_t id;
};

/* Open addressing with linear probing, at most half full. */
static struct {
    struct function *entries;
    size_t capacity; /* a power of two, or 0 */
    size_t used;
} table;

static size_t home(const void *key, size_t capacity)
{
    uint64_t bits = (uint64_t)(uintptr_t)key * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(bits >> 32) & (capacity - 1);
}

/* The entry of `key`, or the empty one where it belongs. The table is not full. */
static struct function *find(struct function *entries, size_t capacity, const void *key)
{
    size_t index = home(key, capacity);
    while (entries[index].key && entries[index].key != key)
        index = (index + 1) & (capacity - 1);
    return &entries[index];
}

static bool grow(void)
{
    size_t capacity = table.capacity ? table.capacity * 2 : 1024;
    struct function *entries = calloc(capacity, sizeof *entries);
    if (!entries)
        return false;
    for (size_t i = 0; i < table.capacity; i++)
        if (table.entries[i].key)
            *find(entries, capacity, table.entries[i].key) = table.entries[i];
    free(table.entries);
    table.entries = entries;
    table.capacity = capacity;
    return true;
}

uint32_t pt_functions_find(const void *key)
{
    return table.capacity > 0 ? find(table.entries, table.capacity, key)->id : PT_ID_UNKNOWN;
}

/* --- First sight ------------------------------------------------------------------------------------------------- */

static uint32_t describe(PyObject *function, PyObject *globals)
{
    struct pt_function_name name;
    if (PyCode_Check(function))
        pt_function_name_python(&name, (PyCodeObject *)function, globals);
    else
        pt_function_name_c(&name, function);
    uint32_t id = pt_names_journal_id(&name.name);
    pt_function_name_release(&name);
    return id;
}

/* A PyMethodDef of a type is as static as the type's slots. One made at run time (pybind11 and the like) is freed with
 * its function, whose `self` then is nothing, a module, or the capsule that owns it. */
static bool may_vanish(PyObject *function)
{
    if (PyCode_Check(function))
        return !pt_code_watch_add((PyCodeObject *)function);
    if (!PyCFunction_Check(function))
        return false;
    PyObject *bound_to = ((PyCFunctionObject *)function)->m_self;
    return !bound_to || PyModule_Check(bound_to) || PyCapsule_CheckExact(bound_to);
}

uint32_t pt_functions_id(const void *key, PyObject *function, PyObject *globals)
{
    uint32_t id = pt_functions_find(key);
    if (id != PT_ID_UNKNOWN)
        return id;
    /* Cython from 3.1 on fires events with code objects of its own kind. */
    if (!PyCode_Check(function) && !PyCFunction_Check(function) && !Py_IS_TYPE(function, &PyMethodDescr_Type))
        return PT_ID_UNKNOWN;
    if (table.used >= table.capacity / 2 && !grow())
        return PT_ID_UNKNOWN;
    id = describe(function, globals);
    if (id == PT_ID_UNKNOWN)
        return id;
    PyObject *held = may_vanish(function) ? function : NULL;
    Py_XINCREF(held);
    *find(table.entries, table.capacity, key) = (struct function){key, held, id};
    table.used++;
    return id;
}

/* --- The end of functions ---------------------------------------------------------------------------------------- */

static void purge_caches(const void *key)
{
    uint32_t index = pt_thread_state_cache_index(key);
    for (uint32_t i = 0; i < pt_session->threads_used; i++) {
        struct pt_cached_id *cached = &pt_session->threads[i].cache[index];
        if (cached->key == key)
            cached->key = NULL;
    }
}

/* Closes the gap, so that no search stops before an entry that was pushed past it. */
static void remove_entry(size_t gap)
{
    const size_t mask = table.capacity - 1;
    for (size_t i = (gap + 1) & mask; table.entries[i].key; i = (i + 1) & mask) {
        size_t distance_home = (i - home(table.entries[i].key, table.capacity)) & mask;
        if (distance_home >= ((i - gap) & mask)) {
            table.entries[gap] = table.entries[i];
            gap = i;
        }
    }
    memset(&table.entries[gap], 0, sizeof table.entries[gap]);
    table.used--;
}

void pt_functions_forget(const void *key)
{
    struct function *entry = table.capacity > 0 ? find(table.entries, table.capacity, key) : NULL;
    if (!entry || !entry->key)
        return;
    remove_entry((size_t)(entry - table.entries));
    purge_caches(key);
}

void pt_functions_forget_all(void)
{
    if (table.capacity > 0)
        memset(table.entries, 0, table.capacity * sizeof *table.entries);
    table.used = 0;
}

void pt_functions_clear(void)
{
    /* Taken out first: what a dropped reference sets in motion finds an empty table. */
    struct function *entries = table.entries;
    size_t capacity = table.capacity;
    memset(&table, 0, sizeof table);
    for (size_t i = 0; i < capacity; i++)
        Py_XDECREF(entries[i].held);
    free(entries);
}
