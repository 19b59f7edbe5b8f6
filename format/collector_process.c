/* Processes: first sight, and end. */
#include <string.h>

#include "collector_state.h"

static bool is_present(uint32_t state)
{
    return state == PT_PROCESS_LIVE || state == PT_PROCESS_EXITED || state == PT_PROCESS_DETACHED;
}

/* Not const only because records hold texts of their own. */
static char hook_replaced[] = "a thread's profile function was replaced by the program: calls after that are missing";
static char late_threads[] = "threads made by C code are found late on this version: their first calls are missing";

static char trace_taken[] =
    "a thread's trace function was replaced by the program: lines, instructions and exceptions after that are missing";

static char greenlets_missed[] =
    "greenlet's trace function was replaced by the program: for a while, calls may stand under the wrong callers";

static size_t collect_notes(uint32_t bits, char *notes[4])
{
    size_t count = 0;
    if (bits & PT_PROCESS_NOTE_HOOK_REPLACED)
        notes[count++] = hook_replaced;
    if (bits & PT_PROCESS_NOTE_LATE_THREADS)
        notes[count++] = late_threads;
    if (bits & PT_PROCESS_NOTE_TRACE_TAKEN)
        notes[count++] = trace_taken;
    if (bits & PT_PROCESS_NOTE_GREENLETS_MISSED)
        notes[count++] = greenlets_missed;
    return count;
}

static char *origin_text(uint32_t origin)
{
    static char started[] = "start", forked[] = "fork", execed[] = "exec";
    switch (origin) {
    case PT_PROCESS_STARTED:
        return started;
    case PT_PROCESS_FORKED:
        return forked;
    case PT_PROCESS_EXECED:
        return execed;
    default: /* nonsense */
        return NULL;
    }
}

static enum pt_status write_process(struct pt_collector *collector, const struct pt_collector_process *process,
                                    uint32_t index, uint64_t end_tick, const char *ended)
{
    char text[16] = "";
    strncpy(text, ended, sizeof text - 1);
    char *notes[4];
    const struct pt_arena_process *entry = pt_arena_process(collector->arena, index);
    const uint32_t bits = atomic_load_explicit(&entry->notes, memory_order_relaxed);
    char program[sizeof entry->program + 1] = "";
    if (process->origin == PT_PROCESS_EXECED)
        memcpy(program, entry->program, sizeof entry->program);
    const struct pt_process meta = {
        .serial = process->serial,
        .parent = process->parent_serial,
        .pid = process->pid,
        .entry = index,
        .generation = process->generation,
        .inherited = process->inherited,
        .start_tick = process->start_tick,
        .end_tick = end_tick,
        .ended = text,
        .origin = origin_text(process->origin),
        .program = program,
        .notes = notes,
        .note_count = collect_notes(bits, notes),
    };
    collector->payload.size = 0;
    PT_TRY(pt_process_encode(&meta, &collector->payload));
    return collector->sink(collector->context, PT_BLOCK_PROCESS, collector->payload.data,
                           (uint32_t)collector->payload.size);
}

/* --- First sight -------------------------------------------------------------------------------------------------- */

/* One process fewer. The recording may be closed already, and must stay so. */
static void leave(const struct pt_collector *collector)
{
    _Atomic uint32_t *live = &pt_arena_control(collector->arena)->live;
    uint32_t count = atomic_load(live);
    while (collector->settings.live && (count & ~PT_ARENA_CLOSED) != 0)
        if (atomic_compare_exchange_weak(live, &count, count - 1))
            break;
}

/* A child that its parent announced, but that never came: its fork failed, or it died before it could say anything. */
static void forget(struct pt_collector *collector, struct pt_arena_process *entry)
{
    uint32_t born = PT_PROCESS_BORN;
    /* Against a child that comes after all: either it or the drain changes the state. */
    if (collector->settings.live && !pt_arena_owner_alive(&entry->owner) &&
        atomic_compare_exchange_strong(&entry->state, &born, PT_PROCESS_FREE))
        leave(collector);
}

static void forget_if_late(struct pt_collector *collector, struct pt_arena_process *entry, uint64_t now_tick)
{
    const uint64_t reserved = atomic_load_explicit(&entry->start_tick, memory_order_relaxed);
    if (now_tick >= reserved && now_tick - reserved >= collector->patience_ticks)
        forget(collector, entry);
}

