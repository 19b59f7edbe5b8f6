/* From the pointer that stands for a function to its id: read by all threads without a lock, changed under one.
 *
 * Whoever looks a key up keeps its object alive meanwhile; so a key is never looked up while it is removed, nor at the
 * same time as anew. What a look-up does not find may still be there, or be added at that moment: _add tells. */
#ifndef PT_FUNCTION_TABLE_H
#define PT_FUNCTION_TABLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pt_function_array;

/* Begins as PT_FUNCTION_TABLE_EMPTY. */
struct pt_function_table {
    _Atomic(struct pt_function_array *) array; /* stored with release once it is filled, loaded with acquire */
    pthread_mutex_t mutex;                     /* over every change */
};

#define PT_FUNCTION_TABLE_EMPTY                                                                                        \
    {                                                                                                                  \
        .mutex = PTHREAD_MUTEX_INITIALIZER                                                                             \
    }

/* The id of `key`, or PT_ID_UNKNOWN. */
uint32_t pt_function_table_find(const struct pt_function_table *table, const void *key);

/* Calls `visit` for each key, without the mutex: what comes or goes meanwhile may be visited, or not. */
void pt_function_table_visit(const struct pt_function_table *table, void (*visit)(const void *key));

/* False if the key has an id already (another thread was faster), or for want of memory: `held` is the caller's still.
 * `held` may be NULL. */
bool pt_function_table_add(struct pt_function_table *table, const void *key, uint32_t id, void *held);

/* True if the key was there. Must not be one with something held. */
bool pt_function_table_remove(struct pt_function_table *table, const void *key);

/* Empties the table while nobody looks anything up, and only then hands what was held to `release`. */
void pt_function_table_clear(struct pt_function_table *table, void (*release)(void *held));

/* The same without a call of memory management or of anybody: what was held stays so. */
void pt_function_table_forget(struct pt_function_table *table);

/* Entries that there is room for: what the table takes in memory, for tests. */
size_t pt_function_table_capacity(const struct pt_function_table *table);

/* Around a fork, in both processes: so that the child does not find a change half done, or the mutex taken. */
void pt_function_table_lock(struct pt_function_table *table);
void pt_function_table_unlock(struct pt_function_table *table);

#endif
