#include "bytes.h"
#include "meta.h"
#include "meta_fields.h"

#define FIELD(key, type, presence, name)                                                                               \
    {                                                                                                                  \
        key, PT_FIELD_##type, PT_FIELD_##presence, offsetof(struct pt_end, name), 0                                    \
    }

#define LENGTH_BYTES 4 /* of the block's length, behind the map */

static const struct pt_field fields[] = {
    FIELD("reason", TEXT, USUAL, reason),
    FIELD("end_tick", UINT, USUAL, end_tick),
    FIELD("index", UINT, OPTIONAL, index),
    FIELD("blocks", UINT, USUAL, blocks),
    FIELD("events", UINT, USUAL, events),
    FIELD("lost", UINT, USUAL, lost),
    FIELD("stalled_ticks", UINT, USUAL, stalled_ticks),
    FIELD("unslotted_threads", UINT, USUAL, unslotted_threads),
    FIELD("unslotted_events", UINT, USUAL, unslotted_events),
};

static const struct pt_schema schema = {fields, sizeof fields / sizeof *fields, sizeof(struct pt_end)};

enum pt_status pt_end_encode(const struct pt_end *end, struct pt_buffer *out)
{
    size_t start = out->size;
    PT_TRY(pt_fields_encode(&schema, end, out));
    PT_TRY(pt_buffer_reserve(out, LENGTH_BYTES));
    size_t block = PT_BLOCK_HEADER_SIZE + (out->size - start) + LENGTH_BYTES;
    pt_bytes_store32(out->data + out->size, (uint32_t)block);
    out->size += LENGTH_BYTES;
    return PT_OK;
}

enum pt_status pt_end_decode(struct pt_end *end, const uint8_t *payload, size_t size)
{
    *end = (struct pt_end){0};
    if (size < LENGTH_BYTES)
        return PT_TRUNCATED;
    if (pt_bytes_load32(payload + size - LENGTH_BYTES) != PT_BLOCK_HEADER_SIZE + size)
        return PT_CORRUPT;
    return pt_fields_decode(&schema, end, payload, size - LENGTH_BYTES, NULL);
}

void pt_end_release(struct pt_end *end)
{
    pt_fields_release(&schema, end);
}
