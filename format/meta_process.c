#include "meta.h"
#include "meta_fields.h"

#define FIELD(key, type, presence, name)                                                                               \
    {                                                                                                                  \
        key, PT_FIELD_##type, PT_FIELD_##presence, offsetof(struct pt_process, name), 0                                \
    }

static const struct pt_field fields[] = {
    FIELD("process", UINT, REQUIRED, serial),
    FIELD("parent", UINT, USUAL, parent),
    FIELD("pid", UINT, USUAL, pid),
    FIELD("entry", UINT, USUAL, entry),
    FIELD("generation", UINT, USUAL, generation),
    FIELD("inherited", UINT, USUAL, inherited),
    FIELD("start_tick", UINT, USUAL, start_tick),
    FIELD("end_tick", UINT, OPTIONAL, end_tick),
    FIELD("ended", TEXT, OPTIONAL, ended),
    FIELD("origin", TEXT, USUAL, origin),
    FIELD("program", TEXT, OPTIONAL, program),
    {"notes", PT_FIELD_TEXTS, PT_FIELD_OPTIONAL, offsetof(struct pt_process, notes),
     offsetof(struct pt_process, note_count)},
};

static const struct pt_schema schema = {fields, sizeof fields / sizeof *fields, sizeof(struct pt_process)};

enum pt_status pt_process_encode(const struct pt_process *process, struct pt_buffer *out)
{
    return pt_fields_encode(&schema, process, out);
}

/* Serial numbers count from 1: a zero would name nothing. */
static enum pt_status decode(struct pt_process *process, const uint8_t *payload, size_t size, uint64_t *present)
{
    PT_TRY(pt_fields_decode(&schema, process, payload, size, present));
    if (process->serial == 0) {
        pt_process_release(process);
        return PT_CORRUPT;
    }
    return PT_OK;
}

enum pt_status pt_process_decode(struct pt_process *process, const uint8_t *payload, size_t size)
{
    return decode(process, payload, size, NULL);
}

enum pt_status pt_process_update(struct pt_process *process, const uint8_t *payload, size_t size)
{
    struct pt_process later;
    uint64_t present;
    PT_TRY(decode(&later, payload, size, &present));
    pt_fields_merge(&schema, process, &later, present);
    return PT_OK;
}

void pt_process_release(struct pt_process *process)
{
    pt_fields_release(&schema, process);
}
