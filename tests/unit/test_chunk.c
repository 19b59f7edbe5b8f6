/* Records through the encoder and the decoder, against a model that is as plain as SPEC.md. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "chunk.h"
#include "record.h"
#include "varint.h"

/* --- A model of a thread ------------------------------------------------------------------------------------------ */

struct entry {
    uint32_t kind;
    uint32_t id;
    uint64_t tick;
    uint8_t arguments[64];
    uint32_t argument_bytes;
    uint64_t word; /* position behind its record */
};

/* What a recorder writes, and what should be read back. */
struct model {
    uint64_t *words;
    size_t word_count;
    struct entry *entries;
    size_t entry_count;
    struct pt_stack_frame *stack;
    size_t depth;
    uint64_t clock; /* as the recorder sees it */
    uint64_t shift; /* sum of backsteps */
    uint64_t last;
    uint64_t base;
    bool based;
    uint64_t lost;
    uint64_t events;
};

enum { WORDS_MAX = 1 << 20 };

static void model_init(struct model *model, uint64_t clock)
{
    *model = (struct model){.clock = clock};
    model->words = calloc(WORDS_MAX, sizeof *model->words);
    model->entries = calloc(WORDS_MAX, sizeof *model->entries);
    model->stack = calloc(WORDS_MAX, sizeof *model->stack);
    cr_assert(model->words && model->entries && model->stack);
}

static void model_release(struct model *model)
{
    free(model->words);
    free(model->entries);
    free(model->stack);
}

static struct entry *expect(struct model *model, uint32_t kind, uint32_t id)
{
    struct entry *entry = &model->entries[model->entry_count++];
    *entry = (struct entry){.kind = kind, .id = id, .tick = model->last};
    return entry;
}

static void add_argument(struct entry *entry, uint64_t value)
{
    entry->argument_bytes += (uint32_t)pt_varint_encode(entry->arguments + entry->argument_bytes, value);
}

/* Before a record of the present moment: a rebase if the upper bits have changed, a backstep if time went back. */
static void model_time(struct model *model)
{
    if (!model->based || model->clock >> PT_TICK_BITS != model->base >> PT_TICK_BITS) {
        model->words[model->word_count++] = pt_record_pack_control(PT_CONTROL_REBASE, 1, model->clock);
        model->words[model->word_count++] = model->clock;
        if (!model->based)
            model->last = model->clock;
        model->base = model->clock;
        model->based = true;
    }
    uint64_t tick = model->clock + model->shift;
    if (tick < model->last) {
        add_argument(expect(model, PT_KIND_CONTROL, PT_CONTROL_BACKSTEP), model->last - tick);
        model->shift += model->last - tick;
        tick = model->last;
    }
    model->last = tick;
}

static void model_push(struct model *model, uint64_t frame)
{
    model->stack[model->depth++] = (struct pt_stack_frame){.frame = (uint32_t)frame, .entry_tick = model->last};
}

static size_t innermost_python(const struct model *model)
{
    size_t at = model->depth;
    while (at > 0 && (model->stack[at - 1].frame & 1))
        at--;
    return at; /* its height, 0 if there is none */
}

static void model_event(struct model *model, enum pt_kind kind, uint32_t id)
{
    model_time(model);
    model->words[model->word_count++] = pt_record_pack(kind, id, model->clock);
    expect(model, kind, id)->word = model->word_count;
    model->events += kind != PT_KIND_OPEN;
    size_t python = innermost_python(model);
    switch (kind) {
    case PT_KIND_START:
    case PT_KIND_RESUME:
    case PT_KIND_THROW:
    case PT_KIND_OPEN:
        model_push(model, pt_record_frame(id, 0));
        break;
    case PT_KIND_C_CALL:
        model_push(model, pt_record_frame(id, 1));
        break;
    case PT_KIND_RETURN:
    case PT_KIND_YIELD:
        if (python > 0)
            model->depth = python - 1;
        break;
    case PT_KIND_UNWIND:
        if (python > 0 && model->stack[python - 1].frame == pt_record_frame(id, 0))
            model->depth = python - 1;
        break;
    default:
        if (model->depth > 0 && (model->stack[model->depth - 1].frame & 1))
            model->depth--;
    }
}

static void model_stall(struct model *model, uint64_t ticks)
{
    model_time(model);
    model->words[model->word_count++] = pt_record_pack_control(PT_CONTROL_STALL, 1, model->clock);
    model->words[model->word_count++] = ticks;
    struct entry *entry = expect(model, PT_KIND_CONTROL, PT_CONTROL_STALL);
    add_argument(entry, ticks);
    entry->word = model->word_count;
}

