/* Chunks: consecutive entries of one thread, compressed (SPEC.md 5). */
#ifndef PT_CHUNK_H
#define PT_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "layout.h"
#include "stack.h"
#include "status.h"

/* The fixed header. */
struct pt_chunk_info {
    uint32_t thread;
    uint32_t slot;
    uint32_t generation;
    uint32_t flags;
    uint64_t first_position;
    uint32_t words;
    uint32_t entries;
    uint64_t first_tick;
    uint64_t last_tick;
    uint32_t events;
    uint32_t depth;
    uint32_t keyframe_bytes;
    uint32_t symbols;
    uint32_t wide_bytes;
    uint32_t argument_bytes;
    uint64_t lost;
    uint32_t code_width;
    uint32_t raw_bytes;
};

/* Reads and checks the fixed header alone: sizes, caps, their sum. PT_TRUNCATED, PT_CORRUPT. */
PT_MUST_USE enum pt_status pt_chunk_info_decode(struct pt_chunk_info *info, const uint8_t *payload, size_t size);
void pt_chunk_info_encode(uint8_t *at, const struct pt_chunk_info *info);

/* --- Encoding ------------------------------------------------------------------------------------------------- */

/* Builds one chunk after another. One encoder serves any number of threads in turn; what belongs to a thread lies in
 * `struct pt_chunk_source`. About 3 MiB, and as much of 4 MiB for times as is
 * used. Not thread-safe. */
struct pt_chunk_encoder;

/* What a thread's stream carries from chunk to chunk. Zeroed at the claim of a slot; release with
 * pt_stack_release(&source.stack). */
struct pt_chunk_source {
    uint64_t position;    /* words encoded so far: where the next chunk begins */
    uint64_t base_tick;   /* that of the last rebase before `position` */
    uint64_t last_tick;   /* of the last entry, or of the first rebase */
    uint64_t shift_ticks; /* sum of the backsteps so far: what is added to the ticks of the ring */
    struct pt_stack stack;
    uint32_t thread;
    uint32_t slot;
    uint32_t generation;
    bool based;      /* a rebase was seen */
    bool corrupt;    /* a record broke the rules: nothing after it can be trusted, the rest of this use is skipped */
    uint64_t events; /* encoded so far */
    uint64_t lost;   /* told by LOST records so far */
};

PT_MUST_USE enum pt_status pt_chunk_encoder_new(struct pt_chunk_encoder **out, int zstd_level);
void pt_chunk_encoder_free(struct pt_chunk_encoder *encoder);

/* Encodes records from `ring` (`mask` = words − 1) from source->position on, at most up to position `produced`, at
 * most one chunk's worth. Appends the payload to `out`, moves the source on. PT_END, and nothing changed, if no entry
 * is there; a rebase is taken together with the entry that follows it. A record that breaks SPEC.md 8.4
 * sets source->corrupt and ends the chunk before it. PT_NOMEM, also for a stack without bounds, leaves a corrupt source
 * too. */
PT_MUST_USE enum pt_status pt_chunk_encode(struct pt_chunk_encoder *encoder, struct pt_chunk_source *source,
                                           const uint64_t *ring, uint64_t mask, uint64_t produced,
                                           struct pt_buffer *out);

/* The end of a thread's stream: closes its open frames at `tick` (not before the last entry), at most one chunk's
 * worth, flagged LAST when the stack is empty afterwards. PT_END, and nothing appended, if the stack was empty. */
PT_MUST_USE enum pt_status pt_chunk_encode_close(struct pt_chunk_encoder *encoder, struct pt_chunk_source *source,
                                                 uint64_t tick, struct pt_buffer *out);

/* --- Decoding ------------------------------------------------------------------------------------------------- */

/* What is told of a greenlet's stack: of the one that runs when a chunk begins, by its keyframe; of others, by the first
 * switch to them. */
struct pt_chunk_keyframe {
    uint64_t greenlet;
    uint64_t depth; /* frames open */
    size_t count;   /* the innermost of them, which are told: all, or PT_CHUNK_KEYFRAME_MAX */
    struct pt_stack_frame frames[PT_CHUNK_KEYFRAME_MAX]; /* outermost first; `python` is not set */
};

/* A decoded chunk. Zeroed is empty; decoding into it again uses its memory again. Release with pt_chunk_release. All
 * parts were checked: codes are below info.symbols, every symbol is a known kind, the wide and argument parts hold
 * what the entries need. */
