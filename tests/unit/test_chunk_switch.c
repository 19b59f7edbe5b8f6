/* Greenlets in chunks: read one after another or each alone, the stacks are those of a model that keeps them apart. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "aside.h"
#include "chunk.h"
#include "record.h"

enum { GREENLETS = 40, DEPTH_MAX = 700, RING_WORDS = 1 << 16, STEPS = 60000, CHUNK_WORDS_MAX = 3000 };

/* A thread that runs greenlets, and what is open in each. */
struct thread {
    uint64_t ring[RING_WORDS];
    uint64_t produced;
    uint64_t tick;
    unsigned now;
    struct {
        uint32_t frames[DEPTH_MAX];
        size_t depth;
    } greenlets[GREENLETS];
};

static uint64_t random_state;

static uint64_t below(uint64_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % limit;
}

static void put(struct thread *thread, uint64_t word)
{
    thread->ring[thread->produced++ % RING_WORDS] = word;
}

static void begin_thread(struct thread *thread)
{
    thread->produced = 0;
    thread->tick = 1000;
    thread->now = 0;
    for (unsigned i = 0; i < GREENLETS; i++)
        thread->greenlets[i].depth = 0;
    put(thread, pt_record_pack_control(PT_CONTROL_REBASE, 1, 1000));
    put(thread, 1000);
}

static void enter(struct thread *thread, uint32_t id, bool is_c)
{
    put(thread, pt_record_pack(is_c ? PT_KIND_C_CALL : PT_KIND_START, id, thread->tick));
    thread->greenlets[thread->now].frames[thread->greenlets[thread->now].depth++] = (uint32_t)pt_record_frame(id, is_c);
}

static void leave(struct thread *thread)
{
    const uint32_t frame = thread->greenlets[thread->now].frames[--thread->greenlets[thread->now].depth];
    put(thread, pt_record_pack(frame & 1 ? PT_KIND_C_RETURN : PT_KIND_RETURN, 0, thread->tick));
}

static void go_to(struct thread *thread, unsigned greenlet)
{
    put(thread, pt_record_pack_control(PT_CONTROL_SWITCH, 1, thread->tick));
    put(thread, greenlet);
    thread->now = greenlet;
}

static void forget(struct thread *thread)
{
    put(thread, pt_record_pack_control(PT_CONTROL_FORGET, 0, thread->tick));
    for (unsigned i = 0; i < GREENLETS; i++)
        thread->greenlets[i].depth = 0;
}

static void random_step(struct thread *thread)
{
    const uint64_t what = below(100);
    const size_t depth = thread->greenlets[thread->now].depth;
    thread->tick += below(30);
    if (what < 12)
        go_to(thread, (unsigned)below(below(3) ? 5 : GREENLETS));
    else if (what == 12 && below(200) == 0)
        forget(thread);
    else if (depth > 0 && (depth == DEPTH_MAX || what < (thread->now % 3 ? 56 : 48)))
        leave(thread);
    else
        enter(thread, (uint32_t)(1 + below(20)), below(3) == 0);
}

static void check_stack(const struct pt_stack *stack, const struct thread *thread)
{
    const uint32_t *frames = thread->greenlets[thread->now].frames;
    cr_assert_eq(stack->greenlet, thread->now);
    cr_assert_eq(stack->depth + stack->unknown, thread->greenlets[thread->now].depth);
    for (size_t i = 0; i < stack->depth; i++)
        cr_assert_eq(stack->frames[i].frame, frames[stack->unknown + i]);
}

/* Reads a chunk: what it leads to; and whether all that it told of stacks was what they were. */
static bool read_chunk(const struct pt_chunk *chunk, struct pt_stack *stack)
{
    struct pt_chunk_cursor cursor;
    struct pt_chunk_entry entry;
    struct pt_chunk_keyframe to;
    bool agrees;
    cr_assert_eq(pt_chunk_begin(chunk, stack, &agrees), PT_OK);
    pt_chunk_cursor_init(&cursor, chunk);
    while (pt_chunk_cursor_next(&cursor, &entry)) {
        if (entry.kind == PT_KIND_CONTROL && entry.id == PT_CONTROL_SWITCH) {
            cr_assert_eq(pt_chunk_switch_decode(&to, entry.arguments, entry.argument_bytes, entry.first_tick), PT_OK);
            agrees = agrees && pt_chunk_switch_agrees(&to, stack);
        }
        cr_assert_eq(pt_chunk_entry_apply(&entry, stack), PT_OK);
    }
    return agrees;
}

struct reader {
    struct pt_chunk_encoder *encoder;
    struct pt_chunk_source source;
    struct pt_buffer payload;
    struct pt_chunk chunk;
    struct pt_stack stack; /* of who reads all chunks */
};

