/* Reading the CBOR of SPEC.md item by item: unsigned integers, byte strings, texts, arrays, maps and booleans of
 * definite length. Everything else is PT_CORRUPT, also where it stands in a key that nobody knows.
 *
 * The input is hostile: no allocation, no recursion, every length and count is checked against the bytes that are left.
 * After anything but PT_OK the reader must not be used again. */
#ifndef PT_CBOR_READER_H
#define PT_CBOR_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

#define PT_CBOR_DEPTH_MAX 8 /* of arrays and maps within each other, the outermost map included */

struct pt_cbor_reader {
    const uint8_t *at;
    const uint8_t *end;
};

enum pt_cbor_type {
    PT_CBOR_REFUSED, /* no type of ours */
    PT_CBOR_UINT,
    PT_CBOR_BYTES,
    PT_CBOR_TEXT,
    PT_CBOR_ARRAY,
    PT_CBOR_MAP,
    PT_CBOR_BOOL,
};

struct pt_cbor_item {
    enum pt_cbor_type type;
    uint64_t number; /* the value, the size of a string in bytes, the items of an array, the pairs of a map, 0 or 1 */
    const uint8_t *data; /* of a string, borrowed from the input */
};

/* Reads one item; of an array or a map its head alone. PT_TRUNCATED, PT_CORRUPT. */
PT_MUST_USE enum pt_status pt_cbor_read(struct pt_cbor_reader *reader, struct pt_cbor_item *item);

/* The same, and PT_CORRUPT if it is not of `type`. */
PT_MUST_USE enum pt_status pt_cbor_read_type(struct pt_cbor_reader *reader, enum pt_cbor_type type,
                                             struct pt_cbor_item *item);

/* Reads a value of the outermost map and all that is in it, and forgets it. PT_CORRUPT also if it is too deep. */
PT_MUST_USE enum pt_status pt_cbor_skip(struct pt_cbor_reader *reader);

/* PT_CORRUPT unless the input was read to its end. */
PT_MUST_USE enum pt_status pt_cbor_read_end(const struct pt_cbor_reader *reader);

bool pt_cbor_text_equals(const struct pt_cbor_item *item, const char *text);

#endif
