#include "collector.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector_state.h"

#define BIRTH_PATIENCE_PS UINT64_C(10000000000000) /* 10 s */

enum pt_status pt_collector_new(struct pt_collector **out, const struct pt_arena *arena,
                                const struct pt_collector_settings *settings, pt_collector_sink *sink, void *context)
{
    struct pt_collector *collector = calloc(1, sizeof *collector);
    if (!collector)
        return PT_NOMEM;
    const uint64_t tick_ps = pt_arena_control(arena)->tick_ps;
    collector->arena = arena;
    collector->settings = *settings;
    collector->sink = sink;
    collector->context = context;
    collector->process_count = arena->shape.process_count;
    collector->slot_count = arena->shape.slot_count;
    collector->next_process = 1;
    collector->next_thread = 1;
    collector->patience_ticks = BIRTH_PATIENCE_PS / (tick_ps ? tick_ps : 1000);
    collector->processes = calloc(arena->shape.process_count, sizeof *collector->processes);
    collector->uses = calloc(arena->shape.slot_count, sizeof *collector->uses);
    enum pt_status status = PT_NOMEM;
    if (collector->processes && collector->uses)
        status = pt_chunk_encoder_new(&collector->encoder, settings->zstd_level);
    if (status != PT_OK) {
        pt_collector_free(collector);
        return status;
    }
    *out = collector;
    return PT_OK;
}

void pt_collector_free(struct pt_collector *collector)
{
    if (!collector)
        return;
    for (uint32_t i = 0; collector->uses && i < collector->arena->shape.slot_count; i++)
        pt_stack_release(&collector->uses[i].source.stack);
    free(collector->uses);
    free(collector->processes);
    pt_chunk_encoder_free(collector->encoder);
    pt_buffer_release(&collector->payload);
    pt_buffer_release(&collector->chunk);
    pt_names_builder_release(&collector->names);
    free(collector);
}

void pt_collector_set_reserved(struct pt_collector *collector, uint32_t processes, uint32_t slots)
{
    collector->process_count = processes;
    collector->slot_count = slots;
}

