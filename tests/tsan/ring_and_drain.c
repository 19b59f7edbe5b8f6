/* Producers and the drain's collector on one arena, at full speed: for ThreadSanitizer (preset tsan), and a stress
 * test without it. No Criterion: its forks and ThreadSanitizer do not go together.
 *
 * Each producer thread claims a slot, as a recorded thread does, publishes events and definitions, waits while its
 * ring is full, and ends without a word. The collector must hand over every event, once, in order, each name before
 * its use, and make the slots usable again. */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "chunk.h"
#include "collector.h"
#include "journal.h"
#include "record.h"

enum { SLOTS = 3, PRODUCERS = 8, EVENTS = 30000, FUNCTIONS = 3000, RING_SIZE = PT_ARENA_RING_MIN };

#define REQUIRE(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s is not true\n", __FILE__, __LINE__, #condition);                                \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static struct pt_arena arena;
static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t names_defined;
static _Atomic unsigned producers_left = PRODUCERS;

/* --- The host ----------------------------------------------------------------------------------------------------- */

static void define_up_to(uint32_t id)
{
    const struct pt_name name = {.module = {"module", 6}, .qualname = {"function", 8}, .file = {"file.py", 7}};
    pthread_mutex_lock(&names_lock);
    while (names_defined < id)
        if (pt_journal_append(pt_arena_process(&arena, 0), pt_arena_journal(&arena, 0), arena.shape.journal_size,
                              names_defined + 1, &name))
            names_defined++;
        else
            sched_yield();
    pthread_mutex_unlock(&names_lock);
}

static struct pt_arena_slot *claim(uint32_t *index)
{
    for (;; sched_yield())
        for (*index = 0; *index < SLOTS; ++*index) {
            struct pt_arena_slot *slot = pt_arena_slot(&arena, *index);
            if (atomic_load_explicit(&slot->state, memory_order_acquire) != PT_SLOT_FREE ||
                !pt_arena_owner_try(&slot->owner))
                continue;
            if (atomic_load_explicit(&slot->state, memory_order_acquire) == PT_SLOT_FREE)
                return slot;
            pt_arena_owner_release(&slot->owner);
        }
}

/* Event `i` of any producer: calls of changing functions, each left at once. */
static uint64_t event_word(uint32_t i)
{
    if (i % 2)
        return pt_record_pack(PT_KIND_RETURN, 0, 1000 + i);
    return pt_record_pack(PT_KIND_START, 1 + i / 2 % FUNCTIONS, 1000 + i);
}

static void publish(struct pt_arena_slot *slot, uint64_t *ring, uint64_t *position, uint64_t word)
{
    const uint64_t words = RING_SIZE / sizeof(uint64_t);
    while (*position - atomic_load_explicit(&slot->consumed, memory_order_acquire) == words)
        sched_yield();
    ring[(*position)++ & (words - 1)] = word;
}

static void *produce(void *unused)
{
    uint32_t index;
    uint64_t position = 0;
    (void)unused;
    struct pt_arena_slot *slot = claim(&index);
    uint64_t *ring = pt_arena_ring(&arena, index);
    atomic_fetch_add(&slot->generation, 1);
    atomic_store(&slot->process, 0);
    atomic_store(&slot->process_generation, 1);
    atomic_store_explicit(&slot->state, PT_SLOT_OWNED, memory_order_release);
    publish(slot, ring, &position, pt_record_pack_control(PT_CONTROL_REBASE, 1, 1000));
    publish(slot, ring, &position, 1000);
    atomic_store_explicit(&slot->produced, position, memory_order_release);
    for (uint32_t i = 0; i < EVENTS; i++) {
        const uint64_t word = event_word(i);
        define_up_to(pt_record_id(word));
        publish(slot, ring, &position, word);
        atomic_store_explicit(&slot->produced, position, memory_order_release);
    }
    atomic_fetch_sub(&producers_left, 1);
    return NULL; /* the slot's mutex still held: the kernel marks it */
}

/* --- The drain ---------------------------------------------------------------------------------------------------- */

static struct {
    struct pt_chunk chunk;
    uint32_t next_name;
    uint32_t next_event[PRODUCERS + 1]; /* by serial of the thread */
    uint64_t next_position[PRODUCERS + 1];
} reader = {.next_name = 1};

static enum pt_status take_name(void *context, uint64_t process, uint32_t id, const struct pt_name *name)
{
    (void)context;
    REQUIRE(process == 1 && id == reader.next_name && name->qualname.size == 8);
    reader.next_name++;
    return PT_OK;
}