struct pt_chunk {
    struct pt_chunk_info info;
    const uint32_t *symbols; /* info.symbols of them, without their classes */
    const uint8_t *codes;    /* info.entries of them, if info.code_width is 1 */
    const uint8_t *codes16;  /* the same, 2 bytes each, little-endian and unaligned, if info.code_width is 2 */
    const uint8_t *times;    /* info.entries bytes, in the order of entries */
    const uint8_t *wide;     /* varints for the times that are PT_CHUNK_TIME_ESCAPE */
    const uint8_t *arguments;
    struct pt_chunk_keyframe keyframe;
    struct pt_buffer raw;     /* the parts; with the next one it owns what the pointers above point to */
    struct pt_buffer ordered; /* symbols without classes, times in the order of entries */
    struct pt_buffer scratch; /* for the check that no two symbols are alike; classes and groups */
    void *zstd;               /* decompression context */
};

/* PT_TRUNCATED, PT_CORRUPT, PT_NOMEM. After a failure `chunk` holds nothing, and can be used again or released. */
PT_MUST_USE enum pt_status pt_chunk_decode(struct pt_chunk *chunk, const uint8_t *payload, size_t size);
void pt_chunk_release(struct pt_chunk *chunk);

/* Entries of kinds 1–4, 6–10 and 12–14 are events. `symbol` is one that was checked. */
static inline bool pt_chunk_symbol_is_event(uint32_t symbol)
{
    const uint32_t kind = symbol & ((1u << PT_KIND_BITS) - 1);
    return kind != PT_KIND_OPEN && kind != PT_KIND_CLOSE && kind != PT_KIND_CONTROL;
}

/* Walks the entries of a decoded chunk one by one: simple, for dump, check, salvage and tests. The fast loop of the
 * analyzer reads the columns itself. */
struct pt_chunk_cursor {
    const struct pt_chunk *chunk;
    uint32_t next;
    uint64_t tick;
    const uint8_t *wide;
    const uint8_t *arguments;
};

struct pt_chunk_entry {
    uint32_t kind; /* enum pt_kind */
    uint32_t id;   /* of a control entry: its subtype */
    uint64_t tick;
    uint64_t first_tick;      /* of its chunk */
    const uint8_t *arguments; /* of a control entry */
    uint32_t argument_bytes;
};

void pt_chunk_cursor_init(struct pt_chunk_cursor *cursor, const struct pt_chunk *chunk);
/* 1 and an entry, or 0 at the end. */
int pt_chunk_cursor_next(struct pt_chunk_cursor *cursor, struct pt_chunk_entry *entry);

/* The arguments of a lost entry. `frames` points at varints, `frame_count` of them. */
struct pt_chunk_lost {
    uint64_t count;
    uint64_t from_ticks;
    uint64_t unwound;
    uint64_t pushed;
    uint64_t frame_count;
    const uint8_t *frames;
    const uint8_t *end;
};
PT_MUST_USE enum pt_status pt_chunk_lost_decode(struct pt_chunk_lost *lost, const uint8_t *arguments, uint32_t size);

/* The arguments of a switch entry, of which the chunk begins at `first_tick`. PT_CORRUPT, PT_TRUNCATED. */
PT_MUST_USE enum pt_status pt_chunk_switch_decode(struct pt_chunk_keyframe *to, const uint8_t *arguments, uint32_t size,
                                                  uint64_t first_tick);

/* --- Stacks (SPEC.md 5.5) ----------------------------------------------------------------------------------------- */

/* A decoded chunk begins: the greenlet of its keyframe runs, with the frames that it tells. `*agrees`: the stack was just
 * that; where it was not, it is now. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_chunk_begin(const struct pt_chunk *chunk, struct pt_stack *stack, bool *agrees);

/* Whether what is set aside of the greenlet that a switch goes `to` is what it tells. A greenlet that ran in this chunk
 * before is not told of again. */
bool pt_chunk_switch_agrees(const struct pt_chunk_keyframe *to, const struct pt_stack *stack);

/* Applies one entry, of any kind. PT_CORRUPT for arguments that pt_chunk_decode would not let pass; PT_NOMEM. */
PT_MUST_USE enum pt_status pt_chunk_entry_apply(const struct pt_chunk_entry *entry, struct pt_stack *stack);

#endif