void pt_collector_forget_unborn(struct pt_collector *collector, uint64_t before_tick)
{
    for (uint32_t i = 0; i < collector->process_count; i++) {
        struct pt_arena_process *entry = pt_arena_process(collector->arena, i);
        if (atomic_load_explicit(&entry->start_tick, memory_order_relaxed) < before_tick)
            forget(collector, entry);
    }
}

static enum pt_status see_process(struct pt_collector *collector, uint32_t index, uint32_t generation)
{
    const struct pt_arena_process *entry = pt_arena_process(collector->arena, index);
    struct pt_collector_process process = {
        .serial = collector->next_process,
        .generation = generation,
        .parent = entry->parent,
        .parent_generation = entry->parent_generation,
        .pid = atomic_load_explicit(&entry->pid, memory_order_relaxed),
        .inherited = entry->inherited & PT_ID_MAX,
        .origin = entry->origin,
        .start_tick = atomic_load_explicit(&entry->start_tick, memory_order_relaxed),
        .journal_position = atomic_load_explicit(&entry->consumed, memory_order_relaxed),
    };
    if (process.parent < collector->arena->shape.process_count &&
        pt_collector_process_is_seen(collector, process.parent, process.parent_generation))
        process.parent_serial = collector->processes[process.parent].serial;
    else
        process.parent = PT_ARENA_NO_PROCESS;
    process.next_id = (uint32_t)process.inherited + 1;
    PT_TRY(write_process(collector, &process, index, PT_META_ABSENT, ""));
    collector->processes[index] = process;
    collector->next_process++;
    return PT_OK;
}

/* Writes each present process that was not seen yet and whose parent, if it can be, was. `*waiting` counts those that
 * wait for a parent; `patient` false takes them too. */
static enum pt_status see_round(struct pt_collector *collector, bool patient, uint32_t *seen, uint32_t *waiting)
{
    *seen = 0;
    *waiting = 0;
    for (uint32_t i = 0; i < collector->process_count; i++) {
        const struct pt_arena_process *entry = pt_arena_process(collector->arena, i);
        /* Acquire: the owner filled the entry before it made itself known by the state. */
        if (!is_present(atomic_load_explicit(&entry->state, memory_order_acquire)))
            continue;
        const uint32_t generation = atomic_load_explicit(&entry->generation, memory_order_relaxed);
        if (pt_collector_process_is_seen(collector, i, generation))
            continue;
        const uint32_t parent = entry->parent;
        if (patient && parent < collector->process_count && parent != i) {
            const struct pt_arena_process *other = pt_arena_process(collector->arena, parent);
            if (is_present(atomic_load_explicit(&other->state, memory_order_acquire)) &&
                atomic_load_explicit(&other->generation, memory_order_relaxed) == entry->parent_generation &&
                !pt_collector_process_is_seen(collector, parent, entry->parent_generation)) {
                ++*waiting;
                continue;
            }
        }
        PT_TRY(see_process(collector, i, generation));
        ++*seen;
    }
    return PT_OK;
}

enum pt_status pt_collector_processes_see(struct pt_collector *collector, uint64_t now_tick)
{
    for (uint32_t i = 0; i < collector->process_count; i++) {
        struct pt_arena_process *entry = pt_arena_process(collector->arena, i);
        if (atomic_load_explicit(&entry->state, memory_order_acquire) == PT_PROCESS_BORN)
            forget_if_late(collector, entry, now_tick);
        collector->processes[i].owner_dead =
            collector->settings.live ? pt_arena_process_gone(entry) : !pt_arena_owner_alive(&entry->owner);
    }
    /* A child may lie before its parent in the table. Parents that wait for each other in a circle are nonsense, and
     * get serials in any order. */
    uint32_t seen;
    uint32_t waiting;
    do
        PT_TRY(see_round(collector, true, &seen, &waiting));
    while (waiting > 0 && seen > 0);
    if (waiting > 0)
        PT_TRY(see_round(collector, false, &seen, &waiting));
    return PT_OK;
}

/* --- Ends --------------------------------------------------------------------------------------------------------- */

