/* Opening, step 3: from blocks to what they tell. */
#include "trace_private.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"

/* Serial numbers are given in order of appearance, each with a block of its own: one that exceeds the number of blocks
 * is a lie, unless much of the file is missing. The allowance is for that; it bounds what a lie can cost. */
#define SERIAL_ALLOWANCE 4096

bool pt_trace_serial_fits(const struct pt_trace *trace, uint64_t serial)
{
    return serial > 0 && serial <= trace->private->block_count + trace->private->recovered_count + SERIAL_ALLOWANCE;
}

static enum pt_status take_header(struct pt_trace *trace, const uint8_t *payload, size_t size)
{
    if (trace->has_header)
        return PT_CORRUPT;
    PT_TRY(pt_memory_charge(&trace->private->memory, size));
    PT_TRY(pt_header_decode(&trace->header, payload, size));
    trace->has_header = true;
    return PT_OK;
}

/* Why a header is not supported: only its fixed part may be looked at. */
static enum pt_status explain_header(const uint8_t *payload, uint64_t offset, struct pt_error *error)
{
    unsigned major = pt_bytes_load16(payload + PT_HEADER_OFF_MAJOR);
    uint64_t unknown = pt_bytes_load64(payload + PT_HEADER_OFF_INCOMPATIBLE) & ~(uint64_t)PT_FORMAT_INCOMPATIBLE;
    if (major > PT_FORMAT_MAJOR)
        return pt_error_set(error, PT_UNSUPPORTED, offset,
                            "written in format version %u; this program reads up to version %d", major,
                            PT_FORMAT_MAJOR);
    return pt_error_set(error, PT_UNSUPPORTED, offset, "uses features that this program does not know (bits 0x%llx)",
                        (unsigned long long)unknown);
}

/* Both kinds of record live in arrays by serial number, with holes of serial 0. */
static enum pt_status reserve_process(struct pt_trace *trace, uint64_t serial)
{
    size_t count = trace->process_count;
    if (serial <= count)
        return PT_OK;
    struct pt_process *processes =
        pt_memory_grow(&trace->private->memory, trace->processes, count, serial - count, sizeof *processes);
    if (!processes)
        return PT_NOMEM;
    memset(processes + count, 0, (serial - count) * sizeof *processes);
    trace->processes = processes;
    trace->process_count = serial;
    return PT_OK;
}

static enum pt_status reserve_thread(struct pt_trace *trace, uint64_t serial)
{
    size_t count = trace->thread_count;
    if (serial <= count)
        return PT_OK;
    struct pt_trace_thread *threads =
        pt_memory_grow(&trace->private->memory, trace->threads, count, serial - count, sizeof *threads);
    if (!threads)
        return PT_NOMEM;
    memset(threads + count, 0, (serial - count) * sizeof *threads);
    trace->threads = threads;
    trace->thread_count = serial;
    return PT_OK;
}

static enum pt_status take_process(struct pt_trace *trace, const uint8_t *payload, size_t size)
{
    struct pt_process process;
    PT_TRY(pt_memory_charge(&trace->private->memory, size));
    PT_TRY(pt_process_decode(&process, payload, size));
    enum pt_status status = PT_CORRUPT;
    if (pt_trace_serial_fits(trace, process.serial))
        status = reserve_process(trace, process.serial);
    if (status != PT_OK) {
        pt_process_release(&process);
        return status;
    }
    struct pt_process *known = &trace->processes[process.serial - 1];
    if (known->serial == 0) {
        *known = process;
        return PT_OK;
    }
    pt_process_release(&process);
    return pt_process_update(known, payload, size);
}

static enum pt_status take_thread(struct pt_trace *trace, const uint8_t *payload, size_t size)
{
    struct pt_thread thread;
    PT_TRY(pt_memory_charge(&trace->private->memory, size));
    PT_TRY(pt_thread_decode(&thread, payload, size));
    enum pt_status status = PT_CORRUPT;
    if (pt_trace_serial_fits(trace, thread.serial))
        status = reserve_thread(trace, thread.serial);
    if (status != PT_OK) {
        pt_thread_release(&thread);
        return status;
    }
    struct pt_thread *known = &trace->threads[thread.serial - 1].meta;
    if (known->serial == 0) {
        *known = thread;
        return PT_OK;
    }
    pt_thread_release(&thread);
    return pt_thread_update(known, payload, size);
}

