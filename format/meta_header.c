#include "bytes.h"
#include "meta.h"
#include "meta_fields.h"

#define FIELD(key, type, presence, name)                                                                               \
    {                                                                                                                  \
        key, PT_FIELD_##type, PT_FIELD_##presence, offsetof(struct pt_header, name), 0                                 \
    }
#define TEXTS(key, name, count)                                                                                        \
    {                                                                                                                  \
        key, PT_FIELD_TEXTS, PT_FIELD_OPTIONAL, offsetof(struct pt_header, name), offsetof(struct pt_header, count)    \
    }
#define COST(of, kind)                                                                                                 \
    FIELD(of "_own_ps", UINT, OPTIONAL, costs[kind].own_ps),                                                           \
        FIELD(of "_caller_ps", UINT, OPTIONAL, costs[kind].caller_ps)

static const struct pt_field fields[] = {
    FIELD("run", RUN_ID, USUAL, run_id),
    FIELD("boot", TEXT, USUAL, boot_id),
    FIELD("recorder", TEXT, USUAL, recorder),
    FIELD("implementation", TEXT, USUAL, implementation),
    FIELD("python", TEXT, USUAL, python),
    FIELD("hook", TEXT, USUAL, hook),
    FIELD("program", TEXT, USUAL, program),
    TEXTS("argv", argv, argv_count),
    FIELD("executable", TEXT, OPTIONAL, executable),
    FIELD("host", TEXT, USUAL, host),
    FIELD("machine", TEXT, USUAL, machine),
    FIELD("system", TEXT, USUAL, system),
    FIELD("pid", UINT, USUAL, pid),
    FIELD("started_ns", UINT, USUAL, started_ns),
    FIELD("clock", TEXT, USUAL, clock),
    FIELD("tick_ps", UINT, USUAL, tick_ps),
    FIELD("start_tick", UINT, USUAL, start_tick),
    FIELD("c_calls", BOOL, USUAL, c_calls),
    FIELD("lines", TEXT, OPTIONAL, lines),
    FIELD("opcodes", TEXT, OPTIONAL, opcodes),
    FIELD("exceptions", BOOL, USUAL, exceptions),
    FIELD("policy", TEXT, USUAL, policy),
    FIELD("children", BOOL, USUAL, children),
    FIELD("ring_size", UINT, USUAL, ring_size),
    FIELD("max_threads", UINT, USUAL, max_threads),
    FIELD("flush_interval_ns", UINT, USUAL, flush_interval_ns),
    FIELD("max_size", UINT, USUAL, max_size),
    FIELD("level", UINT, USUAL, level),
    COST("call", PT_COST_CALL),
    COST("c_call", PT_COST_C_CALL),
    COST("resume", PT_COST_RESUME),
    FIELD("arena", TEXT, USUAL, arena),
    TEXTS("notes", notes, note_count),
};

const struct pt_schema pt_header_schema = {fields, sizeof fields / sizeof *fields, sizeof(struct pt_header)};

enum pt_status pt_header_encode(const struct pt_header *header, struct pt_buffer *out)
{
    PT_TRY(pt_buffer_reserve(out, PT_HEADER_FIXED_SIZE));
    uint8_t *at = out->data + out->size;
    pt_bytes_store16(at + PT_HEADER_OFF_MAJOR, header->major);
    pt_bytes_store16(at + PT_HEADER_OFF_MINOR, header->minor);
    pt_bytes_store32(at + PT_HEADER_OFF_RESERVED, 0);
    pt_bytes_store64(at + PT_HEADER_OFF_INCOMPATIBLE, header->incompatible);
    pt_bytes_store64(at + PT_HEADER_OFF_COMPATIBLE, header->compatible);
    out->size += PT_HEADER_FIXED_SIZE;
    return pt_fields_encode(&pt_header_schema, header, out);
}

/* Version and features first: nothing else may be believed, nor called corrupt, before they are known. */
enum pt_status pt_header_decode(struct pt_header *header, const uint8_t *payload, size_t size)
{
    *header = (struct pt_header){0};
    if (size < PT_HEADER_FIXED_SIZE)
        return PT_TRUNCATED;
    uint16_t major = pt_bytes_load16(payload + PT_HEADER_OFF_MAJOR);
    uint64_t incompatible = pt_bytes_load64(payload + PT_HEADER_OFF_INCOMPATIBLE);
    if (major > PT_FORMAT_MAJOR || incompatible & ~(uint64_t)PT_FORMAT_INCOMPATIBLE)
        return PT_UNSUPPORTED;
    if (major == 0 || pt_bytes_load32(payload + PT_HEADER_OFF_RESERVED) != 0)
        return PT_CORRUPT;
    PT_TRY(
        pt_fields_decode(&pt_header_schema, header, payload + PT_HEADER_FIXED_SIZE, size - PT_HEADER_FIXED_SIZE, NULL));
    header->major = major;
    header->minor = pt_bytes_load16(payload + PT_HEADER_OFF_MINOR);
    header->incompatible = incompatible;
    header->compatible = pt_bytes_load64(payload + PT_HEADER_OFF_COMPATIBLE);
    return PT_OK;
}

void pt_header_release(struct pt_header *header)
{
    pt_fields_release(&pt_header_schema, header);
}