enum pt_status pt_collector_process_end(struct pt_collector *collector, uint32_t index, uint64_t end_tick,
                                        const char *ended)
{
    struct pt_collector_process *process = &collector->processes[index];
    if (process->serial == 0 || process->ended)
        return PT_OK;
    if (end_tick < process->start_tick)
        end_tick = process->start_tick;
    PT_TRY(pt_collector_names_read(collector, index));
    PT_TRY(write_process(collector, process, index, end_tick, ended));
    process->ended = true;
    if (end_tick > collector->latest_end)
        collector->latest_end = end_tick;
    if (process->serial == 1)
        collector->totals.first_ended = ended;
    leave(collector);
    return PT_OK;
}

/* How a process whose state is `state` ended, NULL if it has not. */
static const char *how_ended(const struct pt_collector *collector, uint32_t index, uint32_t state)
{
    const struct pt_collector_process *process = &collector->processes[index];
    if (state == PT_PROCESS_EXITED)
        return "exited";
    if (state == PT_PROCESS_DETACHED) {
        switch (atomic_load(&pt_arena_control(collector->arena)->stop)) {
        case PT_ARENA_RUNNING:
            return "detached";
        case PT_ARENA_LIMIT:
            return "limit";
        default:
            return "stopped";
        }
    }
    return process->owner_dead && process->open_uses == 0 ? "killed" : NULL;
}

/* A child that was announced and not yet seen keeps its parent's entry: its serial is found through it. */
static bool has_unseen_child(const struct pt_collector *collector, uint32_t index, uint32_t generation)
{
    for (uint32_t i = 0; i < collector->process_count; i++) {
        const struct pt_arena_process *entry = pt_arena_process(collector->arena, i);
        const uint32_t state = atomic_load_explicit(&entry->state, memory_order_acquire);
        if ((state == PT_PROCESS_BORN ||
             (is_present(state) && !pt_collector_process_is_seen(collector, i, atomic_load(&entry->generation)))) &&
            entry->parent == index && entry->parent_generation == generation)
            return true;
    }
    return false;
}

static void give_back(struct pt_collector *collector, uint32_t index)
{
    struct pt_arena_process *entry = pt_arena_process(collector->arena, index);
    struct pt_collector_process *process = &collector->processes[index];
    if (!collector->settings.live || !process->ended || process->returned || process->open_uses > 0 ||
        pt_arena_owner_alive(&entry->owner) || has_unseen_child(collector, index, process->generation))
        return;
    process->returned = true;
    atomic_store_explicit(&entry->produced, 0, memory_order_relaxed);
    atomic_store_explicit(&entry->consumed, 0, memory_order_relaxed);
    /* Release: who reserves the entry finds it empty. The pid stays: it may have executed a program, which looks for it.
     */
    atomic_store_explicit(&entry->state, PT_PROCESS_FREE, memory_order_release);
}

enum pt_status pt_collector_processes_end(struct pt_collector *collector, uint64_t now_tick)
{
    for (uint32_t i = 0; i < collector->process_count; i++)
        collector->processes[i].open_uses = 0;
    for (uint32_t i = 0; i < collector->slot_count; i++) {
        const struct pt_collector_use *use = &collector->uses[i];
        if (use->serial != 0 && !use->finished &&
            pt_collector_process_is_seen(collector, use->process, use->process_generation))
            collector->processes[use->process].open_uses++;
    }
    for (uint32_t i = 0; i < collector->process_count; i++) {
        struct pt_collector_process *process = &collector->processes[i];
        if (process->serial == 0 || process->returned)
            continue;
        const struct pt_arena_process *entry = pt_arena_process(collector->arena, i);
        const uint32_t state = atomic_load_explicit(&entry->state, memory_order_acquire);
        const char *ended = how_ended(collector, i, state);
        uint64_t end_tick = atomic_load_explicit(&entry->end_tick, memory_order_relaxed);
        if (state == PT_PROCESS_LIVE || end_tick == 0)
            end_tick = now_tick > collector->latest_tick ? now_tick : collector->latest_tick;
        if (ended)
            PT_TRY(pt_collector_process_end(collector, i, end_tick, ended));
        give_back(collector, i);
    }
    return PT_OK;
}
