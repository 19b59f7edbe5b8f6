/* A 64-bit hash of a sequence of words and bytes: the same in every process and on every machine, unlike Python's own.
 */
#ifndef PT_DIGEST_H
#define PT_DIGEST_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Starts with any seed; two digests with different seeds are as good as independent. */
struct pt_digest {
    uint64_t value;
};

static inline void pt_digest_add(struct pt_digest *digest, uint64_t word)
{
    const uint64_t odd = UINT64_C(0x9E3779B97F4A7C15);
    unsigned __int128 product = (unsigned __int128)(digest->value ^ word ^ odd) * UINT64_C(0xD6E8FEB86659FD93);
    /* The rotation keeps the state alive where the product is zero. */
    digest->value = (uint64_t)product ^ (uint64_t)(product >> 64) ^ (digest->value << 23 | digest->value >> 41);
}

/* The length is part of what is hashed: "ab" "c" differs from "a" "bc". */
static inline void pt_digest_add_bytes(struct pt_digest *digest, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    pt_digest_add(digest, size);
    for (; size >= 8; bytes += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        pt_digest_add(digest, word);
    }
    uint64_t rest = 0;
    memcpy(&rest, bytes, size);
    if (size > 0)
        pt_digest_add(digest, rest);
}

#endif
