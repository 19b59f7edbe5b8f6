#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "bytes.h"

#define SMALLEST 64

void pt_table_init(struct pt_table *table)
{
    *table = (struct pt_table){0};
    /* Without a random secret a hostile file can make the table slow, and nothing else. */
    if (getrandom(&table->secret, sizeof table->secret, GRND_NONBLOCK) != sizeof table->secret)
        table->secret = (uintptr_t)table * UINT64_C(0x9E3779B97F4A7C15);
    table->secret |= 1;
}

void pt_table_release(struct pt_table *table)
{
    free(table->entries);
    *table = (struct pt_table){0};
}

/* Both halves of the 128-bit product: each bit of the result depends on all bits of the key and of the secret. */
static uint64_t mix(uint64_t key, uint64_t secret)
{
    unsigned __int128 product = (unsigned __int128)(key ^ UINT64_C(0x9E3779B97F4A7C15)) * secret;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t pt_table_key(const struct pt_table *table, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t key = size;
    for (; size >= 8; at += 8, size -= 8)
        key = mix(key ^ pt_bytes_load64(at), table->secret) + table->secret;
    uint8_t tail[8] = {0};
    if (size > 0)
        memcpy(tail, at, size);
    return mix(key ^ pt_bytes_load64(tail), table->secret);
}

struct pt_table_entry *pt_table_find(const struct pt_table *table, uint64_t key, const struct pt_table_entry *previous)
{
    if (table->capacity == 0)
        return NULL;
    size_t mask = table->capacity - 1;
    size_t index = previous ? (size_t)(previous - table->entries) + 1 : (size_t)mix(key, table->secret);
    for (;; index++) {
        struct pt_table_entry *entry = &table->entries[index & mask];
        if (entry->value == 0)
            return NULL;
        if (entry->key == key)
            return entry;
    }
}

static void insert(struct pt_table *table, uint64_t key, uint64_t value)
{
    size_t mask = table->capacity - 1;
    size_t index = (size_t)mix(key, table->secret) & mask;
    while (table->entries[index].value != 0)
        index = (index + 1) & mask;
    table->entries[index] = (struct pt_table_entry){.key = key, .value = value};
    table->count++;
}

static enum pt_status grow(struct pt_table *table, struct pt_memory *memory)
{
    struct pt_table bigger = {.capacity = table->capacity ? 2 * table->capacity : SMALLEST, .secret = table->secret};
    PT_TRY(pt_memory_charge(memory, (bigger.capacity - table->capacity) * sizeof *bigger.entries));
    bigger.entries = calloc(bigger.capacity, sizeof *bigger.entries);
    if (!bigger.entries)
        return PT_NOMEM;
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->entries[i].value != 0)
            insert(&bigger, table->entries[i].key, table->entries[i].value);
    }
    free(table->entries);
    *table = bigger;
    return PT_OK;
}

/* Never more than half full: there is always a free entry, at which pt_table_find ends. */
enum pt_status pt_table_add(struct pt_table *table, struct pt_memory *memory, uint64_t key, uint64_t value)
{
    if (value == 0)
        return PT_MISUSE;
    if (table->count >= table->capacity / 2)
        PT_TRY(grow(table, memory));
    insert(table, key, value);
    return PT_OK;
}