static void model_lost(struct model *model, uint64_t count, uint64_t unwound, uint32_t known, uint32_t unknown)
{
    model_time(model);
    struct entry *entry = expect(model, PT_KIND_CONTROL, PT_CONTROL_LOST);
    const uint64_t fixed[4] = {count, 17, unwound, known + unknown};
    model->words[model->word_count++] = pt_record_pack_control(PT_CONTROL_LOST, 4 + known, model->clock);
    for (unsigned i = 0; i < 4; i++) {
        model->words[model->word_count++] = fixed[i];
        add_argument(entry, fixed[i]);
    }
    add_argument(entry, known);
    model->depth -= unwound < model->depth ? unwound : model->depth;
    for (uint32_t i = 0; i < known + unknown; i++) {
        uint64_t frame = i < known ? pt_record_frame(100 + i, (int)(i & 1)) : 0;
        model_push(model, frame);
        if (i >= known)
            continue;
        model->words[model->word_count++] = frame;
        add_argument(entry, frame);
    }
    entry->word = model->word_count;
    model->lost += count;
}

/* --- Reading back ------------------------------------------------------------------------------------------------- */

struct reading {
    struct pt_chunk_encoder *encoder;
    struct pt_chunk_source source;
    struct pt_buffer payload;
    struct pt_chunk chunk;
    struct pt_stack stack; /* kept from chunk to chunk, by the reader's rules */
    size_t entries;        /* that were compared */
    size_t chunks;
};

static void reading_init(struct reading *reading)
{
    *reading = (struct reading){.source = {.thread = 7, .slot = 3, .generation = 9}};
    cr_assert_eq(pt_chunk_encoder_new(&reading->encoder, 1), PT_OK);
}

static void reading_release(struct reading *reading)
{
    pt_chunk_encoder_free(reading->encoder);
    pt_stack_release(&reading->source.stack);
    pt_stack_release(&reading->stack);
    pt_buffer_release(&reading->payload);
    pt_chunk_release(&reading->chunk);
}

static void decode(struct reading *reading)
{
    cr_assert_eq(pt_chunk_decode(&reading->chunk, reading->payload.data, reading->payload.size), PT_OK);
    reading->chunks++;
}

static void check_keyframe(const struct reading *reading)
{
    const struct pt_chunk *chunk = &reading->chunk;
    const struct pt_stack *stack = &reading->stack;
    cr_assert_eq(chunk->info.depth, stack->depth);
    cr_assert_eq(chunk->keyframe_count, stack->depth < 512 ? stack->depth : 512);
    for (size_t i = 0; i < chunk->keyframe_count; i++) {
        const struct pt_stack_frame *open = &stack->frames[stack->depth - chunk->keyframe_count + i];
        cr_assert_eq(chunk->keyframe[i].frame, open->frame);
        cr_assert_eq(chunk->keyframe[i].entry_tick, open->entry_tick);
    }
}

/* Compares the decoded chunk with the next entries of the model. */
static void check_chunk(struct reading *reading, const struct model *model, uint64_t first_position)
{
    const struct pt_chunk_info *info = &reading->chunk.info;
    struct pt_chunk_cursor cursor;
    struct pt_chunk_entry entry;
    uint32_t events = 0;

    cr_assert_eq(info->thread, 7);
    cr_assert_eq(info->slot, 3);
    cr_assert_eq(info->generation, 9);
    cr_assert_eq(info->first_position, first_position);
    check_keyframe(reading);
    pt_chunk_cursor_init(&cursor, &reading->chunk);
    while (pt_chunk_cursor_next(&cursor, &entry)) {
        cr_assert_lt(reading->entries, model->entry_count);
        const struct entry *expected = &model->entries[reading->entries++];
        cr_assert_eq(entry.kind, expected->kind);
        cr_assert_eq(entry.id, expected->id);
        cr_assert_eq(entry.tick, expected->tick);
        cr_assert_eq(entry.argument_bytes, expected->argument_bytes);
        cr_assert(entry.argument_bytes == 0 || memcmp(entry.arguments, expected->arguments, entry.argument_bytes) == 0);
        cr_assert_eq(pt_chunk_entry_apply(&entry, &reading->stack), PT_OK);
        events += entry.kind != PT_KIND_CONTROL && entry.kind != PT_KIND_OPEN;
    }
    cr_assert_eq(info->events, events);
    cr_assert_eq(info->last_tick, entry.tick);
    cr_assert_eq(first_position + info->words, model->entries[reading->entries - 1].word);
}

