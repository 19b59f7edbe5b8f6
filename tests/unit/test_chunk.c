/* Records through the encoder and the decoder, against a model. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "chunk.h"
#include "chunk_model.h"
#include "record.h"

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
    if (below(4) == 0)
        model_event(model, (enum pt_kind[]){PT_KIND_LINE, PT_KIND_OPCODE, PT_KIND_EXCEPTION}[below(3)], id);
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
    reading_take_all(&reading, &model);
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
    reading_take_all(&reading, &model);
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
    reading_take_all(&reading, &model);
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
    reading_take_all(&reading, &model);
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
        reading_take_ring(&reading, &model, ring, RING - 1, produced);
    }
    cr_assert_eq(reading.entries, model.entry_count);
    reading_check_stack(&reading, &model);
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
    reading_take_ring(&reading, &model, model.words, MODEL_WORDS_MAX - 1, model.word_count - 1);
    cr_assert_eq(reading.source.position, first_end);
    cr_assert_eq(reading.source.base_tick, 1000);
    reading_take_all(&reading, &model);
    cr_assert_eq(reading.chunks, 2);
    cr_assert_eq(reading.source.position, model.word_count);
    reading_release(&reading);
    model_release(&model);
}
