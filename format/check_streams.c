/* The strict check of the chunks: each thread's stream is replayed, and held against keyframes and names. */
#include "check_private.h"

#include "record.h"

struct stream {
    const struct pt_trace_thread *thread;
    const struct pt_trace_chunk *at; /* the chunk that is looked at */
    struct pt_chunk chunk;
    struct pt_stack stack;
    bool known;         /* the stack is that after the chunk before */
    bool all_known;     /* and so was every one before it: what is set aside of other greenlets is known too */
    uint64_t last_tick; /* of the chunk before */
    bool ended;         /* the chunk before was flagged LAST */
};

/* Functions must be defined in the file before the chunk that uses them. Id 0 stands for all that have no definition.
 * What names a chunk from the arena has may have come from there as well. */
static bool is_named(const struct pt_check *check, const struct stream *stream, uint32_t id)
{
    uint64_t process = stream->thread->meta.process;
    if (id == PT_ID_UNKNOWN)
        return true;
    if (stream->at->recovered)
        return pt_trace_function(check->trace, process, id) != 0;
    uint64_t offset;
    return pt_check_definition(check, process, id, &offset) && offset < stream->at->offset;
}

/* One finding a chunk, however many functions it is about. */
static void check_functions(struct pt_check *check, const struct stream *stream)
{
    const struct pt_chunk *chunk = &stream->chunk;
    uint32_t unnamed = 0, example = 0;
    for (size_t i = 0; i < chunk->info.symbols + chunk->keyframe.count; i++) {
        bool symbol = i < chunk->info.symbols;
        uint32_t id =
            symbol ? pt_record_id(chunk->symbols[i]) : chunk->keyframe.frames[i - chunk->info.symbols].frame >> 1;
        uint32_t kind = symbol ? pt_record_kind(chunk->symbols[i]) : PT_KIND_OPEN;
        bool other = kind == PT_KIND_CONTROL || kind == PT_KIND_LINE || kind == PT_KIND_OPCODE; /* no function's id */
        if (other || is_named(check, stream, id))
            continue;
        unnamed++;
        example = id;
    }
    if (unnamed > 0)
        pt_check_note(check, stream->at->offset,
                      "a chunk of thread %u uses functions that no block before it names: id %u of process %llu%s",
                      stream->at->info.thread, example, (unsigned long long)stream->thread->meta.process,
                      unnamed > 1 ? ", and more" : "");
}

/* What the keyframe says must be what the entries before it led to. Otherwise everything starts again from it; of a stack
 * deeper than that the rest is unknown, and so is what the entries lead to. */
static enum pt_status begin(struct pt_check *check, struct stream *stream)
{
    const struct pt_chunk_keyframe *keyframe = &stream->chunk.keyframe;
    const bool follows = stream->known && !stream->at->gap_before;
    bool agrees;
    PT_TRY(pt_chunk_begin(&stream->chunk, &stream->stack, &agrees));
    if (follows && !agrees)
        pt_check_note(check, stream->at->offset,
                      "the keyframe of a chunk of thread %u is not what the chunk before led to",
                      stream->at->info.thread);
    if (follows && agrees)
        return PT_OK;
    stream->known = keyframe->count == keyframe->depth;
    stream->all_known = false;
    return PT_OK;
}

/* The same for what a switch says of a greenlet. One finding a chunk. */
static bool contradicts(const struct stream *stream, const struct pt_chunk_entry *entry)
{
    struct pt_chunk_keyframe to;
    return stream->all_known && entry->kind == PT_KIND_CONTROL && entry->id == PT_CONTROL_SWITCH &&
           pt_chunk_switch_decode(&to, entry->arguments, entry->argument_bytes, entry->first_tick) == PT_OK &&
           !pt_chunk_switch_agrees(&to, &stream->stack);
}

static enum pt_status replay(struct pt_check *check, struct stream *stream)
{
    struct pt_chunk_cursor cursor;
    struct pt_chunk_entry entry;
    pt_chunk_cursor_init(&cursor, &stream->chunk);
    while (pt_chunk_cursor_next(&cursor, &entry)) {
        if (contradicts(stream, &entry)) {
            pt_check_note(check, stream->at->offset,
                          "a switch in a chunk of thread %u tells of a stack that is not what came before",
                          stream->at->info.thread);
            stream->all_known = false;
        }
        PT_TRY(pt_chunk_entry_apply(&entry, &stream->stack));
    }
    return PT_OK;
}

static void check_place(struct pt_check *check, const struct stream *stream)
{
    const struct pt_chunk_info *info = &stream->at->info;
    const struct pt_thread *meta = &stream->thread->meta;
    if (info->slot != meta->slot || info->generation != meta->generation)
        pt_check_note(check, stream->at->offset, "chunk of thread %u is of another slot than its thread", info->thread);
    if (stream->ended)
        pt_check_note(check, stream->at->offset, "thread %u goes on after its last chunk", info->thread);
    if (info->first_tick < stream->last_tick)
        pt_check_note(check, stream->at->offset, "chunk of thread %u begins before the one before it ends",
                      info->thread);
    if (check->trace->has_end && info->last_tick > check->trace->end.end_tick)
        pt_check_note(check, stream->at->offset, "chunk of thread %u ends after the recording", info->thread);
    if (info->entries == 0)
        pt_check_note(check, stream->at->offset, "chunk of thread %u holds nothing", info->thread);
}

static enum pt_status check_chunk(struct pt_check *check, struct stream *stream)
{
    const struct pt_trace_chunk *at = stream->at;
    check_place(check, stream);
    stream->last_tick = at->info.last_tick;
    stream->ended = at->info.flags & PT_CHUNK_FLAG_LAST;
    enum pt_status status = pt_trace_chunk_decode(check->trace, at, &stream->chunk);
    if (status == PT_NOMEM)
        return status;
    if (status != PT_OK) {
        pt_check_note(check, at->offset, "the content of CHUNK breaks the rules");
        stream->known = stream->all_known = false;
        return PT_OK;
    }
    check_functions(check, stream);
    PT_TRY(begin(check, stream));
    status = replay(check, stream);
    if (status == PT_OK || (status == PT_NOMEM && stream->stack.depth < PT_STACK_DEPTH_MAX))
        return status;
    pt_check_note(check, at->offset, "a chunk of thread %u opens more frames than a stack may have", at->info.thread);
    stream->known = stream->all_known = false;
    return PT_OK;
}

static enum pt_status check_thread(struct pt_check *check, struct stream *stream)
{
    pt_stack_clear(&stream->stack);
    stream->known = stream->all_known = true; /* before the first chunk: nothing is open */
    stream->ended = false;
    stream->last_tick = 0;
    for (size_t i = 0; i < stream->thread->chunk_count; i++) {
        stream->at = &stream->thread->chunks[i];
        PT_TRY(check_chunk(check, stream));
    }
    return PT_OK;
}

enum pt_status pt_check_streams(struct pt_check *check)
{
    struct stream stream = {0};
    enum pt_status status = PT_OK;
    for (size_t i = 0; i < check->trace->thread_count && status == PT_OK; i++) {
        stream.thread = &check->trace->threads[i];
        status = check_thread(check, &stream);
    }
    pt_chunk_release(&stream.chunk);
    pt_stack_release(&stream.stack);
    return status;
}