static void take_chunk(const uint8_t *payload, uint32_t size)
{
    struct pt_chunk_cursor cursor;
    struct pt_chunk_entry entry;
    REQUIRE(pt_chunk_decode(&reader.chunk, payload, size) == PT_OK);
    const struct pt_chunk_info *info = &reader.chunk.info;
    REQUIRE(info->thread >= 1 && info->thread <= PRODUCERS);
    REQUIRE(info->first_position == reader.next_position[info->thread]);
    reader.next_position[info->thread] += info->words;
    pt_chunk_cursor_init(&cursor, &reader.chunk);
    while (pt_chunk_cursor_next(&cursor, &entry)) {
        const uint64_t word = event_word(reader.next_event[info->thread]++);
        REQUIRE(pt_record_pack((enum pt_kind)entry.kind, entry.id, entry.tick) == word);
        REQUIRE(entry.id < reader.next_name);
    }
}

static enum pt_status take(void *context, enum pt_block_type type, const uint8_t *payload, uint32_t size)
{
    (void)context;
    if (type == PT_BLOCK_NAMES)
        REQUIRE(pt_names_decode(payload, size, take_name, NULL) == PT_OK);
    if (type == PT_BLOCK_CHUNK)
        take_chunk(payload, size);
    return PT_OK;
}

/* --- The arena ---------------------------------------------------------------------------------------------------- */

static void make_arena(void)
{
    arena.shape = (struct pt_arena_shape){
        .process_count = 1, .slot_count = SLOTS, .journal_size = PT_ARENA_JOURNAL_MIN, .ring_size = RING_SIZE};
    REQUIRE(pt_arena_shape_plan(&arena.shape) == PT_OK);
    arena.base = aligned_alloc(PT_ARENA_CONTROL_SIZE, arena.shape.file_size);
    REQUIRE(arena.base);
    memset(arena.base, 0, arena.shape.file_size);
    for (uint32_t i = 0; i < SLOTS; i++) {
        REQUIRE(pt_arena_owner_init(&pt_arena_slot(&arena, i)->owner) == PT_OK);
        atomic_store(&pt_arena_slot(&arena, i)->state, PT_SLOT_FREE);
    }
    struct pt_arena_process *process = pt_arena_process(&arena, 0);
    REQUIRE(pt_arena_owner_init(&process->owner) == PT_OK);
    REQUIRE(pt_arena_owner_try(&process->owner));
    process->parent = PT_ARENA_NO_PROCESS;
    atomic_store(&process->generation, 1);
    atomic_store_explicit(&process->state, PT_PROCESS_LIVE, memory_order_release);
}

int main(void)
{
    const struct pt_collector_settings settings = {.live = true, .zstd_level = 1};
    struct pt_collector *collector;
    pthread_t threads[PRODUCERS];
    struct pt_collector_totals totals;

    make_arena();
    REQUIRE(pt_collector_new(&collector, &arena, &settings, take, NULL) == PT_OK);
    for (unsigned i = 0; i < PRODUCERS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, produce, NULL) == 0);
    for (unsigned turn = 0; atomic_load(&producers_left) > 0; turn++) {
        REQUIRE(pt_collector_turn(collector, turn % 8 ? PT_COLLECT_FULL_CHUNKS : PT_COLLECT_ALL, 0) == PT_OK);
        sched_yield();
    }
    for (unsigned i = 0; i < PRODUCERS; i++)
        REQUIRE(pthread_join(threads[i], NULL) == 0);
    REQUIRE(pt_collector_finish(collector, 0, "stopped") == PT_OK);

    pt_collector_totals(collector, &totals);
    REQUIRE(totals.events == (uint64_t)PRODUCERS * EVENTS);
    REQUIRE(totals.lost == 0 && totals.corrupt_slots == 0);
    REQUIRE(reader.next_name == FUNCTIONS + 1);
    for (unsigned i = 1; i <= PRODUCERS; i++)
        REQUIRE(reader.next_event[i] == EVENTS);
    printf("%u threads, %u slots: %lu events, every one in its place\n", PRODUCERS, SLOTS,
           (unsigned long)totals.events);

    pt_collector_free(collector);
    pt_chunk_release(&reader.chunk);
    pt_arena_owner_release(&pt_arena_process(&arena, 0)->owner);
    free(arena.base);
    return 0;
}
