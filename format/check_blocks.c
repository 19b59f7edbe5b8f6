/* The strict check of what stands around the chunks: the order of the blocks, INDEX and END, and the metadata. */
#include "bytes.h"
#include "check_private.h"
#include "meta_fields.h"
#include "trace_private.h"

/* --- Definitions ---------------------------------------------------------------------------------------------- */

static uint64_t id_key(uint64_t process, uint32_t id)
{
    return process << PT_ID_BITS | id;
}

bool pt_check_definition(const struct pt_check *check, uint64_t process, uint32_t id, uint64_t *offset)
{
    const struct pt_trace *trace = check->trace;
    for (unsigned step = 0; process > 0 && step < PT_NAMES_CHAIN_MAX; step++) {
        const struct pt_process *meta = process <= trace->process_count ? &trace->processes[process - 1] : NULL;
        if (!meta || id > meta->inherited) {
            const struct pt_table_entry *entry = pt_table_find(&check->definitions, id_key(process, id), NULL);
            if (!entry)
                return false;
            *offset = entry->value - 1;
            return true;
        }
        if (meta->parent >= process)
            return false;
        process = meta->parent;
    }
    return false;
}

struct definitions_at {
    struct pt_check *check;
    uint64_t offset;
};

static enum pt_status add_definition(void *context, uint64_t process, uint32_t id, const struct pt_name *name)
{
    (void)name;
    const struct definitions_at *at = context;
    struct pt_check *check = at->check;
    if (pt_table_find(&check->definitions, id_key(process, id), NULL)) {
        pt_check_note(check, at->offset, "id %u of process %llu is defined twice", id, (unsigned long long)process);
        return PT_OK;
    }
    if (process <= check->trace->process_count && id <= check->trace->processes[process - 1].inherited)
        pt_check_note(check, at->offset, "id %u of process %llu is defined, and inherited", id,
                      (unsigned long long)process);
    return pt_table_add(&check->definitions, &check->memory, id_key(process, id), at->offset + 1);
}

/* --- One block after the other -------------------------------------------------------------------------------- */

/* A reader makes do without a key; a writer must not leave it out. `map` are the `size` bytes of a record that was decoded before. */
static enum pt_status check_keys(struct pt_check *check, uint64_t offset, const struct pt_schema *schema,
                                 const uint8_t *map, size_t size)
{
    union {
        struct pt_header header;
        struct pt_end end;
    } record;
    uint64_t present;
    enum pt_status status = pt_fields_decode(schema, &record, map, size, &present);
    if (status != PT_OK)
        return status == PT_NOMEM ? status : PT_OK;
    const char *key = pt_fields_missing(schema, present);
    if (key)
        pt_check_note(check, offset, "the key \"%s\" is missing", key);
    pt_fields_release(schema, &record);
    return PT_OK;
}

static void check_clock(struct pt_check *check, uint64_t offset, const uint8_t *payload, uint32_t size,
                        struct pt_clock *last)
{
    struct pt_clock clock;
    if (pt_clock_decode(&clock, payload, size) != PT_OK)
        return;
    if (clock.tick <= last->tick || clock.monotonic_ns <= last->monotonic_ns)
        pt_check_note(check, offset, "CLOCK does not go forward from the one before");
    else
        *last = clock;
}

static void check_index_entry(struct pt_check *check, uint64_t offset, const uint8_t *entry, size_t number)
{
    const struct pt_trace_private *own = check->trace->private;
    const struct pt_trace_block *at = &own->blocks[number];
    bool chunk = at->block.type == PT_BLOCK_CHUNK && at->block.length >= PT_CHUNK_FIXED_SIZE;
    const uint8_t *payload = own->bytes + at->offset + PT_BLOCK_HEADER_SIZE;
    if (pt_bytes_load64(entry + PT_INDEX_OFF_OFFSET) != at->offset ||
        pt_bytes_load32(entry + PT_INDEX_OFF_TYPE) != at->block.type ||
        pt_bytes_load32(entry + PT_INDEX_OFF_THREAD) != (chunk ? pt_bytes_load32(payload + PT_CHUNK_OFF_THREAD) : 0) ||
        pt_bytes_load64(entry + PT_INDEX_OFF_FIRST_TICK) !=
            (chunk ? pt_bytes_load64(payload + PT_CHUNK_OFF_FIRST_TICK) : 0) ||
        pt_bytes_load64(entry + PT_INDEX_OFF_LAST_TICK) !=
            (chunk ? pt_bytes_load64(payload + PT_CHUNK_OFF_LAST_TICK) : 0) ||
        pt_bytes_load32(entry + PT_INDEX_OFF_EVENTS) != (chunk ? pt_bytes_load32(payload + PT_CHUNK_OFF_EVENTS) : 0) ||
        pt_bytes_load32(entry + PT_INDEX_OFF_RESERVED) != 0)
        pt_check_note(check, offset, "INDEX entry %zu is not that of block %zu", number, number);
}

