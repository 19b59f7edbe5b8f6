/* Opening, steps 4 and 6: each thread's chunks in order, what is missing between them, and the sums. */
#include "trace_private.h"

#include <stdlib.h>
#include <string.h>

static bool same_use(const struct pt_chunk_info *a, const struct pt_chunk_info *b)
{
    return a->slot == b->slot && a->generation == b->generation;
}

/* By use of a slot, then position. Chunks that only close frames (no words) begin where the last one with words ends,
 * all at the same position, each less deep than the one before. A copy from the arena comes behind the original. */
static int compare_chunks(const void *left, const void *right)
{
    const struct pt_trace_chunk *a = left, *b = right;
#define COMPARE(x, y)                                                                                                  \
    if ((x) != (y))                                                                                                    \
    return (x) < (y) ? -1 : 1
    COMPARE(a->info.generation, b->info.generation);
    COMPARE(a->info.slot, b->info.slot);
    COMPARE(a->info.first_position, b->info.first_position);
    COMPARE(a->info.words == 0, b->info.words == 0);
    COMPARE(b->info.depth, a->info.depth);
    COMPARE(a->recovered, b->recovered);
    COMPARE(a->offset, b->offset);
#undef COMPARE
    return 0;
}

static uint64_t end_position(const struct pt_chunk_info *info)
{
    uint64_t end = info->first_position + info->words;
    return end < info->first_position ? UINT64_MAX : end;
}

/* The same records twice: the drain wrote a chunk, and died before it could say so. Anything else that overlaps is no
 * honest chunk. */
static bool repeats(const struct pt_chunk_info *before, const struct pt_chunk_info *info)
{
    if (before->first_position != info->first_position || before->words != info->words)
        return false;
    return info->words > 0 || before->depth == info->depth;
}

static void order_thread(struct pt_trace *trace, struct pt_trace_thread *thread)
{
    bool sorted = true;
    for (size_t i = 1; i < thread->chunk_count && sorted; i++)
        sorted = compare_chunks(&thread->chunks[i - 1], &thread->chunks[i]) < 0;
    if (!sorted)
        qsort(thread->chunks, thread->chunk_count, sizeof *thread->chunks, compare_chunks);

    size_t kept = 0;
    for (size_t i = 0; i < thread->chunk_count; i++) {
        struct pt_trace_chunk *chunk = &thread->chunks[i];
        const struct pt_chunk_info *before = kept > 0 ? &thread->chunks[kept - 1].info : NULL;
        bool follows = before && same_use(before, &chunk->info);
        uint64_t expected = follows ? end_position(before) : 0;
        if (follows && repeats(before, &chunk->info)) {
            trace->private->repeated_chunks++;
            continue;
        }
        if (chunk->info.first_position < expected) {
            pt_trace_damage_add(trace, chunk->offset, PT_BLOCK_HEADER_SIZE + (uint64_t)chunk->size, PT_CORRUPT,
                                "a chunk of thread %u overlaps the one before", chunk->info.thread);
            continue;
        }
        chunk->gap_before = (before && !follows) || chunk->info.first_position != expected;
        thread->chunks[kept++] = *chunk;
    }
    thread->chunk_count = kept;
}

/* A thread whose THREAD block is missing. If there is but one process it must be that one's. */
static enum pt_status make_up(struct pt_trace *trace, size_t index)
{
    struct pt_trace_thread *thread = &trace->threads[index];
    const struct pt_chunk_info *first = &thread->chunks[0].info;
    char *name = calloc(1, 1);
    if (!name)
        return PT_NOMEM;
    trace->private->made_up_threads++;
    thread->meta = (struct pt_thread){
        .serial = index + 1,
        .process = trace->process_count == 1 ? 1 : 0,
        .slot = first->slot,
        .generation = first->generation,
        .name = name,
        .start_tick = first->first_tick,
        .end_tick = PT_META_ABSENT,
    };
    return PT_OK;
}

enum pt_status pt_trace_order(struct pt_trace *trace)
{
    for (size_t i = 0; i < trace->thread_count; i++) {
        struct pt_trace_thread *thread = &trace->threads[i];
        order_thread(trace, thread);
        if (thread->meta.serial == 0 && thread->chunk_count > 0)
            PT_TRY(make_up(trace, i));
    }
    return PT_OK;
}

/* --- Settling ------------------------------------------------------------------------------------------------- */

static void note_gaps(struct pt_trace *trace, const struct pt_trace_thread *thread)
{
    for (size_t i = 0; i < thread->chunk_count; i++) {
        const struct pt_trace_chunk *chunk = &thread->chunks[i];
        if (!chunk->gap_before)
            continue;
        bool follows = i > 0 && same_use(&thread->chunks[i - 1].info, &chunk->info);
        uint64_t words = chunk->info.first_position - (follows ? end_position(&thread->chunks[i - 1].info) : 0);
        pt_trace_damage_add(trace, chunk->offset, 0, PT_CORRUPT, "chunks of thread %u are missing: %llu records",
                            chunk->info.thread, (unsigned long long)words);
    }
}

static bool losses_known(const struct pt_trace *trace)
{
    const struct pt_trace_private *own = trace->private;
    bool whole = trace->has_end || trace->arena == PT_TRACE_ARENA_LIVE || trace->arena == PT_TRACE_ARENA_SALVAGED;
    return whole && own->damages == 0 && trace->missing_blocks == 0;
}

/* A block that is being written, or whose events are still in the arena, is no damage. */
static void forgive_torn_tail(struct pt_trace *trace)
{
    bool settled = trace->arena == PT_TRACE_ARENA_LIVE || trace->arena == PT_TRACE_ARENA_SALVAGED;
    for (size_t i = 0; settled && i < trace->damage_count; i++) {
        struct pt_trace_damage *damage = &trace->damages[i];
        if (damage->status != PT_TRUNCATED || damage->offset + damage->length != trace->file_size)
            continue;
        trace->private->damages--;
        trace->damage_bytes -= damage->length;
        trace->private->torn_bytes = damage->length;
        memmove(damage, damage + 1, (--trace->damage_count - i) * sizeof *damage);
        return;
    }
}

void pt_trace_settle(struct pt_trace *trace)
{
    uint64_t told = 0;
    forgive_torn_tail(trace);
    for (size_t i = 0; i < trace->thread_count; i++) {
        const struct pt_trace_thread *thread = &trace->threads[i];
        note_gaps(trace, thread);
        for (size_t j = 0; j < thread->chunk_count; j++) {
            const struct pt_trace_chunk *chunk = &thread->chunks[j];
            trace->events += chunk->info.events;
            told += chunk->info.lost;
            if (chunk->recovered)
                trace->recovered_events += chunk->info.events;
        }
    }
    uint64_t counted = trace->has_end ? trace->end.lost : told + trace->private->untold_lost;
    trace->lost = counted > told ? counted : told;
    trace->lost_known = losses_known(trace);
    pt_trace_find_ends(trace);
}
