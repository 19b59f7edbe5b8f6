#include "meta.h"
#include "meta_fields.h"

#define FIELD(key, type, presence, name)                                                                               \
    {                                                                                                                  \
        key, PT_FIELD_##type, PT_FIELD_##presence, offsetof(struct pt_thread, name), 0                                 \
    }

static const struct pt_field fields[] = {
    FIELD("thread", UINT, REQUIRED, serial),
    FIELD("process", UINT, USUAL, process),
    FIELD("slot", UINT, USUAL, slot),
    FIELD("generation", UINT, USUAL, generation),
    FIELD("native_id", UINT, USUAL, native_id),
    FIELD("name", TEXT, USUAL, name),
    FIELD("start_tick", UINT, USUAL, start_tick),
    FIELD("end_tick", UINT, OPTIONAL, end_tick),
};

static const struct pt_schema schema = {fields, sizeof fields / sizeof *fields, sizeof(struct pt_thread)};

enum pt_status pt_thread_encode(const struct pt_thread *thread, struct pt_buffer *out)
{
    return pt_fields_encode(&schema, thread, out);
}

/* Serial numbers count from 1: a zero would name nothing. */
static enum pt_status decode(struct pt_thread *thread, const uint8_t *payload, size_t size, uint64_t *present)
{
    PT_TRY(pt_fields_decode(&schema, thread, payload, size, present));
    if (thread->serial == 0) {
        pt_thread_release(thread);
        return PT_CORRUPT;
    }
    return PT_OK;
}

enum pt_status pt_thread_decode(struct pt_thread *thread, const uint8_t *payload, size_t size)
{
    return decode(thread, payload, size, NULL);
}

enum pt_status pt_thread_update(struct pt_thread *thread, const uint8_t *payload, size_t size)
{
    struct pt_thread later;
    uint64_t present;
    PT_TRY(decode(&later, payload, size, &present));
    pt_fields_merge(&schema, thread, &later, present);
    return PT_OK;
}

void pt_thread_release(struct pt_thread *thread)
{
    pt_fields_release(&schema, thread);
}
