/* A record: the 8-byte word of a ring (SPEC.md 8.4).
 *
 *     63                           29 28                    5 4      0
 *     [ low 35 bits of the tick      ] [ id, 24 bits          ] [ kind ]
 */
#ifndef PT_RECORD_H
#define PT_RECORD_H

#include <stdint.h>

#include "layout.h"

#define PT_RECORD_TICK_SHIFT (PT_KIND_BITS + PT_ID_BITS)

/* `tick` may be the full tick: its upper bits are shifted out. */
static inline uint64_t pt_record_pack(enum pt_kind kind, uint32_t id, uint64_t tick)
{
    return tick << PT_RECORD_TICK_SHIFT | (uint64_t)id << PT_KIND_BITS | (uint64_t)kind;
}

static inline uint32_t pt_record_kind(uint64_t record)
{
    return (uint32_t)(record & ((1u << PT_KIND_BITS) - 1));
}

static inline uint32_t pt_record_id(uint64_t record)
{
    return (uint32_t)(record >> PT_KIND_BITS) & PT_ID_MAX;
}

/* A line, an instruction or an exception: an event inside a frame, which neither enters nor leaves one. */
static inline int pt_record_is_inner(uint32_t kind)
{
    return kind >= PT_KIND_LINE && kind <= PT_KIND_EXCEPTION;
}

/* The symbol of SPEC.md 5: kind and id without the time. */
static inline uint32_t pt_record_symbol(uint64_t record)
{
    return (uint32_t)(record & ((UINT64_C(1) << PT_RECORD_TICK_SHIFT) - 1));
}

static inline uint64_t pt_record_tick_low(uint64_t record)
{
    return record >> PT_RECORD_TICK_SHIFT;
}

/* The full tick, given any tick with the same upper bits (that of the last rebase). */
static inline uint64_t pt_record_tick(uint64_t record, uint64_t base)
{
    return (base >> PT_TICK_BITS << PT_TICK_BITS) | pt_record_tick_low(record);
}

/* Head of a control record with `words` further words. */
static inline uint64_t pt_record_pack_control(enum pt_control subtype, uint32_t words, uint64_t tick)
{
    return pt_record_pack(PT_KIND_CONTROL, (uint32_t)subtype | words << 8, tick);
}

static inline uint32_t pt_record_control_subtype(uint64_t record)
{
    return pt_record_id(record) & 0xFF;
}

static inline uint32_t pt_record_control_words(uint64_t record)
{
    return pt_record_id(record) >> 8;
}

/* A frame as one number, in LOST records and keyframes. */
static inline uint64_t pt_record_frame(uint32_t id, int is_c)
{
    return (uint64_t)id << 1 | (is_c ? 1 : 0);
}

#endif
