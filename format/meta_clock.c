#include "meta.h"
#include "meta_fields.h"

#define FIELD(key, type, presence, name)                                                                               \
    {                                                                                                                  \
        key, PT_FIELD_##type, PT_FIELD_##presence, offsetof(struct pt_clock, name), 0                                  \
    }

static const struct pt_field fields[] = {
    FIELD("tick", UINT, REQUIRED, tick),
    FIELD("monotonic_ns", UINT, REQUIRED, monotonic_ns),
    FIELD("realtime_ns", UINT, REQUIRED, realtime_ns),
};

static const struct pt_schema schema = {fields, sizeof fields / sizeof *fields, sizeof(struct pt_clock)};

enum pt_status pt_clock_encode(const struct pt_clock *clock, struct pt_buffer *out)
{
    return pt_fields_encode(&schema, clock, out);
}

enum pt_status pt_clock_decode(struct pt_clock *clock, const uint8_t *payload, size_t size)
{
    return pt_fields_decode(&schema, clock, payload, size, NULL);
}
