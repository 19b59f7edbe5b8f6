/* Metadata records as tables: a schema ties the members of a C struct to the keys of the CBOR map that carries it, so
 * that encoding, decoding, merging and releasing are written once. Internal to meta_*.c and check_blocks.c. */
#ifndef PT_META_FIELDS_H
#define PT_META_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "status.h"

enum pt_field_type {
    PT_FIELD_UINT,   /* uint64_t */
    PT_FIELD_BOOL,   /* bool */
    PT_FIELD_TEXT,   /* char *, owned */
    PT_FIELD_TEXTS,  /* char **, owned, and a size_t count */
    PT_FIELD_RUN_ID, /* uint8_t[16], a byte string */
};

enum pt_field_presence {
    PT_FIELD_USUAL,    /* always written; 0 or empty where an input lacks it */
    PT_FIELD_REQUIRED, /* an input without it is corrupt */
    PT_FIELD_OPTIONAL, /* left out if PT_META_ABSENT, empty or without items; decoded as that */
};

struct pt_field {
    const char *key;
    enum pt_field_type type;
    enum pt_field_presence presence;
    size_t offset;
    size_t count_offset; /* of PT_FIELD_TEXTS */
};

#define PT_FIELDS_MAX 64

struct pt_schema {
    const struct pt_field *fields;
    size_t field_count; /* at most PT_FIELDS_MAX */
    size_t record_size;
};

/* Of the records that stand alone in a file, so that a strict check can ask what they lack. */
extern const struct pt_schema pt_header_schema;
extern const struct pt_schema pt_end_schema;

/* The key of the first field that is neither optional nor in `present`, or NULL. */
const char *pt_fields_missing(const struct pt_schema *schema, uint64_t present);

/* Appends the map. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_fields_encode(const struct pt_schema *schema, const void *record, struct pt_buffer *out);

/* Decodes a map that fills `size` bytes exactly into `record`, whatever that held before. Unknown keys are skipped.
 * `present` (may be NULL) gets a bit for each field that was there. PT_CORRUPT (also: a known key twice, a text with a
 * NUL in it), PT_TRUNCATED, PT_NOMEM; on failure `record` is zero. */
PT_MUST_USE enum pt_status pt_fields_decode(const struct pt_schema *schema, void *record, const uint8_t *bytes,
                                            size_t size, uint64_t *present);

/* Moves the fields in `present` from `from` to `into`, and releases the rest of `from`. */
void pt_fields_merge(const struct pt_schema *schema, void *into, void *from, uint64_t present);

/* Frees what `record` owns and zeroes it. */
void pt_fields_release(const struct pt_schema *schema, void *record);

#endif