static void check_stack(const struct reading *reading, const struct model *model)
{
    cr_assert_eq(reading->source.stack.depth, model->depth);
    cr_assert_eq(reading->stack.depth, model->depth);
    for (size_t i = 0; i < model->depth; i++) {
        cr_assert_eq(reading->source.stack.frames[i].frame, model->stack[i].frame);
        cr_assert_eq(reading->source.stack.frames[i].entry_tick, model->stack[i].entry_tick);
        cr_assert_eq(reading->stack.frames[i].frame, model->stack[i].frame);
    }
}

/* Encodes whatever of `ring` lies before `produced`. */
static void read_ring(struct reading *reading, const struct model *model, const uint64_t *ring, uint64_t mask,
                      uint64_t produced)
{
    for (;;) {
        const uint64_t first_position = reading->source.position;
        reading->payload.size = 0;
        enum pt_status status =
            pt_chunk_encode(reading->encoder, &reading->source, ring, mask, produced, &reading->payload);
        if (status == PT_END)
            break;
        cr_assert_eq(status, PT_OK);
        decode(reading);
        check_chunk(reading, model, first_position);
    }
}

static void read_all(struct reading *reading, const struct model *model)
{
    read_ring(reading, model, model->words, WORDS_MAX - 1, model->word_count);
    cr_assert_not(reading->source.corrupt);
    cr_assert_eq(reading->entries, model->entry_count);
    cr_assert_eq(reading->source.events, model->events);
    cr_assert_eq(reading->source.lost, model->lost);
    check_stack(reading, model);
}

/* --- Random streams ----------------------------------------------------------------------------------------------- */

static uint64_t random_state;

static uint64_t below(uint64_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % limit;
}

static void random_step(struct model *model, uint32_t ids, bool strange)
{
    model->clock += below(20) ? below(40) : below(20) ? below(5000) : below(UINT64_C(1) << 37);
    if (strange && below(500) == 0)
        model->clock -= below(UINT64_C(1) << below(40)) % model->clock;
    if (strange && below(300) == 0)
        model_stall(model, below(1000000));
    if (strange && below(1000) == 0)
        model_lost(model, below(100), below(5), (uint32_t)below(4), (uint32_t)below(3));
    const uint32_t id = (uint32_t)below(ids);
    const bool deep = model->depth > 40;
    switch (below(deep ? 6 : 10)) {
    case 0:
    case 1:
        model_event(model, PT_KIND_RETURN, 0);
        break;
    case 2:
    case 3:
        model_event(model, below(10) ? PT_KIND_C_RETURN : PT_KIND_C_RAISE, 0);
        break;
    case 4:
        model_event(model, PT_KIND_YIELD, 0);
        break;
    case 5:
        model_event(model, PT_KIND_UNWIND,
                    model->depth > 0 && below(2) ? model->stack[model->depth - 1].frame >> 1 : id);
        break;
    case 6:
    case 7:
        model_event(model, PT_KIND_START, id);
        break;
    case 8:
        model_event(model, PT_KIND_C_CALL, id);
        break;
    default:
        model_event(model, (enum pt_kind[]){PT_KIND_RESUME, PT_KIND_THROW, PT_KIND_OPEN}[below(3)], id);
    }
}

static void round_trip(uint64_t seed, size_t steps, uint32_t ids, bool strange)
{
    struct model model;
    struct reading reading;
    random_state = seed;
    model_init(&model, UINT64_C(1) << 40);
    reading_init(&reading);
    for (size_t i = 0; i < steps; i++)
        random_step(&model, ids, strange);
    read_all(&reading, &model);
    reading_release(&reading);
    model_release(&model);
}

Test(chunk, what_goes_in_comes_out)
{
    round_trip(1, 200000, 40, false);
}

Test(chunk, stalls_losses_and_a_clock_that_goes_back_come_out_too)
{
    round_trip(2, 200000, 40, true);
}

Test(chunk, more_than_256_symbols_take_wide_codes)
{
    round_trip(3, 200000, 5000, true);
}

