/* The metadata records of a trace: structs, and their CBOR both ways (SPEC.md 3, 4 and 7).
 *
 * Texts are NUL-terminated, owned by the struct that holds them (free with its _release), never NULL after decode, and
 * valid UTF-8 without NUL only in so far as the writer kept to it: whoever prints them escapes. */
#ifndef PT_META_H
#define PT_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "costs.h"
#include "layout.h"
#include "status.h"

#define PT_META_ABSENT    UINT64_MAX /* in optional numbers */
#define PT_META_TEXTS_MAX (1u << 20) /* of argv and notes; encoders leave out the rest */

struct pt_header {
    uint16_t major;
    uint16_t minor;
    uint64_t incompatible;
    uint64_t compatible;
    uint8_t run_id[16];
    char *boot_id;
    char *recorder;
    char *implementation;
    char *python;
    char *hook;
    char *program;
    char **argv; /* argv_count texts; NULL and 0 if left out */
    size_t argv_count;
    char *executable; /* empty if left out */
    char *host;
    char *machine;
    char *system;
    uint64_t pid;
    uint64_t started_ns;
    char *clock;
    uint64_t tick_ps;
    uint64_t start_tick;
    bool c_calls;
    char *lines;   /* empty if no lines are recorded */
    char *opcodes; /* the same for instructions */
    bool exceptions;
    char *policy;
    bool children;
    uint64_t ring_size;
    uint64_t max_threads;
    uint64_t flush_interval_ns;
    uint64_t max_size;
    uint64_t level;
    struct pt_cost costs[PT_COST_KINDS];
    char *arena;
    char **notes;
    size_t note_count;
};

struct pt_process {
    uint64_t serial;
    uint64_t parent;
    uint64_t pid;
    uint64_t entry;
    uint64_t generation;
    uint64_t inherited;
    uint64_t start_tick;
    uint64_t end_tick; /* PT_META_ABSENT while it lives */
    char *ended;       /* empty while it lives */
    char *origin;      /* "start", "fork", "exec" */
    char *program;     /* of an executed one; empty for others */
    char **notes;
    size_t note_count;
};

struct pt_thread {
    uint64_t serial;
    uint64_t process;
    uint64_t slot;
    uint64_t generation;
    uint64_t native_id;
    char *name;
    uint64_t start_tick;
    uint64_t end_tick; /* PT_META_ABSENT while it lives */
};

struct pt_clock {
    uint64_t tick;
    uint64_t monotonic_ns;
    uint64_t realtime_ns;
};

struct pt_end {
    char *reason;
    uint64_t end_tick;
    uint64_t index; /* offset, or PT_META_ABSENT */
    uint64_t blocks;
    uint64_t events;
    uint64_t lost;
    uint64_t stalled_ticks;
    uint64_t unslotted_threads;
    uint64_t unslotted_events;
};

/* Encoders append a whole block payload to `out`; NULL texts are written as empty ones. PT_NOMEM.
 * Decoders take a whole payload, check it against the rules and caps of SPEC.md, and fill a zeroed struct; on failure
 * nothing is left to release. PT_CORRUPT, PT_TRUNCATED, PT_UNSUPPORTED (header: major or incompatible bits), PT_NOMEM.
 */
PT_MUST_USE enum pt_status pt_header_encode(const struct pt_header *header, struct pt_buffer *out);
PT_MUST_USE enum pt_status pt_header_decode(struct pt_header *header, const uint8_t *payload, size_t size);
void pt_header_release(struct pt_header *header);

PT_MUST_USE enum pt_status pt_process_encode(const struct pt_process *process, struct pt_buffer *out);
PT_MUST_USE enum pt_status pt_process_decode(struct pt_process *process, const uint8_t *payload, size_t size);
/* Decodes a later block of the same process onto what the earlier ones told: keys that it has replace. On failure
 * nothing changed. */
PT_MUST_USE enum pt_status pt_process_update(struct pt_process *process, const uint8_t *payload, size_t size);
void pt_process_release(struct pt_process *process);

PT_MUST_USE enum pt_status pt_thread_encode(const struct pt_thread *thread, struct pt_buffer *out);
PT_MUST_USE enum pt_status pt_thread_decode(struct pt_thread *thread, const uint8_t *payload, size_t size);
PT_MUST_USE enum pt_status pt_thread_update(struct pt_thread *thread, const uint8_t *payload, size_t size);
void pt_thread_release(struct pt_thread *thread);

PT_MUST_USE enum pt_status pt_clock_encode(const struct pt_clock *clock, struct pt_buffer *out);
PT_MUST_USE enum pt_status pt_clock_decode(struct pt_clock *clock, const uint8_t *payload, size_t size);

/* The END payload carries the length of the whole block behind its CBOR. */
PT_MUST_USE enum pt_status pt_end_encode(const struct pt_end *end, struct pt_buffer *out);
PT_MUST_USE enum pt_status pt_end_decode(struct pt_end *end, const uint8_t *payload, size_t size);
void pt_end_release(struct pt_end *end);

#endif