void pt_collector_wake(const struct pt_collector *collector)
{
    struct pt_arena_control *control = pt_arena_control(collector->arena);
    /* Sequentially consistent, like the store of the position before it and the waiter's raise of `waiters` before it
     * looks at the position: one of the two sees the other. */
    if (!collector->settings.live || atomic_load(&control->waiters) == 0)
        return;
    atomic_fetch_add(&control->progress, 1);
    syscall(SYS_futex, &control->progress, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

enum pt_status pt_collector_turn(struct pt_collector *collector, enum pt_collector_depth depth, uint64_t now_tick)
{
    PT_TRY(pt_collector_chunk_deliver(collector));
    PT_TRY(pt_collector_processes_see(collector, now_tick));
    for (uint32_t i = 0; i < collector->slot_count; i++)
        PT_TRY(pt_collector_slot_read(collector, i, depth));
    /* Ends come after everything was read: what nobody dated ended no earlier than the last thing known. */
    for (uint32_t i = 0; i < collector->slot_count; i++)
        PT_TRY(pt_collector_slot_end(collector, i, now_tick));
    return pt_collector_processes_end(collector, now_tick);
}

enum pt_status pt_collector_finish(struct pt_collector *collector, uint64_t end_tick, const char *ended)
{
    PT_TRY(pt_collector_turn(collector, PT_COLLECT_ALL, end_tick));
    for (uint32_t i = 0; i < collector->slot_count; i++)
        PT_TRY(pt_collector_use_close(collector, i, end_tick));
    for (uint32_t i = 0; i < collector->process_count; i++)
        PT_TRY(pt_collector_process_end(collector, i, end_tick, ended));
    return PT_OK;
}

void pt_collector_totals(const struct pt_collector *collector, struct pt_collector_totals *totals)
{
    const struct pt_arena_control *control = pt_arena_control(collector->arena);
    *totals = collector->totals;
    for (uint32_t i = 0; i < collector->slot_count; i++) {
        const struct pt_collector_use *use = &collector->uses[i];
        if (use->serial != 0 && !use->finished)
            pt_collector_use_count(collector, use, i, totals);
    }
    const uint64_t unslotted = atomic_load_explicit(&control->unslotted_events, memory_order_relaxed);
    totals->lost += unslotted;
    totals->untold += unslotted;
    totals->latest_tick =
        collector->latest_end > collector->latest_tick ? collector->latest_end : collector->latest_tick;
    for (uint32_t i = 0; i < collector->process_count; i++)
        totals->live_processes += collector->processes[i].serial != 0 && !collector->processes[i].ended;
}

/* --- Salvage ------------------------------------------------------------------------------------------------------ */

enum pt_status pt_collector_know_process(struct pt_collector *collector, const struct pt_process *process,
                                         uint32_t next_id)
{
    if (process->serial >= collector->next_process)
        collector->next_process = process->serial + 1;
    if (process->entry >= collector->arena->shape.process_count)
        return PT_OK;
    const uint32_t index = (uint32_t)process->entry;
    const struct pt_arena_process *entry = pt_arena_process(collector->arena, index);
    const uint32_t generation = atomic_load_explicit(&entry->generation, memory_order_relaxed);
    if (process->generation != generation)
        return PT_OK; /* an earlier use of that entry: it was all read before it was given back */
    collector->processes[index] = (struct pt_collector_process){
        .serial = process->serial,
        .generation = generation,
        .parent = entry->parent,
        .parent_generation = entry->parent_generation,
        .next_id = next_id ? next_id : (uint32_t)process->inherited + 1,
        .journal_position = atomic_load_explicit(&entry->consumed, memory_order_relaxed),
        .parent_serial = process->parent,
        .pid = process->pid,
        .inherited = process->inherited,
        .start_tick = process->start_tick,
        .ended = process->end_tick != PT_META_ABSENT,
    };
    return PT_OK;
}

enum pt_status pt_collector_know_thread(struct pt_collector *collector, const struct pt_thread *thread,
                                        struct pt_chunk_source *source)
{
    if (thread->serial >= collector->next_thread)
        collector->next_thread = thread->serial + 1;
    if (source->last_tick > collector->latest_tick)
        collector->latest_tick = source->last_tick;
    const uint32_t index = (uint32_t)thread->slot;
    if (thread->slot >= collector->arena->shape.slot_count || collector->uses[index].serial != 0 ||
        thread->generation != atomic_load(&pt_arena_slot(collector->arena, index)->generation)) {
        pt_stack_release(&source->stack);
        return PT_OK;
    }
    const struct pt_arena_slot *slot = pt_arena_slot(collector->arena, index);
    struct pt_collector_use *use = &collector->uses[index];
    /* If the file has damage there may be a gap: what lies before `consumed` is overwritten by now. */
    const uint64_t consumed = atomic_load(&slot->consumed);
    if (source->position < consumed)
        source->position = consumed;
    if (source->position > 0 && !source->based) {
        source->based = true;
        source->base_tick = thread->start_tick;
        source->last_tick = thread->start_tick;
    }
    *use = (struct pt_collector_use){
        .serial = thread->serial,
        .generation = (uint32_t)thread->generation,
        .process = atomic_load(&slot->process),
        .process_generation = atomic_load(&slot->process_generation),
        .process_serial = thread->process,
        .native_id = thread->native_id,
        .start_tick = thread->start_tick,
        .source = *source,
        .finished = thread->end_tick != PT_META_ABSENT,
    };
    for (size_t i = 0; thread->name && thread->name[i] && i + 1 < sizeof use->name; i++)
        use->name[i] = thread->name[i];
    *source = (struct pt_chunk_source){0};
    if (use->finished)
        pt_collector_use_count(collector, use, index, &collector->totals);
    return PT_OK;
}
