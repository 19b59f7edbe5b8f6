/* Varints (SPEC.md, introduction): unsigned LEB128, at most 64 bits, shortest form only. */
#ifndef PT_VARINT_H
#define PT_VARINT_H

#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "status.h"

#define PT_VARINT_MAX_BYTES 10

/* Writes `value` at `at`, which has room for PT_VARINT_MAX_BYTES; returns the bytes used. */
static inline size_t pt_varint_encode(uint8_t *at, uint64_t value)
{
    size_t used = 0;
    while (value >= 0x80) {
        at[used++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    at[used++] = (uint8_t)value;
    return used;
}

/* Appends `value` to `buffer`. PT_NOMEM. */
PT_MUST_USE static inline enum pt_status pt_varint_append(struct pt_buffer *buffer, uint64_t value)
{
    PT_TRY(pt_buffer_reserve(buffer, PT_VARINT_MAX_BYTES));
    buffer->size += pt_varint_encode(buffer->data + buffer->size, value);
    return PT_OK;
}

/* Reads a varint at `*at`, never at or past `end`, and moves `*at` behind it. PT_TRUNCATED; PT_CORRUPT if it is
 * longer than it need be or exceeds 64 bits. */
PT_MUST_USE static inline enum pt_status pt_varint_decode(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    const uint8_t *p = *at;
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (p == end)
            return PT_TRUNCATED;
        uint8_t byte = *p++;
        if (shift == 63 && byte > 1)
            return PT_CORRUPT;
        result |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            if (byte == 0 && shift > 0)
                return PT_CORRUPT;
            *at = p;
            *value = result;
            return PT_OK;
        }
    }
    return PT_CORRUPT;
}

#endif