Test(chunk, a_chunk_ends_before_its_symbols_exceed_their_number)
{
    struct model model;
    struct reading reading;
    model_init(&model, 1000);
    reading_init(&reading);
    for (uint32_t i = 0; i < 70000; i++)
        model_event(&model, i % 2 ? PT_KIND_START : PT_KIND_UNWIND, 1 + i);
    read_all(&reading, &model);
    cr_assert_geq(reading.chunks, 2);
    reading_release(&reading);
    model_release(&model);
}

Test(chunk, ids_that_collide_make_smaller_chunks_and_nothing_worse)
{
    struct model model;
    struct reading reading;
    model_init(&model, 1000);
    reading_init(&reading);
    /* Multiples of a power of two fall into few places of a multiplicative hash. */
    for (uint32_t i = 0; i < 4096; i++)
        model_event(&model, PT_KIND_START, i << 12);
    read_all(&reading, &model);
    reading_release(&reading);
    model_release(&model);
}

Test(chunk, any_level_of_zstd_will_do)
{
    struct model model;
    struct reading reading;
    random_state = 4;
    model_init(&model, 5);
    reading_init(&reading);
    pt_chunk_encoder_free(reading.encoder);
    cr_assert_eq(pt_chunk_encoder_new(&reading.encoder, 9), PT_OK);
    for (unsigned i = 0; i < 1000; i++)
        random_step(&model, 10, true);
    read_all(&reading, &model);
    reading_release(&reading);
    model_release(&model);
}

/* --- The ring ----------------------------------------------------------------------------------------------------- */

Test(chunk, a_ring_wraps_around_as_often_as_it_likes)
{
    enum { RING = 2048 };
    static uint64_t ring[RING];
    struct model model;
    struct reading reading;
    random_state = 5;
    model_init(&model, 77);
    reading_init(&reading);
    while (model.word_count < 60000)
        random_step(&model, 30, true);

    uint64_t produced = 0;
    while (produced < model.word_count) {
        uint64_t room = reading.source.position + RING - produced;
        uint64_t more = 1 + below(RING);
        more = more < room ? more : room;
        /* A control record is published as a whole. */
        uint64_t end = produced;
        while (end < model.word_count) {
            const uint64_t word = model.words[end];
            const uint64_t length =
                pt_record_kind(word) == PT_KIND_CONTROL ? 1 + (uint64_t)pt_record_control_words(word) : 1;
            if (end + length > produced + more)
                break;
            end += length;
        }
        for (uint64_t i = produced; i < end; i++)
            ring[i % RING] = model.words[i];
        produced = end;
        read_ring(&reading, &model, ring, RING - 1, produced);
    }
    cr_assert_eq(reading.entries, model.entry_count);
    check_stack(&reading, &model);
    reading_release(&reading);
    model_release(&model);
}

Test(chunk, a_rebase_belongs_to_the_chunk_of_the_entry_behind_it)
{
    struct model model;
    struct reading reading;
    model_init(&model, 1000);
    reading_init(&reading);
    model_event(&model, PT_KIND_START, 1);
    const uint64_t first_end = model.word_count;
    model.clock += UINT64_C(1) << PT_TICK_BITS;
    model_event(&model, PT_KIND_RETURN, 0);

    /* The rebase is published, the event behind it is not. */
    read_ring(&reading, &model, model.words, WORDS_MAX - 1, model.word_count - 1);
    cr_assert_eq(reading.source.position, first_end);
    cr_assert_eq(reading.source.base_tick, 1000);
    read_all(&reading, &model);
    cr_assert_eq(reading.chunks, 2);
    cr_assert_eq(reading.source.position, model.word_count);
    reading_release(&reading);
    model_release(&model);
}

/* --- Deep stacks -------------------------------------------------------------------------------------------------- */

Test(chunk, a_keyframe_holds_the_512_innermost_frames)
{
    struct model model;
    struct reading reading;
    model_init(&model, 1000);
    reading_init(&reading);
    for (uint32_t i = 0; i < 100000; i++) {
        model.clock += 3;
        model_event(&model, i % 3 ? PT_KIND_START : PT_KIND_C_CALL, 1 + i % 50);
    }
    for (uint32_t i = 0; i < 100000; i++) {
        model.clock += 3;
        model_event(&model, model.stack[model.depth - 1].frame & 1 ? PT_KIND_C_RETURN : PT_KIND_RETURN, 0);
    }
    read_all(&reading, &model);
    cr_assert_eq(reading.source.stack.depth, 0);
    cr_assert_eq(reading.stack.unmatched, 0);
    cr_assert_eq(reading.stack.missing, 0);
    reading_release(&reading);
    model_release(&model);
}

