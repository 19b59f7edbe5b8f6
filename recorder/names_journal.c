#include <Python.h>

#include "names_journal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "host_wait.h"
#include "journal.h"
#include "session.h"

/* What was described, as 128 bits of hash: two functions that are taken for one are less likely than a broken memory
 * cell. */
struct described {
    uint64_t digest[2];
    uint32_t id; /* 0: empty */
};

/* Over the table and the writing end of the journal. Held for moments only: not while the drain is waited for. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* Open addressing, at most half full. Private to the process: a fork takes it along, with the ids in it. */
static struct {
    struct described *entries;
    size_t capacity; /* a power of two, or 0 */
    size_t used;
    uint32_t count; /* ids given */
} table;

uint32_t pt_names_journal_count(void)
{
    return table.count;
}

void pt_names_journal_reset(void)
{
    if (table.capacity > 0)
        memset(table.entries, 0, table.capacity * sizeof *table.entries);
    table.used = 0;
    table.count = 0;
}

static void digest_name(const struct pt_name *name, uint64_t result[2])
{
    for (int i = 0; i < 2; i++) {
        struct pt_digest digest = {(uint64_t)i + 1};
        pt_digest_add(&digest, name->kind);
        pt_digest_add(&digest, name->line);
        pt_digest_add(&digest, name->hash);
        pt_digest_add_bytes(&digest, name->module.data, name->module.size);
        pt_digest_add_bytes(&digest, name->qualname.data, name->qualname.size);
        pt_digest_add_bytes(&digest, name->file.data, name->file.size);
        pt_digest_add_bytes(&digest, name->label.data, name->label.size);
        result[i] = digest.value;
    }
}

/* The entry with this digest, or the empty one where it belongs. The table is not full. */
static struct described *find(struct described *entries, size_t capacity, const uint64_t digest[2])
{
    size_t index = (size_t)digest[0] & (capacity - 1);
    while (entries[index].id != 0 && (entries[index].digest[0] != digest[0] || entries[index].digest[1] != digest[1]))
        index = (index + 1) & (capacity - 1);
    return &entries[index];
}

static bool grow(void)
{
    size_t capacity = table.capacity ? table.capacity * 2 : 1024;
    struct described *entries = calloc(capacity, sizeof *entries);
    if (!entries)
        return false;
    for (size_t i = 0; i < table.capacity; i++)
        if (table.entries[i].id != 0)
            *find(entries, capacity, table.entries[i].digest) = table.entries[i];
    free(table.entries);
    table.entries = entries;
    table.capacity = capacity;
    return true;
}

/* --- Publishing -------------------------------------------------------------------------------------------------- */

struct definition {
    const struct pt_name *name;
    uint64_t digest[2];
    uint32_t id; /* the answer, PT_ID_UNKNOWN at first */
};

static bool append(const struct pt_name *name, uint32_t id)
{
    return pt_journal_append(pt_session->process, pt_arena_journal(&pt_session->arena, pt_session->process_index),
                             pt_session->arena.shape.journal_size, id, name);
}

static bool define_locked(struct definition *definition)
{
    struct described *entry = table.capacity > 0 ? find(table.entries, table.capacity, definition->digest) : NULL;
    if (entry && entry->id != 0) {
        definition->id = entry->id;
        return true;
    }
    if (table.count == PT_ID_MAX)
        return true; /* and none is left */
    /* Without memory for the entry the function still gets an id; described again, it gets another one. */
    bool room = table.used < table.capacity / 2 || grow() || table.used + 1 < table.capacity;
    if (!append(definition->name, table.count + 1))
        return false;
    /* Only now: an id in the table may be used in a record, and its definition must be published before. */
    definition->id = ++table.count;
    if (room) {
        entry = find(table.entries, table.capacity, definition->digest);
        *entry = (struct described){{definition->digest[0], definition->digest[1]}, definition->id};
        table.used++;
    }
    return true;
}

/* False if there is no room: to be called again, which may then find that another thread has defined the same. */
static bool define(void *context)
{
    pthread_mutex_lock(&mutex);
    bool defined = define_locked(context);
    pthread_mutex_unlock(&mutex);
    return defined;
}

uint32_t pt_names_journal_id(const struct pt_name *name)
{
    struct definition definition = {.name = name, .id = PT_ID_UNKNOWN};
    digest_name(name, definition.digest);
    uint64_t waited_ns = 0;
    if (!define(&definition) && !pt_host_wait_until(define, &definition, &waited_ns)) {
        if (waited_ns > 0)
            pt_host_wait_degrade();
        return PT_ID_UNKNOWN;
    }
    const struct pt_arena_process *process = pt_session->process;
    uint64_t unread = atomic_load_explicit(&process->produced, memory_order_relaxed) -
                      atomic_load_explicit(&process->consumed, memory_order_relaxed);
    if (unread > pt_session->arena.shape.journal_size / 2)
        pt_host_wait_wake();
    return definition.id;
}

void pt_names_journal_lock(void)
{
    pthread_mutex_lock(&mutex);
}

void pt_names_journal_unlock(void)
{
    pthread_mutex_unlock(&mutex);
}