static void encode(struct reader *reader, const struct thread *thread)
{
    reader->payload.size = 0;
    cr_assert_eq(pt_chunk_encode(reader->encoder, &reader->source, thread->ring, RING_WORDS - 1, thread->produced,
                                 &reader->payload),
                 PT_OK);
    cr_assert_eq(reader->source.position, thread->produced);
    cr_assert_eq(pt_chunk_decode(&reader->chunk, reader->payload.data, reader->payload.size), PT_OK);
}

static void begin_reader(struct reader *reader)
{
    *reader = (struct reader){0};
    cr_assert_eq(pt_chunk_encoder_new(&reader->encoder, 1), PT_OK);
}

static void release_reader(struct reader *reader)
{
    pt_stack_release(&reader->stack);
    pt_stack_release(&reader->source.stack);
    pt_chunk_release(&reader->chunk);
    pt_buffer_release(&reader->payload);
    pt_chunk_encoder_free(reader->encoder);
}

Test(chunk_switch, each_chunk_alone_tells_what_all_together_tell)
{
    static struct thread thread;
    struct reader reader;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        random_state = seed * 77;
        begin_thread(&thread);
        begin_reader(&reader);
        uint64_t next = below(CHUNK_WORDS_MAX);
        for (unsigned step = 0; step < STEPS; step++) {
            random_step(&thread);
            if (thread.produced < next)
                continue;
            next = thread.produced + 1 + below(CHUNK_WORDS_MAX);
            struct pt_stack alone = {0};
            encode(&reader, &thread);
            cr_assert(read_chunk(&reader.chunk, &reader.stack));
            (void)read_chunk(&reader.chunk, &alone);
            check_stack(&reader.source.stack, &thread);
            check_stack(&reader.stack, &thread);
            check_stack(&alone, &thread);
            cr_assert_eq(alone.unmatched + alone.missing + reader.stack.unmatched + reader.stack.missing, 0);
            pt_stack_release(&alone);
        }
        release_reader(&reader);
    }
}

Test(chunk_switch, greenlets_that_do_not_run_cost_nothing)
{
    static struct thread thread;
    struct reader reader;
    begin_thread(&thread);
    begin_reader(&reader);
    for (unsigned i = 1; i < GREENLETS; i++) {
        go_to(&thread, i);
        for (unsigned k = 0; k < 50; k++)
            enter(&thread, k, false);
    }
    go_to(&thread, 0);
    enter(&thread, 1, false);
    encode(&reader, &thread);
    leave(&thread);
    go_to(&thread, 7);
    encode(&reader, &thread);
    cr_expect_eq(reader.chunk.info.keyframe_bytes, 4, "number, count, and a frame");
    cr_expect_lt(reader.chunk.info.argument_bytes, 200, "50 frames of one greenlet");
    go_to(&thread, 0);
    go_to(&thread, 7);
    encode(&reader, &thread);
    cr_expect_eq(reader.chunk.info.argument_bytes, 4, "greenlet 7 stands in the keyframe, and 0 has nothing open");
    release_reader(&reader);
}

Test(chunk_switch, memory_is_that_of_open_frames)
{
    static struct thread thread;
    struct reader reader;
    begin_thread(&thread);
    begin_reader(&reader);
    for (uint64_t greenlet = 1; greenlet <= 300000; greenlet++) {
        go_to(&thread, (unsigned)greenlet);
        put(&thread, pt_record_pack(PT_KIND_START, 1, thread.tick));
        put(&thread, pt_record_pack(PT_KIND_RETURN, 0, thread.tick));
        put(&thread, pt_record_pack_control(PT_CONTROL_SWITCH, 1, thread.tick));
        put(&thread, 0);
        if (greenlet % 1000 == 0)
            encode(&reader, &thread);
    }
    cr_expect_leq(pt_aside_place(&reader.source.stack), 1, "places are used again");
    release_reader(&reader);
}

Test(chunk_switch, stacks_beyond_the_cap_are_emptied_and_counted)
{
    struct pt_stack stack = {0};
    for (uint64_t greenlet = 1; greenlet <= PT_ASIDE_MAX + 10; greenlet++) {
        cr_assert_eq(pt_stack_push(&stack, 2, 1), PT_OK);
        cr_assert_eq(pt_aside_has_place(&stack), greenlet <= PT_ASIDE_MAX);
        cr_assert_eq(pt_aside_switch(&stack, greenlet), PT_OK);
    }
    cr_expect_eq(stack.missing, 10);
    cr_assert_eq(pt_aside_switch(&stack, 77), PT_OK);
    cr_expect_eq(stack.depth, 1);
    cr_assert_eq(pt_aside_switch(&stack, PT_ASIDE_MAX + 1), PT_OK);
    cr_expect_eq(stack.depth, 0);
    pt_stack_release(&stack);
}