Test(chunk, frames_that_are_open_at_the_end_are_closed_over_as_many_chunks_as_it_takes)
{
    enum { DEPTH = 150000 };
    struct model model;
    struct reading reading;
    model_init(&model, 1000);
    reading_init(&reading);
    for (uint32_t i = 0; i < DEPTH; i++)
        model_event(&model, PT_KIND_START, 1 + i % 50);
    read_all(&reading, &model);

    const uint64_t end = model.last + 5000;
    uint32_t closed = 0;
    uint32_t flags = 0;
    for (;;) {
        reading.payload.size = 0;
        enum pt_status status = pt_chunk_encode_close(reading.encoder, &reading.source, end, &reading.payload);
        if (status == PT_END)
            break;
        cr_assert_eq(status, PT_OK);
        cr_assert_eq(flags, 0, "nothing follows the last chunk");
        decode(&reading);
        check_keyframe(&reading);
        flags = reading.chunk.info.flags;
        closed += reading.chunk.info.entries;
        cr_assert_eq(reading.chunk.info.words, 0);
        cr_assert_eq(reading.chunk.info.events, 0);
        cr_assert_eq(reading.chunk.info.first_position, model.word_count);
        cr_assert_eq(reading.chunk.info.last_tick, end);
        struct pt_chunk_cursor cursor;
        struct pt_chunk_entry entry;
        pt_chunk_cursor_init(&cursor, &reading.chunk);
        while (pt_chunk_cursor_next(&cursor, &entry)) {
            cr_assert_eq(entry.kind, PT_KIND_CLOSE);
            cr_assert_eq(entry.tick, end);
            cr_assert_eq(pt_chunk_entry_apply(&entry, &reading.stack), PT_OK);
        }
    }
    cr_assert_eq(closed, DEPTH);
    cr_assert_eq(flags, PT_CHUNK_FLAG_LAST);
    cr_assert_eq(reading.stack.depth, 0);
    cr_assert_eq(reading.source.stack.depth, 0);
    reading_release(&reading);
    model_release(&model);
}

Test(chunk, frames_are_not_closed_before_the_last_entry)
{
    struct model model;
    struct reading reading;
    model_init(&model, 1000);
    reading_init(&reading);
    model_event(&model, PT_KIND_START, 1);
    read_all(&reading, &model);
    reading.payload.size = 0;
    cr_assert_eq(pt_chunk_encode_close(reading.encoder, &reading.source, 10, &reading.payload), PT_OK);
    decode(&reading);
    cr_assert_eq(reading.chunk.info.last_tick, 1000);
    reading_release(&reading);
    model_release(&model);
}

Test(chunk, a_loss_pushes_no_more_frames_than_may_be_told)
{
    const uint64_t ring[8] = {pt_record_pack_control(PT_CONTROL_REBASE, 1, 500),
                              500,
                              pt_record_pack_control(PT_CONTROL_LOST, 4, 500),
                              1,
                              1,
                              0,
                              UINT64_MAX};
    struct reading reading;
    reading_init(&reading);
    cr_assert_eq(pt_chunk_encode(reading.encoder, &reading.source, ring, 7, 7, &reading.payload), PT_OK);
    decode(&reading);
    cr_assert_eq(reading.source.stack.depth, PT_LOST_PUSHED_MAX);
    reading_release(&reading);
}

/* Each loss may push as many frames as a chunk may: then each has a chunk of its own. */
Test(chunk, losses_that_push_too_many_frames_do_not_share_a_chunk)
{
    const uint64_t half = PT_LOST_PUSHED_MAX / 2;
    uint64_t ring[32] = {pt_record_pack_control(PT_CONTROL_REBASE, 1, 500), 500};
    const uint64_t pushed[] = {half, half, 1, PT_LOST_PUSHED_MAX};
    const uint64_t last_of_chunk[] = {1, 2, 3};
    size_t produced = 2;
    for (size_t i = 0; i < 4; i++) {
        const uint64_t record[] = {pt_record_pack_control(PT_CONTROL_LOST, 4, 500), 1, 1, PT_LOST_PUSHED_MAX,
                                   pushed[i]};
        memcpy(ring + produced, record, sizeof record);
        produced += 5;
    }
    struct reading reading;
    reading_init(&reading);
    for (size_t i = 0; i < 3; i++) {
        reading.payload.size = 0;
        cr_assert_eq(pt_chunk_encode(reading.encoder, &reading.source, ring, 31, produced, &reading.payload), PT_OK);
        decode(&reading);
        cr_expect_eq(reading.source.position, 2 + 5 * (1 + last_of_chunk[i]));
        cr_expect_eq(reading.source.stack.depth, pushed[last_of_chunk[i]]);
    }
    cr_expect_eq(pt_chunk_encode(reading.encoder, &reading.source, ring, 31, produced, &reading.payload), PT_END);
    reading_release(&reading);
}

