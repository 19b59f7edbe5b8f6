/* bench_encode --dump TRACE WORDS      writes the records of the trace's busiest thread as they stood in its ring
 * bench_encode WORDS…                  encodes and decodes each again and again
 *
 * What the drain does with a full ring, without a drain: nanoseconds of processor time per event (the least of many
 * rounds), and bytes. Words keep their meaning when chunks change, so that two builds can be set side by side. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chunk.h"
#include "record.h"
#include "trace.h"

#define RING_WORDS 131072u /* the default ring */
#define ROUNDS     15

struct words {
    uint64_t *at;
    size_t count;
    size_t capacity;
};

static void must(enum pt_status status, const char *what)
{
    if (status == PT_OK)
        return;
    fprintf(stderr, "bench_encode: %s: %s\n", what, pt_status_name(status));
    exit(1);
}

static double processor_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* --- Words ------------------------------------------------------------------------------------------------------ */

static void put(struct words *words, uint64_t word)
{
    if (words->count == words->capacity) {
        words->capacity = words->capacity ? 2 * words->capacity : 1u << 20;
        words->at = realloc(words->at, words->capacity * sizeof *words->at);
        if (!words->at)
            must(PT_NOMEM, "words");
    }
    words->at[words->count++] = word;
}

/* Of control entries only the time is kept: their words are few, and not what is measured. */
static void put_chunk(struct words *words, const struct pt_chunk *chunk, uint64_t *epoch)
{
    struct pt_chunk_cursor cursor;
    struct pt_chunk_entry entry;
    pt_chunk_cursor_init(&cursor, chunk);
    while (pt_chunk_cursor_next(&cursor, &entry)) {
        if (entry.kind == PT_KIND_CONTROL || entry.kind == PT_KIND_CLOSE)
            continue;
        if (words->count == 0 || entry.tick >> PT_TICK_BITS != *epoch) {
            put(words, pt_record_pack_control(PT_CONTROL_REBASE, 1, entry.tick));
            put(words, entry.tick);
            *epoch = entry.tick >> PT_TICK_BITS;
        }
        put(words, pt_record_pack(entry.kind, entry.id, entry.tick));
    }
}

static const struct pt_trace_thread *busiest_thread(const struct pt_trace *trace)
{
    const struct pt_trace_thread *busiest = NULL;
    for (size_t i = 0; i < trace->thread_count; i++)
        if (!busiest || trace->threads[i].chunk_count > busiest->chunk_count)
            busiest = &trace->threads[i];
    return busiest;
}

static int dump(const char *path, const char *output)
{
    struct pt_trace *trace;
    const struct pt_trace_options options = {.no_salvage = true};
    struct pt_chunk chunk = {0};
    struct words words = {0};
    uint64_t epoch = 0;
    must(pt_trace_open(&trace, path, &options, NULL), path);
    const struct pt_trace_thread *thread = busiest_thread(trace);
    for (size_t i = 0; thread && i < thread->chunk_count; i++) {
        must(pt_chunk_decode(&chunk, thread->chunks[i].payload, thread->chunks[i].size), path);
        put_chunk(&words, &chunk, &epoch);
    }
    FILE *file = fopen(output, "wb");
    const int failed =
        !file || fwrite(words.at, sizeof *words.at, words.count, file) != words.count || fclose(file) != 0;
    if (failed)
        perror(output);
    pt_chunk_release(&chunk);
    pt_trace_free(trace);
    free(words.at);
    return failed;
}

static struct words load(const char *path)
{
    struct words words = {0};
    uint64_t word;
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(1);
    }
    while (fread(&word, sizeof word, 1, file) == 1)
        put(&words, word);
    fclose(file);
    return words;
}

/* --- Measuring -------------------------------------------------------------------------------------------------- */

struct figures {
    double encode_ns;
    double decode_ns;
    uint64_t events;
    uint64_t bytes;
};

/* A ring after the other, half of it at a time, as the drain is woken. */
static struct figures run(const struct words *words, struct pt_chunk_encoder *encoder, struct pt_chunk *chunk)
{
    static uint64_t ring[RING_WORDS];
    struct figures figures = {0};
    struct pt_chunk_source source = {.thread = 1, .generation = 1};
    struct pt_buffer payload = {0};
    uint64_t produced = 0;
    while (source.position < words->count) {
        for (; produced < words->count && produced < source.position + RING_WORDS / 2; produced++)
            ring[produced % RING_WORDS] = words->at[produced];
        payload.size = 0;
        const double start = processor_ns();
        const enum pt_status status = pt_chunk_encode(encoder, &source, ring, RING_WORDS - 1, produced, &payload);
        const double encoded = processor_ns();
        if (status == PT_END)
            break;
        must(status, "encode");
        must(pt_chunk_decode(chunk, payload.data, payload.size), "decode");
        figures.decode_ns += processor_ns() - encoded;
        figures.encode_ns += encoded - start;
        figures.bytes += payload.size;
    }
    figures.events = source.events;
    pt_stack_release(&source.stack);
    pt_buffer_release(&payload);
    return figures;
}

static void measure(const char *path)
{
    struct words words = load(path);
    struct pt_chunk_encoder *encoder;
    struct pt_chunk chunk = {0};
    struct figures best = {.encode_ns = 1e18, .decode_ns = 1e18};
    must(pt_chunk_encoder_new(&encoder, 1), "encoder");
    for (int round = 0; round < ROUNDS; round++) {
        const struct figures figures = run(&words, encoder, &chunk);
        best.encode_ns = figures.encode_ns < best.encode_ns ? figures.encode_ns : best.encode_ns;
        best.decode_ns = figures.decode_ns < best.decode_ns ? figures.decode_ns : best.decode_ns;
        best.events = figures.events;
        best.bytes = figures.bytes;
    }
    const char *slash = strrchr(path, '/');
    const double events = best.events > 0 ? (double)best.events : 1;
    printf("%-28s %10" PRIu64 " events  encode %5.2f ns  decode %5.2f ns  %6.3f bytes\n", slash ? slash + 1 : path,
           best.events, best.encode_ns / events, best.decode_ns / events, (double)best.bytes / events);
    pt_chunk_release(&chunk);
    pt_chunk_encoder_free(encoder);
    free(words.at);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--dump") == 0)
        return dump(argv[2], argv[3]);
    if (argc < 2 || argv[1][0] == '-') {
        fputs("usage: bench_encode --dump TRACE WORDS | bench_encode WORDS...\n", stderr);
        return 2;
    }
    for (int i = 1; i < argc; i++)
        measure(argv[i]);
    return 0;
}
