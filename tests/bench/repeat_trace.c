/* repeat_trace SOURCE OUTPUT EVENTS
 *
 * Makes a large trace out of a real one: SOURCE's chunks, as often as it takes to reach EVENTS events, each round after
 * the one before in time and in position, so that the result is one long recording of the same threads. What the chunks
 * hold is copied, not made up; only their fixed headers change, which are not compressed. `pytrace-analyze check` finds
 * nothing wrong with the result.
 *
 * A round has to leave its threads as it found them, with no frame open: SOURCE has its end, and nothing in it is
 * missing. Greenlets that were never left would go on in the next round, so a trace of greenlets is not taken. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record.h"
#include "trace_private.h"
#include "writer.h"

struct repeater {
    struct pt_trace *source;
    struct pt_writer writer;
    struct pt_buffer payload;
    uint64_t *words;      /* by thread: ring words of a round */
    uint64_t round_ticks; /* how much later each round is than the one before */
    uint64_t round_ns;
    uint64_t rounds;
};

static void give_up(const char *what)
{
    fprintf(stderr, "repeat_trace: %s\n", what);
    exit(1);
}

static void must(enum pt_status status, const char *what)
{
    if (status != PT_OK)
        give_up(what);
}

static void put(struct repeater *repeater, enum pt_block_type type)
{
    must(pt_writer_block(&repeater->writer, type, repeater->payload.data, (uint32_t)repeater->payload.size, NULL),
         "cannot write");
    repeater->payload.size = 0;
}

static void copy(struct repeater *repeater, const uint8_t *payload, size_t size)
{
    must(pt_buffer_append(&repeater->payload, payload, size), "out of memory");
}

/* A chunk of nothing but closes covers no words. It would begin where the first one of the next round begins, which only
 * the last chunks of a thread may: so it is given one word. */
static uint64_t words_of(const struct pt_chunk_info *info)
{
    return info->words > 0 ? info->words : 1;
}

/* --- Looking at the source -------------------------------------------------------------------------------------- */

static void check_chunk(const struct pt_trace_chunk *at, struct pt_chunk *chunk)
{
    must(pt_chunk_decode(chunk, at->payload, at->size), "a chunk cannot be decoded");
    for (uint32_t i = 0; i < chunk->info.symbols; i++)
        if (pt_record_kind(chunk->symbols[i]) == PT_KIND_CONTROL &&
            pt_record_id(chunk->symbols[i]) == PT_CONTROL_SWITCH)
            give_up("the source has greenlets");
}

static void look(struct repeater *repeater)
{
    const struct pt_trace *source = repeater->source;
    struct pt_chunk chunk = {0};
    if (!pt_trace_complete(source) || source->clock_count < 2 || source->events == 0)
        give_up("the source is not complete, or holds no events");
    repeater->words = calloc(source->thread_count + 1, sizeof *repeater->words);
    if (!repeater->words)
        give_up("out of memory");
    for (size_t i = 0; i < source->thread_count; i++) {
        const struct pt_trace_thread *thread = &source->threads[i];
        for (size_t c = 0; c < thread->chunk_count; c++) {
            check_chunk(&thread->chunks[c], &chunk);
            repeater->words[i] += words_of(&thread->chunks[c].info);
        }
    }
    pt_chunk_release(&chunk);
    /* The clock is read before the first event, and after the last one. */
    const uint64_t last_clock = source->clocks[source->clock_count - 1].tick, end = pt_trace_end_tick(source);
    repeater->round_ticks = (last_clock > end ? last_clock : end) - source->clocks[0].tick + 1000;
    repeater->round_ns = (uint64_t)((double)repeater->round_ticks * pt_trace_tick_ns(source));
}

/* --- Writing ---------------------------------------------------------------------------------------------------- */

/* Processes and threads that have not ended, or have. */
static void put_lives(struct repeater *repeater, bool ended)
{
    static char nothing[] = "";
    const struct pt_trace *source = repeater->source;
    const uint64_t later = (repeater->rounds - 1) * repeater->round_ticks;
    for (size_t i = 0; i < source->process_count; i++) {
        struct pt_process process = source->processes[i];
        process.end_tick = ended ? process.end_tick + later : PT_META_ABSENT;
        process.ended = ended ? process.ended : nothing;
        must(pt_process_encode(&process, &repeater->payload), "process");
        put(repeater, PT_BLOCK_PROCESS);
    }
    for (size_t i = 0; i < source->thread_count; i++) {
        struct pt_thread thread = source->threads[i].meta;
        thread.end_tick = ended ? thread.end_tick + later : PT_META_ABSENT;
        must(pt_thread_encode(&thread, &repeater->payload), "thread");
        put(repeater, PT_BLOCK_THREAD);
    }
}

