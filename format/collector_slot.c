/* Slots: threads, and the chunks of what they recorded. */
#include <string.h>

#include "collector_state.h"

#define TURNS_UNKNOWN_MAX 3 /* turns in which a dead thread's process may yet appear */

static bool is_used(uint32_t state)
{
    return state == PT_SLOT_OWNED || state == PT_SLOT_RELEASED;
}

/* --- Threads ------------------------------------------------------------------------------------------------------ */

static enum pt_status write_thread(struct pt_collector *collector, const struct pt_collector_use *use, uint32_t index,
                                   uint64_t end_tick)
{
    char name[sizeof use->name];
    memcpy(name, use->name, sizeof name);
    const struct pt_thread meta = {
        .serial = use->serial,
        .process = use->process_serial,
        .slot = index,
        .generation = use->generation,
        .native_id = use->native_id,
        .name = name,
        .start_tick = use->start_tick,
        .end_tick = end_tick,
    };
    collector->payload.size = 0;
    PT_TRY(pt_thread_encode(&meta, &collector->payload));
    return collector->sink(collector->context, PT_BLOCK_THREAD, collector->payload.data,
                           (uint32_t)collector->payload.size);
}

/* Length of the longest valid UTF-8 head of `text`, up to its NUL. */
static size_t utf8_head(const char *text, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t at = 0;
    while (at < size && bytes[at] != 0) {
        const uint8_t first = bytes[at];
        const size_t more = first < 0x80 ? 0 : first < 0xC2 ? size : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
        if (first > 0xF4 || more >= size - at)
            break;
        size_t good = 0;
        while (good < more && (bytes[at + 1 + good] & 0xC0) == 0x80)
            good++;
        if (good < more || (first == 0xE0 && bytes[at + 1] < 0xA0) || (first == 0xED && bytes[at + 1] > 0x9F) ||
            (first == 0xF0 && bytes[at + 1] < 0x90) || (first == 0xF4 && bytes[at + 1] > 0x8F))
            break;
        at += 1 + more;
    }
    return at;
}

/* Takes the thread's name over, if it has changed. Its owner may be writing it at this moment: what is torn now
 * differs again at the next turn. Returns whether there was a change. */
static bool update_name(struct pt_collector_use *use, const struct pt_arena_slot *slot)
{
    char name[sizeof use->name] = "";
    memcpy(name, slot->name, sizeof slot->name);
    const size_t size = utf8_head(name, sizeof slot->name);
    memset(name + size, 0, sizeof name - size);
    if (size == 0 || memcmp(name, use->name, sizeof name) == 0)
        return false;
    memcpy(use->name, name, sizeof name);
    return true;
}

/* Begins to read a use of slot `index`. PT_END if its process is not known yet. */
static enum pt_status begin_use(struct pt_collector *collector, uint32_t index, uint32_t generation)
{
    const struct pt_arena_slot *slot = pt_arena_slot(collector->arena, index);
    const uint32_t process = atomic_load_explicit(&slot->process, memory_order_relaxed);
    const uint32_t process_generation = atomic_load_explicit(&slot->process_generation, memory_order_relaxed);
    if (process >= collector->arena->shape.process_count ||
        !pt_collector_process_is_seen(collector, process, process_generation))
        return PT_END;
    struct pt_collector_use use = {
        .serial = collector->next_thread,
        .generation = generation,
        .process = process,
        .process_generation = process_generation,
        .process_serial = collector->processes[process].serial,
        .native_id = atomic_load_explicit(&slot->native_id, memory_order_relaxed),
        .start_tick = atomic_load_explicit(&slot->start_tick, memory_order_relaxed),
    };
    use.source.thread = (uint32_t)use.serial;
    use.source.slot = index;
    use.source.generation = generation;
    /* Not 0 only in salvage, when the file lost what tells of this thread. */
    use.source.position = atomic_load_explicit(&slot->consumed, memory_order_relaxed);
    if (use.source.position > 0) {
        use.source.based = true;
        use.source.base_tick = use.start_tick;
        use.source.last_tick = use.start_tick;
    }
    update_name(&use, slot);
    PT_TRY(write_thread(collector, &use, index, PT_META_ABSENT));
    pt_stack_release(&collector->uses[index].source.stack);
    collector->uses[index] = use;
    collector->next_thread++;
    return PT_OK;
}

/* --- Chunks ------------------------------------------------------------------------------------------------------- */

