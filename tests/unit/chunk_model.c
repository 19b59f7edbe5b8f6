#include "chunk_model.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "varint.h"

/* --- Recording ---------------------------------------------------------------------------------------------------- */

void model_init(struct model *model, uint64_t clock)
{
    *model = (struct model){.clock = clock};
    model->words = calloc(MODEL_WORDS_MAX, sizeof *model->words);
    model->entries = calloc(MODEL_WORDS_MAX, sizeof *model->entries);
    model->stack = calloc(MODEL_WORDS_MAX, sizeof *model->stack);
    cr_assert(model->words && model->entries && model->stack);
}

void model_release(struct model *model)
{
    free(model->words);
    free(model->entries);
    free(model->stack);
}

static struct model_entry *expect(struct model *model, uint32_t kind, uint32_t id)
{
    struct model_entry *entry = &model->entries[model->entry_count++];
    *entry = (struct model_entry){.kind = kind, .id = id, .tick = model->last};
    return entry;
}

static void add_argument(struct model_entry *entry, uint64_t value)
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

void model_event(struct model *model, enum pt_kind kind, uint32_t id)
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
    case PT_KIND_LINE:
    case PT_KIND_OPCODE:
    case PT_KIND_EXCEPTION:
        break;
    default:
        if (model->depth > 0 && (model->stack[model->depth - 1].frame & 1))
            model->depth--;
    }
}

void model_stall(struct model *model, uint64_t ticks)
{
    model_time(model);
    model->words[model->word_count++] = pt_record_pack_control(PT_CONTROL_STALL, 1, model->clock);
    model->words[model->word_count++] = ticks;
    struct model_entry *entry = expect(model, PT_KIND_CONTROL, PT_CONTROL_STALL);
    add_argument(entry, ticks);
    entry->word = model->word_count;
}

void model_lost(struct model *model, uint64_t count, uint64_t unwound, uint32_t known, uint32_t unknown)
{
    model_time(model);
    struct model_entry *entry = expect(model, PT_KIND_CONTROL, PT_CONTROL_LOST);
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

void reading_init(struct reading *reading)
{
    *reading = (struct reading){.source = {.thread = 7, .slot = 3, .generation = 9}};
    cr_assert_eq(pt_chunk_encoder_new(&reading->encoder, 1), PT_OK);
}

void reading_release(struct reading *reading)
{
    pt_chunk_encoder_free(reading->encoder);
    pt_stack_release(&reading->source.stack);
    pt_stack_release(&reading->stack);
    pt_buffer_release(&reading->payload);
    pt_chunk_release(&reading->chunk);
}

void reading_decode(struct reading *reading)
{
    cr_assert_eq(pt_chunk_decode(&reading->chunk, reading->payload.data, reading->payload.size), PT_OK);
    reading->chunks++;
}

void reading_check_keyframe(const struct reading *reading)
{
    const struct pt_chunk *chunk = &reading->chunk;
    const struct pt_stack *stack = &reading->stack;
    cr_assert_eq(chunk->info.depth, stack->depth);
    cr_assert_eq(chunk->keyframe.count, stack->depth < 512 ? stack->depth : 512);
    for (size_t i = 0; i < chunk->keyframe.count; i++) {
        const struct pt_stack_frame *open = &stack->frames[stack->depth - chunk->keyframe.count + i];
        cr_assert_eq(chunk->keyframe.frames[i].frame, open->frame);
        cr_assert_eq(chunk->keyframe.frames[i].entry_tick, open->entry_tick);
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
    reading_check_keyframe(reading);
    pt_chunk_cursor_init(&cursor, &reading->chunk);
    while (pt_chunk_cursor_next(&cursor, &entry)) {
        cr_assert_lt(reading->entries, model->entry_count);
        const struct model_entry *expected = &model->entries[reading->entries++];
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

void reading_check_stack(const struct reading *reading, const struct model *model)
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
void reading_take_ring(struct reading *reading, const struct model *model, const uint64_t *ring, uint64_t mask,
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
        reading_decode(reading);
        check_chunk(reading, model, first_position);
    }
}

void reading_take_all(struct reading *reading, const struct model *model)
{
    reading_take_ring(reading, model, model->words, MODEL_WORDS_MAX - 1, model->word_count);
    cr_assert_not(reading->source.corrupt);
    cr_assert_eq(reading->entries, model->entry_count);
    cr_assert_eq(reading->source.events, model->events);
    cr_assert_eq(reading->source.lost, model->lost);
    reading_check_stack(reading, model);
}
