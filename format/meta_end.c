#include "bytes.h"
#include "meta.h"
#include "meta_fields.h"

#define FIELD(key, type, presence, name)                                                                               \
    {                                                                                                                  \
        key, PT_FIELD_##type, PT_FIELD_##presence, offsetof(struct pt_end, name), 0                                    \
    }

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

const struct pt_schema pt_end_schema = {fields, sizeof fields / sizeof *fields, sizeof(struct pt_end)};

enum pt_status pt_end_encode(const struct pt_end *end, struct pt_buffer *out)
{
    size_t start = out->size;
    PT_TRY(pt_fields_encode(&pt_end_schema, end, out));
    PT_TRY(pt_buffer_reserve(out, PT_END_LENGTH_SIZE));
    size_t block = PT_BLOCK_HEADER_SIZE + (out->size - start) + PT_END_LENGTH_SIZE;
    pt_bytes_store32(out->data + out->size, (uint32_t)block);
    out->size += PT_END_LENGTH_SIZE;
    return PT_OK;
}

enum pt_status pt_end_decode(struct pt_end *end, const uint8_t *payload, size_t size)
{
    *end = (struct pt_end){0};
    if (size < PT_END_LENGTH_SIZE)
        return PT_TRUNCATED;
    if (pt_bytes_load32(payload + size - PT_END_LENGTH_SIZE) != PT_BLOCK_HEADER_SIZE + size)
        return PT_CORRUPT;
    return pt_fields_decode(&pt_end_schema, end, payload, size - PT_END_LENGTH_SIZE, NULL);
}

void pt_end_release(struct pt_end *end)
{
    pt_fields_release(&pt_end_schema, end);
}