static void put_beginning(struct repeater *repeater)
{
    const struct pt_trace_private *own = repeater->source->private;
    copy(repeater, own->bytes + own->blocks[0].offset + PT_BLOCK_HEADER_SIZE, own->blocks[0].block.length);
    put(repeater, PT_BLOCK_HEADER);
    put_lives(repeater, false);
    for (size_t i = 0; i < own->block_count; i++) {
        if (own->blocks[i].block.type != PT_BLOCK_NAMES)
            continue;
        copy(repeater, own->bytes + own->blocks[i].offset + PT_BLOCK_HEADER_SIZE, own->blocks[i].block.length);
        put(repeater, PT_BLOCK_NAMES);
    }
}

static void put_clock(struct repeater *repeater, const uint8_t *payload, size_t size, uint64_t round)
{
    struct pt_clock clock = {0};
    must(pt_clock_decode(&clock, payload, size), "clock");
    clock.tick += round * repeater->round_ticks;
    clock.monotonic_ns += round * repeater->round_ns;
    clock.realtime_ns += round * repeater->round_ns;
    must(pt_clock_encode(&clock, &repeater->payload), "clock");
    put(repeater, PT_BLOCK_CLOCK);
}

static void put_chunk(struct repeater *repeater, const uint8_t *payload, size_t size, uint64_t round)
{
    struct pt_chunk_info info;
    must(pt_chunk_info_decode(&info, payload, size), "chunk");
    const bool last = round + 1 == repeater->rounds;
    info.first_position += round * repeater->words[info.thread - 1];
    info.words = last ? info.words : (uint32_t)words_of(&info);
    info.flags = last ? info.flags : info.flags & ~PT_CHUNK_FLAG_LAST;
    info.first_tick += round * repeater->round_ticks;
    info.last_tick += round * repeater->round_ticks;
    copy(repeater, payload, size);
    pt_chunk_info_encode(repeater->payload.data, &info);
    put(repeater, PT_BLOCK_CHUNK);
}

static void put_round(struct repeater *repeater, uint64_t round)
{
    const struct pt_trace_private *own = repeater->source->private;
    for (size_t i = 0; i < own->block_count; i++) {
        const struct pt_trace_block *at = &own->blocks[i];
        const uint8_t *payload = own->bytes + at->offset + PT_BLOCK_HEADER_SIZE;
        if (at->block.type == PT_BLOCK_CLOCK)
            put_clock(repeater, payload, at->block.length, round);
        else if (at->block.type == PT_BLOCK_CHUNK)
            put_chunk(repeater, payload, at->block.length, round);
    }
}

int main(int argc, char **argv)
{
    struct repeater repeater = {0};
    struct pt_error error = {.offset = PT_ERROR_NO_OFFSET};
    if (argc != 4) {
        fprintf(stderr, "usage: repeat_trace SOURCE OUTPUT EVENTS\n");
        return 2;
    }
    if (pt_trace_open(&repeater.source, argv[1], NULL, &error) != PT_OK)
        give_up(error.text);
    const struct pt_trace *source = repeater.source;
    look(&repeater);
    repeater.rounds = (strtoull(argv[3], NULL, 10) + source->events - 1) / source->events;
    if (repeater.rounds == 0)
        repeater.rounds = 1;
    const int descriptor = open(argv[2], O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0666);
    if (descriptor < 0)
        give_up("cannot make the output");

    pt_writer_init(&repeater.writer, descriptor);
    put_beginning(&repeater);
    for (uint64_t round = 0; round < repeater.rounds; round++)
        put_round(&repeater, round);
    put_lives(&repeater, true);
    struct pt_end end = source->end;
    end.end_tick += (repeater.rounds - 1) * repeater.round_ticks;
    end.events = repeater.rounds * source->events;
    end.stalled_ticks *= repeater.rounds;
    must(pt_writer_end(&repeater.writer, &end, NULL), "cannot write the end");

    printf("%" PRIu64 " events, %" PRIu64 " bytes\n", end.events, repeater.writer.offset);
    pt_buffer_release(&repeater.payload);
    pt_writer_release(&repeater.writer);
    pt_trace_free(repeater.source);
    free(repeater.words);
    return close(descriptor) == 0 ? 0 : 1;
}
