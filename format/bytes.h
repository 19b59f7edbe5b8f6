/* Little-endian loads and stores at byte offsets: the only way in which on-disk values are read and written. */
#ifndef PT_BYTES_H
#define PT_BYTES_H

#include <stdint.h>
#include <string.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "pytrace runs on little-endian machines only (x86-64, aarch64)"
#endif

static inline uint16_t pt_bytes_load16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint32_t pt_bytes_load32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint64_t pt_bytes_load64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline void pt_bytes_store16(uint8_t *at, uint16_t value)
{
    memcpy(at, &value, sizeof value);
}

static inline void pt_bytes_store32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

static inline void pt_bytes_store64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof value);
}

#endif