static void move_consumed(const struct pt_collector *collector, const struct pt_collector_use *use, uint64_t position)
{
    if (!collector->settings.live)
        return;
    atomic_store(&pt_arena_slot(collector->arena, use->source.slot)->consumed, position);
    pt_collector_wake(collector);
}

enum pt_status pt_collector_chunk_deliver(struct pt_collector *collector)
{
    if (collector->chunk.size == 0)
        return PT_OK;
    PT_TRY(collector->sink(collector->context, PT_BLOCK_CHUNK, collector->chunk.data, (uint32_t)collector->chunk.size));
    collector->chunk.size = 0;
    /* Only now, when the chunk is in the trace, may its records be overwritten. */
    move_consumed(collector, collector->chunk_maker, collector->chunk_maker->source.position);
    return PT_OK;
}

/* Delivers what an encoder made: `status` is what it returned. */
static enum pt_status deliver_made(struct pt_collector *collector, struct pt_collector_use *use, enum pt_status status)
{
    if (status != PT_OK)
        return status;
    collector->chunk_maker = use;
    if (use->source.last_tick > collector->latest_tick)
        collector->latest_tick = use->source.last_tick;
    return pt_collector_chunk_deliver(collector);
}

/* Makes chunks as long as at least `least` words are there. */
static enum pt_status read_ring(struct pt_collector *collector, struct pt_collector_use *use, uint64_t produced,
                                uint64_t least)
{
    const uint64_t words = collector->arena->shape.ring_size / sizeof(uint64_t);
    struct pt_chunk_source *source = &use->source;
    const bool was_corrupt = source->corrupt;
    enum pt_status status = PT_OK;

    if (produced - source->position > words) /* also if it lies before the position */
        source->corrupt = true;
    while (status == PT_OK && !source->corrupt && produced - source->position >= least) {
        const uint64_t events = source->events;
        status = pt_chunk_encode(collector->encoder, source, pt_arena_ring(collector->arena, source->slot), words - 1,
                                 produced, &collector->chunk);
        collector->totals.events += source->events - events;
        status = deliver_made(collector, use, status);
    }
    collector->totals.corrupt_slots += source->corrupt && !was_corrupt;
    if (source->corrupt && collector->chunk.size == 0) {
        /* What cannot be understood shall not make its thread wait for room. */
        source->position = produced;
        move_consumed(collector, use, produced);
        return status == PT_END || status == PT_NOMEM ? PT_OK : status;
    }
    return status == PT_END ? PT_OK : status;
}

enum pt_status pt_collector_slot_read(struct pt_collector *collector, uint32_t index, enum pt_collector_depth depth)
{
    struct pt_arena_slot *slot = pt_arena_slot(collector->arena, index);
    struct pt_collector_use *use = &collector->uses[index];
    /* Acquire: the owner filled the slot before it made itself known by the state. */
    const uint32_t state = atomic_load_explicit(&slot->state, memory_order_acquire);
    const uint32_t generation = atomic_load_explicit(&slot->generation, memory_order_relaxed);
    const bool is_open = use->serial != 0 && use->generation == generation;

    if (!is_used(state) || (is_open && (use->finished || use->gone)))
        return PT_OK;
    /* The owner first, the position second: once the owner is seen dead the position is final. */
    const bool gone = state == PT_SLOT_RELEASED || !pt_arena_owner_alive(&slot->owner);
    const uint64_t produced = atomic_load_explicit(&slot->produced, memory_order_acquire);
    if (!is_open) {
        enum pt_status status = begin_use(collector, index, generation);
        if (status == PT_END && gone && ++use->turns_unknown > TURNS_UNKNOWN_MAX)
            use->gone = true;
        if (status != PT_OK)
            return status == PT_END ? PT_OK : status;
    }
    if (update_name(use, slot))
        PT_TRY(write_thread(collector, use, index, PT_META_ABSENT));
    PT_TRY(pt_collector_names_read(collector, use->process));

    uint64_t least = 1;
    if (depth == PT_COLLECT_FULL_CHUNKS && !gone) {
        const uint64_t half = collector->arena->shape.ring_size / sizeof(uint64_t) / 2;
        least = half < PT_CHUNK_ENTRIES_MAX ? half : PT_CHUNK_ENTRIES_MAX;
    }
    PT_TRY(read_ring(collector, use, produced, least));
    use->gone = gone;
    return PT_OK;
}

