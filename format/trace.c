#include "trace.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "salvage.h"
#include "trace_private.h"

#define MEMORY_DEFAULT (UINT64_C(1) << 30)
#define POLL_MS        10u
#define REREAD_MS      1000u /* while waiting: new processes may have come to light */

static enum pt_status new_trace(struct pt_trace **out, const char *path, uint64_t memory_max)
{
    struct pt_trace *trace = calloc(1, sizeof *trace);
    if (!trace)
        return PT_NOMEM;
    *out = trace;
    trace->private = calloc(1, sizeof *trace->private);
    trace->path = strdup(path);
    if (!trace->private || !trace->path)
        return PT_NOMEM;
    trace->private->descriptor = -1;
    pt_memory_init(&trace->private->memory, memory_max ? memory_max : MEMORY_DEFAULT);
    return pt_trace_functions_init(trace);
}

static void release_private(struct pt_trace *trace)
{
    struct pt_trace_private *own = trace->private;
    pt_trace_functions_release(trace);
    free(own->blocks);
    pt_memory_release(&own->memory);
    if (own->bytes)
        munmap((void *)(uintptr_t)own->bytes, own->size);
    if (own->descriptor >= 0)
        close(own->descriptor);
    free(own);
}

void pt_trace_free(struct pt_trace *trace)
{
    if (!trace)
        return;
    for (size_t i = 0; i < trace->process_count; i++)
        pt_process_release(&trace->processes[i]);
    for (size_t i = 0; i < trace->thread_count; i++) {
        pt_thread_release(&trace->threads[i].meta);
        free(trace->threads[i].chunks);
    }
    if (trace->private)
        release_private(trace);
    pt_header_release(&trace->header);
    pt_end_release(&trace->end);
    free(trace->processes);
    free(trace->threads);
    free(trace->clocks);
    free(trace->damages);
    free(trace->path);
    free(trace);
}

/* Payloads from the arena are kept with the trace, and then treated as if they had been in the file. */
static enum pt_status take_recovered(void *context, enum pt_block_type type, const uint8_t *payload, uint32_t size)
{
    struct pt_trace *trace = context;
    uint8_t *kept = pt_memory_take(&trace->private->memory, size);
    if (!kept)
        return PT_NOMEM;
    memcpy(kept, payload, size);
    trace->private->recovered_count++;
    struct pt_block block = {.type = type, .length = size};
    return pt_trace_take(trace, PT_ERROR_NO_OFFSET, &block, kept, NULL, NULL);
}

/* What the file lacks because it has no end. */
static enum pt_status complete(struct pt_trace *trace, const struct pt_trace_options *options, struct pt_error *error)
{
    if (pt_trace_locked(trace)) {
        trace->arena = PT_TRACE_ARENA_LIVE;
        return PT_OK;
    }
    if (pt_trace_grown(trace) || options->no_salvage)
        return PT_OK;
    enum pt_status status = pt_salvage(trace, take_recovered, trace);
    if (status == PT_OK)
        status = pt_trace_order(trace);
    if (status != PT_OK)
        return pt_error_set(error, status, PT_ERROR_NO_OFFSET, "reading the arena: %s", pt_status_name(status));
    return PT_OK;
}

static enum pt_status read_trace(struct pt_trace *trace, const struct pt_trace_options *options, struct pt_error *error)
{
    PT_TRY(pt_trace_map(trace, error));
    const bool late = options->late_checks_min > 0 && trace->file_size >= options->late_checks_min;
    enum pt_status status = late ? pt_trace_find_blocks(trace) : PT_END;
    if (status == PT_END)
        status = pt_trace_scan(trace, error);
    PT_TRY(status);
    PT_TRY(pt_trace_take_all(trace, error));
    if (pt_trace_order(trace) != PT_OK)
        return pt_error_set(error, PT_NOMEM, PT_ERROR_NO_OFFSET, "out of memory");
    if (!trace->has_end)
        PT_TRY(complete(trace, options, error));
    pt_trace_settle(trace);
    return PT_OK;
}

static enum pt_status open_once(struct pt_trace **out, const char *path, const struct pt_trace_options *options,
                                struct pt_error *error)
{
    struct pt_trace *trace = NULL;
    enum pt_status status = new_trace(&trace, path, options->memory_max);
    if (status != PT_OK)
        pt_error_set(error, status, PT_ERROR_NO_OFFSET, "out of memory");
    else
        status = read_trace(trace, options, error);
    if (status != PT_OK) {
        pt_trace_free(trace);
        return status;
    }
    *out = trace;
    return PT_OK;
}

/* Until the drain lets go of the file, or it is time to look into it again. Returns the milliseconds that went by. */
static unsigned wait_for_drain(const struct pt_trace *trace, unsigned most_ms)
{
    unsigned waited_ms = 0;
    while (waited_ms < most_ms && waited_ms < REREAD_MS && pt_trace_locked(trace)) {
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
        waited_ms += POLL_MS;
    }
    return waited_ms;
}

/* The file may change while we look at it: it is read again when a drain that was expected to finish has done so, or
 * when it finished between our reading of the file and our question whether it was there. */
enum pt_status pt_trace_open(struct pt_trace **out, const char *path, const struct pt_trace_options *options,
                             struct pt_error *error)
{
    static const struct pt_trace_options defaults = {0};
    options = options ? options : &defaults;
    unsigned left_ms = options->wait_ms;
    bool told = false;
    struct pt_trace *trace = NULL;
    for (unsigned rereads = 0;;) {
        PT_TRY(open_once(&trace, path, options, error));
        bool live = trace->arena == PT_TRACE_ARENA_LIVE;
        bool wait = live && left_ms > 0 && pt_trace_ending(trace);
        bool reread =
            !live && !trace->has_end && trace->arena == PT_TRACE_ARENA_UNUSED && pt_trace_grown(trace) && rereads++ < 3;
        if (!wait && !reread)
            break;
        if (wait && !told && options->waiting)
            options->waiting(options->context);
        told = told || wait;
        if (wait) {
            unsigned waited_ms = wait_for_drain(trace, left_ms);
            left_ms -= waited_ms < left_ms ? waited_ms : left_ms;
        }
        pt_trace_free(trace);
    }
    *out = trace;
    return PT_OK;
}

enum pt_status pt_trace_chunk_decode(const struct pt_trace *trace, const struct pt_trace_chunk *chunk,
                                     struct pt_chunk *out)
{
    enum pt_status status = PT_CORRUPT;
    if (!chunk->unchecked || pt_block_crc(chunk->payload, chunk->size) == chunk->crc)
        status = pt_chunk_decode(out, chunk->payload, chunk->size);
    if (!chunk->recovered)
        pt_trace_unload(trace, chunk->offset, chunk->offset + PT_BLOCK_HEADER_SIZE + chunk->size);
    return status;
}

bool pt_trace_complete(const struct pt_trace *trace)
{
    return trace->has_end && trace->private->damages == 0 && trace->missing_blocks == 0 && trace->lost == 0;
}