static void check_index(struct pt_check *check, size_t number, const uint8_t *payload, uint32_t size)
{
    const struct pt_trace_private *own = check->trace->private;
    uint64_t offset = own->blocks[number].offset;
    if (number + 2 != own->block_count || own->blocks[number + 1].block.type != PT_BLOCK_END)
        pt_check_note(check, offset, "INDEX does not stand just before the END");
    if (size != (uint64_t)number * PT_INDEX_ENTRY_SIZE) {
        pt_check_note(check, offset, "INDEX has %u bytes, not one entry for each of the %zu blocks before it", size,
                      number);
        return;
    }
    size_t unloaded = 0;
    for (size_t i = 0; i < number; i++) {
        pt_trace_unload_behind(check->trace, own->blocks[i].offset, &unloaded);
        check_index_entry(check, offset, payload + i * PT_INDEX_ENTRY_SIZE, i);
    }
}

static void check_totals(struct pt_check *check, size_t number)
{
    const struct pt_trace *trace = check->trace;
    const struct pt_end *end = &trace->end;
    const struct pt_trace_block *blocks = trace->private->blocks;
    bool indexed = number > 0 && blocks[number - 1].block.type == PT_BLOCK_INDEX;
    uint64_t index = indexed ? blocks[number - 1].offset : PT_META_ABSENT;
    uint64_t offset = blocks[number].offset;
    if (end->index != index)
        pt_check_note(check, offset, "END does not tell where the INDEX is");
    if (end->blocks != number)
        pt_check_note(check, offset, "END counts %llu blocks, there are %zu", (unsigned long long)end->blocks, number);
    if (end->events != trace->events)
        pt_check_note(check, offset, "END counts %llu events, the chunks hold %llu", (unsigned long long)end->events,
                      (unsigned long long)trace->events);
    if (end->lost < trace->lost || end->lost < end->unslotted_events)
        pt_check_note(check, offset, "END counts %llu lost events, there are more", (unsigned long long)end->lost);
}

static enum pt_status check_block(struct pt_check *check, size_t number, struct pt_clock *last_clock)
{
    const struct pt_trace_private *own = check->trace->private;
    const struct pt_trace_block *at = &own->blocks[number];
    const uint8_t *payload = own->bytes + at->offset + PT_BLOCK_HEADER_SIZE;
    if ((at->block.type == PT_BLOCK_HEADER) != (at->offset == 0))
        pt_check_note(check, at->offset,
                      at->offset == 0 ? "the first block is no HEADER" : "a HEADER that is not the first block");
    switch (at->block.type) {
    case PT_BLOCK_NAMES: {
        struct definitions_at place = {.check = check, .offset = at->offset};
        enum pt_status status = pt_names_decode(payload, at->block.length, add_definition, &place);
        return status == PT_NOMEM ? status : PT_OK; /* one that breaks the rules was noted as damage */
    }
    case PT_BLOCK_CLOCK:
        check_clock(check, at->offset, payload, at->block.length, last_clock);
        break;
    case PT_BLOCK_INDEX:
        check_index(check, number, payload, at->block.length);
        break;
    case PT_BLOCK_HEADER:
        if (at->block.length < PT_HEADER_FIXED_SIZE)
            break;
        return check_keys(check, at->offset, &pt_header_schema, payload + PT_HEADER_FIXED_SIZE,
                          at->block.length - PT_HEADER_FIXED_SIZE);
    case PT_BLOCK_END:
        if (!check->trace->has_end)
            break;
        check_totals(check, number);
        return check_keys(check, at->offset, &pt_end_schema, payload, at->block.length - PT_END_LENGTH_SIZE);
    default:
        break;
    }
    return PT_OK;
}

