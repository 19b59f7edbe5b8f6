/* The parts of the strict check. Internal to check_*.c. */
#ifndef PT_CHECK_PRIVATE_H
#define PT_CHECK_PRIVATE_H

#include "check.h"
#include "memory.h"
#include "table.h"

struct pt_check {
    const struct pt_trace *trace;
    pt_check_finding *report;
    void *context;
    uint64_t findings;
    struct pt_memory memory;
    struct pt_table definitions; /* by process and id: 1 + offset of the NAMES block */
};

void pt_check_note(struct pt_check *check, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The offset of the NAMES block that defines a function id of a process, inheritance followed. False if there is none
 * in the file. */
bool pt_check_definition(const struct pt_check *check, uint64_t process, uint32_t id, uint64_t *offset);

/* Order and numbers of the blocks, INDEX and END against the rest, the metadata against each other. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_check_blocks(struct pt_check *check);

/* Every chunk decoded, every stream replayed. After pt_check_blocks. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_check_streams(struct pt_check *check);

#endif