/* --- Ends --------------------------------------------------------------------------------------------------------- */

static void give_back(const struct pt_collector *collector, uint32_t index)
{
    struct pt_arena_slot *slot = pt_arena_slot(collector->arena, index);
    struct pt_collector_use *use = &collector->uses[index];
    /* One that has left its slot may hold the mutex a little longer: until it lets go nobody else could take it. The
     * mutex of a dead owner is left as it is, for the next owner to mend: nothing of a mutex is trusted here. */
    if (!collector->settings.live || pt_arena_owner_alive(&slot->owner))
        return;
    pt_stack_release(&use->source.stack);
    *use = (struct pt_collector_use){0};
    atomic_store_explicit(&slot->produced, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->consumed, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->lost, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->stalled_ticks, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->end_tick, 0, memory_order_relaxed);
    memset(slot->name, 0, sizeof slot->name);
    /* Release: who claims the slot finds it empty. */
    atomic_store_explicit(&slot->state, PT_SLOT_FREE, memory_order_release);
    pt_collector_wake(collector);
}

void pt_collector_use_count(const struct pt_collector *collector, const struct pt_collector_use *use, uint32_t index,
                            struct pt_collector_totals *totals)
{
    const struct pt_arena_slot *slot = pt_arena_slot(collector->arena, index);
    const uint64_t lost = atomic_load_explicit(&slot->lost, memory_order_relaxed);
    totals->lost += lost;
    totals->untold += lost > use->source.lost ? lost - use->source.lost : 0;
    totals->stalled_ticks += atomic_load_explicit(&slot->stalled_ticks, memory_order_relaxed);
}

enum pt_status pt_collector_use_close(struct pt_collector *collector, uint32_t index, uint64_t end_tick)
{
    struct pt_collector_use *use = &collector->uses[index];
    enum pt_status status = PT_OK;
    if (use->serial == 0 || use->finished)
        return PT_OK;
    /* Any other clock would add time in which the thread did not run. 0 if nobody could tell: then it is the last tick. */
    if (pt_arena_control(collector->arena)->clock == PT_CLOCK_CPU)
        end_tick = atomic_load_explicit(&pt_arena_slot(collector->arena, index)->end_tick, memory_order_relaxed);
    while (status == PT_OK) {
        status = pt_chunk_encode_close(collector->encoder, &use->source, end_tick, &collector->chunk);
        status = deliver_made(collector, use, status);
    }
    if (status != PT_END)
        return status;
    if (end_tick < use->source.last_tick)
        end_tick = use->source.last_tick;
    /* A thread that was killed before its first event has no last tick. */
    if (end_tick < use->start_tick)
        end_tick = use->start_tick;
    PT_TRY(write_thread(collector, use, index, end_tick));
    use->finished = true;
    if (end_tick > collector->latest_end)
        collector->latest_end = end_tick;
    pt_collector_use_count(collector, use, index, &collector->totals);
    return PT_OK;
}

/* When a thread that is gone left its last frames. */
static uint64_t end_of(const struct pt_collector *collector, uint32_t index, uint64_t now_tick)
{
    const struct pt_arena_slot *slot = pt_arena_slot(collector->arena, index);
    const struct pt_collector_use *use = &collector->uses[index];
    if (atomic_load_explicit(&slot->state, memory_order_acquire) == PT_SLOT_RELEASED)
        return atomic_load_explicit(&slot->end_tick, memory_order_relaxed);
    if (use->source.stack.depth == 0)
        return use->source.last_tick;
    if (collector->processes[use->process].generation == use->process_generation) {
        const struct pt_arena_process *process = pt_arena_process(collector->arena, use->process);
        const uint32_t state = atomic_load_explicit(&process->state, memory_order_acquire);
        if (state == PT_PROCESS_EXITED || state == PT_PROCESS_DETACHED)
            return atomic_load_explicit(&process->end_tick, memory_order_relaxed);
    }
    return now_tick > collector->latest_tick ? now_tick : collector->latest_tick;
}

enum pt_status pt_collector_slot_end(struct pt_collector *collector, uint32_t index, uint64_t now_tick)
{
    const struct pt_collector_use *use = &collector->uses[index];
    if (!use->gone)
        return PT_OK;
    PT_TRY(pt_collector_use_close(collector, index, end_of(collector, index, now_tick)));
    give_back(collector, index);
    return PT_OK;
}