/* Triples that do not grow are left out (SPEC.md 4.4): a line through them would have no slope. */
static enum pt_status take_clock(struct pt_trace *trace, const uint8_t *payload, size_t size)
{
    struct pt_clock clock;
    PT_TRY(pt_clock_decode(&clock, payload, size));
    if (trace->clock_count > 0) {
        const struct pt_clock *last = &trace->clocks[trace->clock_count - 1];
        if (clock.tick <= last->tick || clock.monotonic_ns <= last->monotonic_ns)
            return PT_OK;
    }
    struct pt_clock *clocks =
        pt_memory_grow(&trace->private->memory, trace->clocks, trace->clock_count, 1, sizeof clock);
    if (!clocks)
        return PT_NOMEM;
    trace->clocks = clocks;
    clocks[trace->clock_count++] = clock;
    return PT_OK;
}

static enum pt_status take_chunk(struct pt_trace *trace, uint64_t offset, const struct pt_block *block,
                                 const uint8_t *payload, const struct pt_chunk_info *unchecked)
{
    struct pt_trace_chunk chunk = {
        .payload = payload,
        .size = block->length,
        .crc = block->payload_crc,
        .unchecked = unchecked != NULL,
        .recovered = offset == PT_ERROR_NO_OFFSET,
        .offset = offset,
    };
    if (unchecked)
        chunk.info = *unchecked;
    else
        PT_TRY(pt_chunk_info_decode(&chunk.info, payload, block->length));
    if (!pt_trace_serial_fits(trace, chunk.info.thread))
        return PT_CORRUPT;
    PT_TRY(reserve_thread(trace, chunk.info.thread));
    struct pt_trace_thread *thread = &trace->threads[chunk.info.thread - 1];
    struct pt_trace_chunk *chunks =
        pt_memory_grow(&trace->private->memory, thread->chunks, thread->chunk_count, 1, sizeof chunk);
    if (!chunks)
        return PT_NOMEM;
    trace->unchecked_chunks += chunk.unchecked;
    thread->chunks = chunks;
    chunks[thread->chunk_count++] = chunk;
    return PT_OK;
}

static enum pt_status take_end(struct pt_trace *trace, const uint8_t *payload, size_t size)
{
    PT_TRY(pt_memory_charge(&trace->private->memory, size));
    PT_TRY(pt_end_decode(&trace->end, payload, size));
    trace->has_end = true;
    return PT_OK;
}

static enum pt_status dispatch(struct pt_trace *trace, uint64_t offset, const struct pt_block *block,
                               const uint8_t *payload, const struct pt_chunk_info *unchecked)
{
    switch (block->type) {
    case PT_BLOCK_HEADER:
        return take_header(trace, payload, block->length);
    case PT_BLOCK_PROCESS:
        return take_process(trace, payload, block->length);
    case PT_BLOCK_THREAD:
        return take_thread(trace, payload, block->length);
    case PT_BLOCK_NAMES:
        return pt_trace_functions_add(trace, payload, block->length);
    case PT_BLOCK_CLOCK:
        return take_clock(trace, payload, block->length);
    case PT_BLOCK_CHUNK:
        return take_chunk(trace, offset, block, payload, unchecked);
    case PT_BLOCK_INDEX: /* nothing that the scan has not seen; pt_check compares */
        return PT_OK;
    case PT_BLOCK_END:
        return take_end(trace, payload, block->length);
    default:
        return block->flags & PT_BLOCK_FLAG_OPTIONAL ? PT_OK : PT_UNSUPPORTED;
    }
}

enum pt_status pt_trace_take(struct pt_trace *trace, uint64_t offset, const struct pt_block *block,
                             const uint8_t *payload, const struct pt_chunk_info *unchecked, struct pt_error *error)
{
    enum pt_status status = dispatch(trace, offset, block, payload, unchecked);
    switch (status) {
    case PT_OK:
        return PT_OK;
    case PT_CORRUPT:
    case PT_TRUNCATED:
        pt_trace_damage_add(trace, offset, PT_BLOCK_HEADER_SIZE + (uint64_t)block->length, PT_CORRUPT,
                            "the content of %s breaks the rules", pt_trace_block_name(block->type));
        return PT_OK;
    case PT_UNSUPPORTED:
        if (block->type == PT_BLOCK_HEADER)
            return explain_header(payload, offset, error);
        return pt_error_set(error, status, offset, "holds blocks of a type that this program does not know (%u)",
                            block->type);
    default:
        return pt_error_set(error, status, offset, "%s: %s", pt_trace_block_name(block->type), pt_status_name(status));
    }
}

enum pt_status pt_trace_take_all(struct pt_trace *trace, struct pt_error *error)
{
    struct pt_trace_private *own = trace->private;
    size_t unloaded = 0;
    for (size_t i = 0; i < own->block_count; i++) {
        const struct pt_trace_block *at = &own->blocks[i];
        pt_trace_unload_behind(trace, at->offset, &unloaded);
        PT_TRY(pt_trace_take(trace, at->offset, &at->block, own->bytes + at->offset + PT_BLOCK_HEADER_SIZE,
                             at->unchecked, error));
    }
    trace->block_count = own->block_count;
    return PT_OK;
}
