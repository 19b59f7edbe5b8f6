/* make_trace OUTPUT EVENTS [THREADS]
 *
 * Writes a trace of about EVENTS events through the real encoder and writer: a made-up program of 2,000 functions, half
 * of them in C, whose calls nest, raise and repeat much as those of real programs do (a few functions make most of the
 * calls, most calls are short). The same arguments give the same bytes. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chunk.h"
#include "meta.h"
#include "names.h"
#include "record.h"
#include "writer.h"

#define FUNCTIONS  2000u
#define CALLEES    8u /* of a function, at most */
#define DEPTH_MAX  60u
#define RING_WORDS 65536u
#define TICK_PS    3500u

struct program {
    uint32_t callees[FUNCTIONS + 1][CALLEES]; /* by id; the odd ones are C */
};

struct maker {
    struct pt_writer writer;
    struct pt_chunk_encoder *encoder;
    struct pt_buffer payload;
    struct program program;
    uint64_t random;
    uint64_t tick;
    uint64_t events;
};

struct thread {
    struct pt_chunk_source source;
    uint64_t ring[RING_WORDS];
    uint64_t produced;
    uint32_t stack[DEPTH_MAX];
    uint32_t depth;
};

static void must(enum pt_status status, const char *what)
{
    if (status == PT_OK)
        return;
    fprintf(stderr, "make_trace: %s: %s\n", what, pt_status_name(status));
    exit(1);
}

static uint32_t draw(struct maker *maker, uint32_t below)
{
    maker->random ^= maker->random << 13;
    maker->random ^= maker->random >> 7;
    maker->random ^= maker->random << 17;
    return (uint32_t)((maker->random >> 32) * below >> 32);
}

/* Small numbers often, great ones rarely. */
static uint32_t draw_skewed(struct maker *maker, uint32_t below)
{
    uint64_t a = draw(maker, below);
    uint64_t b = draw(maker, below);
    return (uint32_t)(a * b / below * b / below);
}

static void put_block(struct maker *maker, enum pt_block_type type)
{
    must(pt_writer_block(&maker->writer, type, maker->payload.data, (uint32_t)maker->payload.size, NULL), "write");
    maker->payload.size = 0;
}

/* --- Metadata --------------------------------------------------------------------------------------------------- */

static void put_header(struct maker *maker)
{
    static char version[] = "3.13.0";
    static char program[] = "made-up.py";
    static char implementation[] = "CPython";
    static char hook[] = "monitoring";
    static char clock[] = "tsc";
    static char policy[] = "block";
    struct pt_header header = {
        .major = PT_FORMAT_MAJOR,
        .python = version,
        .program = program,
        .implementation = implementation,
        .hook = hook,
        .clock = clock,
        .policy = policy,
        .tick_ps = TICK_PS,
        .c_calls = true,
        .pid = 1,
        .costs = PT_COSTS_UNMEASURED,
    };
    must(pt_header_encode(&header, &maker->payload), "header");
    put_block(maker, PT_BLOCK_HEADER);
}

static void put_process(struct maker *maker, uint64_t end_tick)
{
    static char ended[] = "exited";
    struct pt_process process = {.serial = 1, .pid = 1, .end_tick = end_tick};
    if (end_tick != PT_META_ABSENT)
        process.ended = ended;
    must(pt_process_encode(&process, &maker->payload), "process");
    put_block(maker, PT_BLOCK_PROCESS);
}

static void put_thread(struct maker *maker, uint32_t serial, uint64_t start_tick, uint64_t end_tick)
{
    char name[32];
    struct pt_thread thread = {
        .serial = serial,
        .process = 1,
        .slot = serial,
        .generation = 1,
        .native_id = serial,
        .name = name,
        .start_tick = start_tick,
        .end_tick = end_tick,
    };
    snprintf(name, sizeof name, "Thread-%" PRIu32, serial);
    must(pt_thread_encode(&thread, &maker->payload), "thread");
    put_block(maker, PT_BLOCK_THREAD);
}

static void put_clock(struct maker *maker, uint64_t tick)
{
    struct pt_clock clock = {.tick = tick, .monotonic_ns = tick * TICK_PS / 1000, .realtime_ns = tick * TICK_PS / 1000};
    must(pt_clock_encode(&clock, &maker->payload), "clock");
    put_block(maker, PT_BLOCK_CLOCK);
}

static void put_names(struct maker *maker)
{
    struct pt_names_builder builder = {0};
    for (uint32_t id = 1; id <= FUNCTIONS; id++) {
        char module[32];
        char qualname[64];
        char file[64];
        uint32_t c = id % 2;
        struct pt_name name = {.kind = c ? PT_NAME_C : PT_NAME_PYTHON, .line = c ? 0 : id};
        name.module = (struct pt_text){module, (uint32_t)snprintf(module, sizeof module, "package.part%u", id / 40)};
        name.qualname =
            (struct pt_text){qualname, (uint32_t)snprintf(qualname, sizeof qualname, "Class%u.method_%u", id / 10, id)};
        if (!c)
            name.file =
                (struct pt_text){file, (uint32_t)snprintf(file, sizeof file, "/srv/package/part%u.py", id / 40)};
        must(pt_names_builder_add(&builder, id, &name), "names");
    }
    must(pt_names_builder_finish(&builder, 1, &maker->payload), "names");
    put_block(maker, PT_BLOCK_NAMES);
    pt_names_builder_release(&builder);
}

