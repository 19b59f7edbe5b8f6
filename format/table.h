/* A hash table from 64-bit keys to values other than 0, as many a key as one likes. It only grows. The keys may come
 * from a hostile file: where they land depends on a secret that is drawn anew for each table. */
#ifndef PT_TABLE_H
#define PT_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "memory.h"
#include "status.h"

struct pt_table_entry {
    uint64_t key;
    uint64_t value; /* 0: free */
};

struct pt_table {
    struct pt_table_entry *entries;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
    uint64_t secret;
};

void pt_table_init(struct pt_table *table);
void pt_table_release(struct pt_table *table);

/* The entry with `key` that follows `previous` (NULL: the first), or NULL. Entries move with pt_table_add. */
struct pt_table_entry *pt_table_find(const struct pt_table *table, uint64_t key, const struct pt_table_entry *previous);

/* Adds an entry, beside those that have the same key. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_table_add(struct pt_table *table, struct pt_memory *memory, uint64_t key, uint64_t value);

/* A key for bytes, by the table's secret. Different bytes may have the same key. */
uint64_t pt_table_key(const struct pt_table *table, const void *bytes, size_t size);

#endif