/* --- Processes and threads ------------------------------------------------------------------------------------ */

static bool has_process(const struct pt_trace *trace, uint64_t serial)
{
    return serial > 0 && serial <= trace->process_count && trace->processes[serial - 1].serial != 0;
}

static void check_processes(struct pt_check *check)
{
    const struct pt_trace *trace = check->trace;
    for (size_t i = 0; i < trace->process_count; i++) {
        const struct pt_process *process = &trace->processes[i];
        if (process->serial == 0) {
            pt_check_note(check, PT_ERROR_NO_OFFSET, "there is no process %zu, but later ones", i + 1);
            continue;
        }
        if (process->parent != 0 && (process->parent >= process->serial || !has_process(trace, process->parent)))
            pt_check_note(check, PT_ERROR_NO_OFFSET, "process %zu has no parent %llu", i + 1,
                          (unsigned long long)process->parent);
        if (process->inherited > PT_ID_MAX || (process->inherited > 0 && process->parent == 0))
            pt_check_note(check, PT_ERROR_NO_OFFSET, "process %zu inherits %llu ids from nobody", i + 1,
                          (unsigned long long)process->inherited);
        if ((process->end_tick == PT_META_ABSENT) != !*process->ended)
            pt_check_note(check, PT_ERROR_NO_OFFSET, "process %zu tells either when or how it ended, not both", i + 1);
        if (process->end_tick < process->start_tick)
            pt_check_note(check, PT_ERROR_NO_OFFSET, "process %zu ends before it starts", i + 1);
        if (trace->has_end && process->end_tick == PT_META_ABSENT)
            pt_check_note(check, PT_ERROR_NO_OFFSET, "process %zu has no end, but the recording has", i + 1);
        else if (trace->has_end && process->end_tick > trace->end.end_tick)
            pt_check_note(check, PT_ERROR_NO_OFFSET, "process %zu ends after the recording", i + 1);
    }
}

static void check_threads(struct pt_check *check)
{
    const struct pt_trace *trace = check->trace;
    if (trace->private->made_up_threads > 0)
        pt_check_note(check, PT_ERROR_NO_OFFSET, "threads that have chunks but no THREAD block: %llu",
                      (unsigned long long)trace->private->made_up_threads);
    for (size_t i = 0; i < trace->thread_count; i++) {
        const struct pt_thread *thread = &trace->threads[i].meta;
        if (thread->serial == 0)
            pt_check_note(check, PT_ERROR_NO_OFFSET, "there is no thread %zu, but later ones", i + 1);
        else if (!has_process(trace, thread->process))
            pt_check_note(check, PT_ERROR_NO_OFFSET, "thread %zu has no process %llu", i + 1,
                          (unsigned long long)thread->process);
        else if (thread->end_tick < thread->start_tick)
            pt_check_note(check, PT_ERROR_NO_OFFSET, "thread %zu ends before it starts", i + 1);
        else if (trace->has_end && thread->end_tick == PT_META_ABSENT)
            pt_check_note(check, PT_ERROR_NO_OFFSET, "thread %zu has no end, but the recording has", i + 1);
        else if (trace->has_end && thread->end_tick > trace->end.end_tick)
            pt_check_note(check, PT_ERROR_NO_OFFSET, "thread %zu ends after the recording", i + 1);
    }
}

enum pt_status pt_check_blocks(struct pt_check *check)
{
    const struct pt_trace *trace = check->trace;
    struct pt_clock last_clock = {0};
    for (size_t i = 0; i < trace->private->block_count; i++)
        PT_TRY(check_block(check, i, &last_clock));
    if (!trace->has_header)
        pt_check_note(check, 0, "there is no HEADER");
    else if (trace->header.tick_ps == 0)
        pt_check_note(check, 0, "HEADER gives a tick no length");
    if (trace->clock_count == 0 || (trace->has_end && trace->clock_count < 2))
        pt_check_note(check, PT_ERROR_NO_OFFSET,
                      "a recording has a CLOCK at its start and one at its end: there are %zu", trace->clock_count);
    check_processes(check);
    check_threads(check);
    return PT_OK;
}
