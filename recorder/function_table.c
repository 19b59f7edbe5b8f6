#include "function_table.h"

#include <stdlib.h>

#include "layout.h"

#define CAPACITY_FIRST 1024u

struct entry {
    _Atomic(const void *) key; /* NULL: never used; stored with release after the rest, loaded with acquire */
    uint32_t id;
    void *held;
};

/* Open addressing with linear probing, at most half full: a search always meets an empty entry. What a growing table
 * leaves behind stays until the table is cleared, as somebody may still search it: less than what is in use. */
struct pt_function_array {
    struct pt_function_array *replaced;
    size_t capacity; /* a power of two */
    size_t used;     /* entries that are not empty; under the mutex */
    struct entry entries[];
};

/* The key of an entry whose function is gone. A search goes on behind it; a new function may take its place. */
static const char removed;

static size_t home(const void *key, size_t capacity)
{
    uint64_t bits = (uint64_t)(uintptr_t)key * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(bits >> 32) & (capacity - 1);
}

static const void *key_of(const struct entry *entry)
{
    return atomic_load_explicit(&entry->key, memory_order_acquire);
}

/* The entry of `key`, or NULL; then `*place` is where it belongs. */
static struct entry *search(struct pt_function_array *array, const void *key, struct entry **place)
{
    struct entry *vacant = NULL;
    for (size_t i = home(key, array->capacity);; i = (i + 1) & (array->capacity - 1)) {
        struct entry *entry = &array->entries[i];
        const void *found = key_of(entry);
        if (found == key)
            return entry;
        if (!vacant && (!found || found == &removed))
            vacant = entry;
        if (!found) {
            *place = vacant;
            return NULL;
        }
    }
}

uint32_t pt_function_table_find(const struct pt_function_table *table, const void *key)
{
    struct entry *unused;
    struct pt_function_array *array = atomic_load_explicit(&table->array, memory_order_acquire);
    const struct entry *entry = array ? search(array, key, &unused) : NULL;
    return entry ? entry->id : PT_ID_UNKNOWN;
}

void pt_function_table_visit(const struct pt_function_table *table, void (*visit)(const void *key))
{
    struct pt_function_array *array = atomic_load_explicit(&table->array, memory_order_acquire);
    for (size_t i = 0; array && i < array->capacity; i++) {
        const void *key = key_of(&array->entries[i]);
        if (key && key != &removed)
            visit(key);
    }
}

/* --- Changes, under the mutex ------------------------------------------------------------------------------------ */

static void fill(struct pt_function_array *array, struct entry *place, const void *key, uint32_t id, void *held)
{
    array->used += key_of(place) == NULL;
    place->id = id;
    place->held = held;
    atomic_store_explicit(&place->key, key, memory_order_release);
}

static struct pt_function_array *grow(struct pt_function_table *table, struct pt_function_array *old)
{
    size_t capacity = old ? old->capacity * 2 : CAPACITY_FIRST;
    struct pt_function_array *array = calloc(1, sizeof *array + capacity * sizeof *array->entries);
    if (!array)
        return NULL;
    array->replaced = old;
    array->capacity = capacity;
    for (size_t i = 0; old && i < old->capacity; i++) {
        const struct entry *entry = &old->entries[i];
        const void *key = key_of(entry);
        struct entry *place;
        if (key && key != &removed && !search(array, key, &place))
            fill(array, place, key, entry->id, entry->held);
    }
    atomic_store_explicit(&table->array, array, memory_order_release);
    return array;
}

bool pt_function_table_add(struct pt_function_table *table, const void *key, uint32_t id, void *held)
{
    bool added = false;
    struct entry *place;
    pthread_mutex_lock(&table->mutex);
    struct pt_function_array *array = atomic_load_explicit(&table->array, memory_order_relaxed);
    if (!array || array->used >= array->capacity / 2)
        array = grow(table, array);
    if (array && !search(array, key, &place)) {
        fill(array, place, key, id, held);
        added = true;
    }
    pthread_mutex_unlock(&table->mutex);
    return added;
}

/* Marks at the end of a cluster of entries lead nowhere. That they go keeps a table from growing by marks alone, where
 * functions come and go for ever. */
static void vacate(struct pt_function_array *array, struct entry *entry)
{
    const size_t mask = array->capacity - 1;
    size_t i = (size_t)(entry - array->entries);
    atomic_store_explicit(&entry->key, &removed, memory_order_release);
    if (key_of(&array->entries[(i + 1) & mask]))
        return;
    for (; key_of(&array->entries[i]) == &removed; i = (i - 1) & mask) {
        atomic_store_explicit(&array->entries[i].key, NULL, memory_order_release);
        array->used--;
    }
}

bool pt_function_table_remove(struct pt_function_table *table, const void *key)
{
    struct entry *unused;
    pthread_mutex_lock(&table->mutex);
    struct pt_function_array *array = atomic_load_explicit(&table->array, memory_order_relaxed);
    struct entry *entry = array ? search(array, key, &unused) : NULL;
    if (entry)
        vacate(array, entry);
    pthread_mutex_unlock(&table->mutex);
    return entry != NULL;
}

/* --- The end ----------------------------------------------------------------------------------------------------- */

void pt_function_table_clear(struct pt_function_table *table, void (*release)(void *held))
{
    pthread_mutex_lock(&table->mutex);
    /* Taken out first: what a release sets in motion finds an empty table. */
    struct pt_function_array *array = atomic_exchange_explicit(&table->array, NULL, memory_order_acq_rel);
    pthread_mutex_unlock(&table->mutex);
    for (size_t i = 0; array && i < array->capacity; i++) {
        const void *key = key_of(&array->entries[i]);
        if (key && key != &removed && array->entries[i].held)
            release(array->entries[i].held);
    }
    while (array) {
        struct pt_function_array *replaced = array->replaced;
        free(array);
        array = replaced;
    }
}

void pt_function_table_forget(struct pt_function_table *table)
{
    struct pt_function_array *array = atomic_load_explicit(&table->array, memory_order_relaxed);
    for (size_t i = 0; array && i < array->capacity; i++)
        atomic_store_explicit(&array->entries[i].key, NULL, memory_order_relaxed);
    if (array)
        array->used = 0;
}

size_t pt_function_table_capacity(const struct pt_function_table *table)
{
    const struct pt_function_array *array = atomic_load_explicit(&table->array, memory_order_acquire);
    return array ? array->capacity : 0;
}

void pt_function_table_lock(struct pt_function_table *table)
{
    pthread_mutex_lock(&table->mutex);
}

void pt_function_table_unlock(struct pt_function_table *table)
{
    pthread_mutex_unlock(&table->mutex);
}
