/* What goes into a chunk must come out of it: a recorder that knows what should be read back, in a model that is as plain
 * as SPEC.md, and a reader that compares. Any failure ends the test. */
#ifndef CHUNK_MODEL_H
#define CHUNK_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chunk.h"

/* --- Recording ---------------------------------------------------------------------------------------------------- */

struct model_entry {
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
    struct model_entry *entries;
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

enum { MODEL_WORDS_MAX = 1 << 20 };

void model_init(struct model *model, uint64_t clock);
void model_release(struct model *model);

/* Records at the present moment; tests move model->clock between. */
void model_event(struct model *model, enum pt_kind kind, uint32_t id);
void model_stall(struct model *model, uint64_t ticks);
/* `count` events were lost, by which `unwound` frames were left and `known` + `unknown` entered. */
void model_lost(struct model *model, uint64_t count, uint64_t unwound, uint32_t known, uint32_t unknown);

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

void reading_init(struct reading *reading);
void reading_release(struct reading *reading);

/* Encodes, decodes and compares whatever of `ring` lies before `produced`. */
void reading_take_ring(struct reading *reading, const struct model *model, const uint64_t *ring, uint64_t mask,
                       uint64_t produced);
/* The same for everything that the model recorded; then nothing must be missing. */
void reading_take_all(struct reading *reading, const struct model *model);

/* Steps of these, for tests that encode on their own. */
void reading_decode(struct reading *reading);
void reading_check_keyframe(const struct reading *reading);
void reading_check_stack(const struct reading *reading, const struct model *model);

#endif