/* --- Events ----------------------------------------------------------------------------------------------------- */

static void make_program(struct maker *maker)
{
    for (uint32_t id = 1; id <= FUNCTIONS; id++)
        for (uint32_t i = 0; i < CALLEES; i++)
            maker->program.callees[id][i] = 1 + draw_skewed(maker, FUNCTIONS);
}

static void flush(struct maker *maker, struct thread *thread)
{
    while (thread->source.position < thread->produced) {
        enum pt_status status = pt_chunk_encode(maker->encoder, &thread->source, thread->ring, RING_WORDS - 1,
                                                thread->produced, &maker->payload);
        if (status == PT_END)
            return;
        must(status, "chunk");
        put_block(maker, PT_BLOCK_CHUNK);
    }
}

static void put_word(struct maker *maker, struct thread *thread, uint64_t word)
{
    if (thread->produced - thread->source.position == RING_WORDS)
        flush(maker, thread);
    thread->ring[thread->produced++ & (RING_WORDS - 1)] = word;
}

static void put_event(struct maker *maker, struct thread *thread, enum pt_kind kind, uint32_t id)
{
    uint64_t before = maker->tick;
    maker->tick += 4 + draw_skewed(maker, 40) + (draw(maker, 200) == 0 ? draw(maker, 20000) : 0);
    if (thread->produced == 0 || before >> PT_TICK_BITS != maker->tick >> PT_TICK_BITS) {
        put_word(maker, thread, pt_record_pack_control(PT_CONTROL_REBASE, 1, maker->tick));
        put_word(maker, thread, maker->tick);
    }
    put_word(maker, thread, pt_record_pack(kind, id, maker->tick));
    maker->events++;
}

static void enter(struct maker *maker, struct thread *thread, uint32_t id)
{
    put_event(maker, thread, id % 2 ? PT_KIND_C_CALL : draw(maker, 30) == 0 ? PT_KIND_RESUME : PT_KIND_START, id);
    thread->stack[thread->depth++] = id;
}

static void leave(struct maker *maker, struct thread *thread)
{
    uint32_t id = thread->stack[--thread->depth];
    bool raised = draw(maker, 100) == 0;
    if (id % 2)
        put_event(maker, thread, raised ? PT_KIND_C_RAISE : PT_KIND_C_RETURN, 0);
    else
        put_event(maker, thread, raised ? PT_KIND_UNWIND : PT_KIND_RETURN, raised ? id : 0);
}

static void run_thread(struct maker *maker, struct thread *thread, uint32_t serial, uint64_t events)
{
    uint64_t start_tick = maker->tick;
    uint64_t end = maker->events + events;
    thread->source = (struct pt_chunk_source){.thread = serial, .slot = serial, .generation = 1};
    thread->produced = 0;
    thread->depth = 0;
    put_thread(maker, serial, start_tick, PT_META_ABSENT);
    enter(maker, thread, 2);
    while (maker->events + thread->depth < end) {
        uint32_t top = thread->stack[thread->depth - 1];
        bool deeper = top % 2 ? draw(maker, 20) == 0 : draw(maker, 100) < 54;
        if (thread->depth == 1 || (deeper && thread->depth < DEPTH_MAX))
            enter(maker, thread, maker->program.callees[top][draw_skewed(maker, CALLEES)]);
        else
            leave(maker, thread);
    }
    while (thread->depth > 0)
        leave(maker, thread);
    flush(maker, thread);
    put_thread(maker, serial, start_tick, maker->tick);
    pt_stack_release(&thread->source.stack);
}

int main(int argc, char **argv)
{
    static struct maker maker = {.random = UINT64_C(0x9E3779B97F4A7C15), .tick = 1000};
    static struct thread thread;
    static char reason[] = "exited";
    if (argc < 3) {
        fprintf(stderr, "usage: make_trace OUTPUT EVENTS [THREADS]\n");
        return 2;
    }
    uint64_t events = strtoull(argv[2], NULL, 10);
    uint32_t threads = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 1;
    int descriptor = open(argv[1], O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0666);
    if (descriptor < 0 || threads == 0) {
        perror("make_trace");
        return 1;
    }

    pt_writer_init(&maker.writer, descriptor);
    must(pt_chunk_encoder_new(&maker.encoder, 1), "encoder");
    make_program(&maker);
    put_header(&maker);
    put_process(&maker, PT_META_ABSENT);
    put_clock(&maker, maker.tick);
    put_names(&maker);
    for (uint32_t serial = 1; serial <= threads; serial++)
        run_thread(&maker, &thread, serial, events / threads);
    put_process(&maker, maker.tick);
    put_clock(&maker, maker.tick);
    struct pt_end end = {.reason = reason, .end_tick = maker.tick, .events = maker.events};
    must(pt_writer_end(&maker.writer, &end, NULL), "end");

    printf("%" PRIu64 " events, %" PRIu64 " bytes\n", maker.events, maker.writer.offset);
    pt_buffer_release(&maker.payload);
    pt_chunk_encoder_free(maker.encoder);
    pt_writer_release(&maker.writer);
    return close(descriptor) == 0 ? 0 : 1;
}