/* --- Records that break the rules --------------------------------------------------------------------------------- */

/* A start of function 1 precedes `words`; how many entries are encoded before the source is given up? */
static void refuses(const uint64_t *words, size_t count)
{
    uint64_t ring[64] = {pt_record_pack_control(PT_CONTROL_REBASE, 1, 500), 500, pt_record_pack(PT_KIND_START, 1, 500)};
    struct reading reading;
    reading_init(&reading);
    memcpy(ring + 3, words, count * sizeof *words);
    cr_assert_eq(pt_chunk_encode(reading.encoder, &reading.source, ring, 63, 3 + count, &reading.payload), PT_OK);
    cr_assert(reading.source.corrupt);
    cr_assert_eq(reading.source.position, 3);
    decode(&reading);
    cr_assert_eq(reading.chunk.info.entries, 1);
    cr_assert_eq(pt_chunk_encode(reading.encoder, &reading.source, ring, 63, 3 + count, &reading.payload), PT_END);
    reading_release(&reading);
}

#define REFUSES(...) refuses((uint64_t[]){__VA_ARGS__}, sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

Test(corrupt_records, unknown_kinds)
{
    for (uint32_t kind = 0; kind < 31; kind++)
        if (kind < PT_KIND_START || kind > PT_KIND_C_RAISE)
            REFUSES(pt_record_pack((enum pt_kind)kind, 0, 500));
}

Test(corrupt_records, leaves_with_an_id)
{
    REFUSES(pt_record_pack(PT_KIND_RETURN, 1, 500));
    REFUSES(pt_record_pack(PT_KIND_YIELD, 1, 500));
    REFUSES(pt_record_pack(PT_KIND_C_RETURN, 1, 500));
    REFUSES(pt_record_pack(PT_KIND_C_RAISE, 1, 500));
}

Test(corrupt_records, unknown_controls)
{
    for (uint32_t subtype = 0; subtype < 256; subtype++)
        if (subtype < PT_CONTROL_REBASE || subtype > PT_CONTROL_LOST)
            REFUSES(pt_record_pack_control((enum pt_control)subtype, 1, 500), 1);
}

Test(corrupt_records, controls_of_the_wrong_length)
{
    REFUSES(pt_record_pack_control(PT_CONTROL_REBASE, 0, 500));
    REFUSES(pt_record_pack_control(PT_CONTROL_REBASE, 2, 500), 500, 500);
    REFUSES(pt_record_pack_control(PT_CONTROL_STALL, 0, 500));
    REFUSES(pt_record_pack_control(PT_CONTROL_STALL, 2, 500), 1, 1);
    REFUSES(pt_record_pack_control(PT_CONTROL_LOST, 3, 500), 1, 1, 0);
}

Test(corrupt_records, controls_that_are_not_all_published)
{
    REFUSES(pt_record_pack_control(PT_CONTROL_STALL, 1, 500));
    REFUSES(pt_record_pack_control(PT_CONTROL_REBASE, 1, 500));
    REFUSES(pt_record_pack_control(PT_CONTROL_LOST, 5, 500), 1, 1, 0, 1);
}

Test(corrupt_records, losses_that_tell_of_more_frames_than_they_pushed)
{
    REFUSES(pt_record_pack_control(PT_CONTROL_LOST, 6, 500), 1, 1, 0, 1, 2, 4);
}

Test(corrupt_records, losses_with_a_frame_that_is_no_id)
{
    REFUSES(pt_record_pack_control(PT_CONTROL_LOST, 5, 500), 1, 1, 0, 1, UINT64_C(1) << 25);
}

Test(corrupt_records, a_use_that_begins_without_a_rebase)
{
    uint64_t ring[2] = {pt_record_pack(PT_KIND_START, 1, 500)};
    struct reading reading;
    reading_init(&reading);
    cr_assert_eq(pt_chunk_encode(reading.encoder, &reading.source, ring, 1, 1, &reading.payload), PT_END);
    cr_assert(reading.source.corrupt);
    cr_assert_eq(reading.payload.size, 0);
    reading_release(&reading);
}
