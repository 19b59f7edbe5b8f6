/* Names: from the journals of processes to NAMES blocks. */
#include "collector_state.h"
#include "journal.h"

#define NAMES_PAYLOAD_AIM (1u << 20) /* bytes after which a NAMES block is closed */

/* Writes the definitions gathered so far; after that, and not before, they may be overwritten. */
static enum pt_status flush_names(struct pt_collector *collector, uint32_t index, uint64_t position, uint32_t next_id)
{
    struct pt_collector_process *process = &collector->processes[index];
    struct pt_arena_process *entry = pt_arena_process(collector->arena, index);
    if (collector->names.count > 0) {
        collector->payload.size = 0;
        PT_TRY(pt_names_builder_finish(&collector->names, process->serial, &collector->payload));
        PT_TRY(collector->sink(collector->context, PT_BLOCK_NAMES, collector->payload.data,
                               (uint32_t)collector->payload.size));
    }
    process->journal_position = position;
    process->next_id = next_id;
    if (collector->settings.live) {
        atomic_store(&entry->consumed, position);
        pt_collector_wake(collector);
    }
    return PT_OK;
}

static enum pt_status read_journal(struct pt_collector *collector, uint32_t index)
{
    struct pt_collector_process *process = &collector->processes[index];
    struct pt_arena_process *entry = pt_arena_process(collector->arena, index);
    const uint8_t *journal = pt_arena_journal(collector->arena, index);
    const uint64_t journal_size = collector->arena->shape.journal_size;
    /* Acquire: the definitions up to there are complete. */
    const uint64_t produced = atomic_load_explicit(&entry->produced, memory_order_acquire);
    uint64_t position = process->journal_position;
    uint32_t next_id = process->next_id;

    if (position == produced)
        return PT_OK;
    pt_names_builder_release(&collector->names);
    while (!process->journal_corrupt && position != produced) {
        struct pt_name name;
        uint32_t id;
        if (pt_journal_read(journal, journal_size, &position, produced, collector->scratch, &id, &name) != PT_OK ||
            id == 0 || id > PT_ID_MAX) {
            process->journal_corrupt = true;
            break;
        }
        if (id != next_id && collector->settings.live) {
            process->journal_corrupt = true;
            break;
        }
        if (id < next_id)
            continue;     /* in the file already: the drain died between the block and moving `consumed` */
        if (id > next_id) /* salvage, and the file lost some */
            PT_TRY(flush_names(collector, index, process->journal_position, id));
        PT_TRY(pt_names_builder_add(&collector->names, id, &name));
        next_id = id + 1;
        if (collector->names.items.size >= NAMES_PAYLOAD_AIM)
            PT_TRY(flush_names(collector, index, position, next_id));
    }
    return flush_names(collector, index, produced, next_id);
}

enum pt_status pt_collector_names_read(struct pt_collector *collector, uint32_t index)
{
    for (unsigned step = 0; step < PT_NAMES_CHAIN_MAX; step++) {
        const struct pt_collector_process *process = &collector->processes[index];
        if (!process->returned)
            PT_TRY(read_journal(collector, index));
        if (process->parent >= collector->arena->shape.process_count ||
            !pt_collector_process_is_seen(collector, process->parent, process->parent_generation))
            break;
        index = process->parent;
    }
    return PT_OK;
}
