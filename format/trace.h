/* An opened trace: every block found, all metadata decoded, damage noted, the tail of a crashed recording salvaged.
 *
 * Opening decodes no chunk (but the last one of each thread, for salvage). The file stays mapped until pt_trace_free; a
 * file that is being written is read as it stood when it was opened. A trace that is open may be read by several
 * threads. */
#ifndef PT_TRACE_H
#define PT_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chunk.h"
#include "meta.h"
#include "names.h"
#include "status.h"

struct pt_trace_chunk {
    const uint8_t *payload;
    uint32_t size;
    bool recovered;  /* from the arena */
    bool unchecked;  /* its checksum was not verified yet: see pt_trace_options.late_checks_min */
    bool gap_before; /* the previous chunk of this thread is missing: start from the keyframe */
    uint32_t crc;    /* of the payload */
    uint64_t offset; /* of the block in the file; PT_ERROR_NO_OFFSET if recovered */
    struct pt_chunk_info info;
};

struct pt_trace_thread {
    struct pt_thread meta;         /* a thread that only its chunks tell of has a made-up meta, name empty */
    struct pt_trace_chunk *chunks; /* in order of position */
    size_t chunk_count;
};

/* A function of the trace: definitions that agree in kind, module, qualified name, file and first line are one, and of
 * Python functions also in label. Texts live as long as the trace, NUL-terminated, as they were recorded: escape before
 * printing. */
struct pt_function {
    uint32_t kind; /* enum pt_name_kind */
    uint32_t line;
    uint64_t hash;
    const char *module;
    const char *qualname;
    const char *file;
    const char *label; /* what cProfile prints; of a raise site, the type as tracebacks name it; never empty */
};

struct pt_trace_damage {
    uint64_t offset;
    uint64_t length;
    enum pt_status status; /* PT_CORRUPT or PT_TRUNCATED */
    char text[96];         /* "block checksum", "trailing bytes", "chunks of thread 3 missing: 131,072 words", … */
};

enum pt_trace_arena {
    PT_TRACE_ARENA_UNUSED,    /* the file has its end: no arena was looked for */
    PT_TRACE_ARENA_LIVE,      /* the drain is at work: the file was read as it stands */
    PT_TRACE_ARENA_SALVAGED,  /* found and read */
    PT_TRACE_ARENA_NOT_FOUND, /* the tail may be missing */
    PT_TRACE_ARENA_REFUSED,   /* found, but not to be trusted; `arena_text` says why */
};

struct pt_trace {
    char *path;
    struct pt_header header;
    bool has_header;
    struct pt_end end;
    bool has_end;

    struct pt_process *processes; /* by serial − 1; a hole has serial 0 */
    size_t process_count;
    struct pt_trace_thread *threads; /* by serial − 1; a hole has meta.serial 0 */
    size_t thread_count;
    struct pt_clock *clocks; /* in order of tick */
    size_t clock_count;

    struct pt_function *functions; /* number 0 is "unknown" */
    size_t function_count;

    struct pt_trace_damage *damages;
    size_t damage_count; /* the first 1,000 are kept */
    uint64_t damage_bytes;
    uint64_t missing_blocks; /* by the sequence numbers */

    enum pt_trace_arena arena;
    char arena_text[160];
    uint64_t recovered_events;

    uint64_t unchecked_chunks; /* with late checks */
    uint64_t block_count;
    uint64_t file_size;
    uint64_t events; /* in all chunks */
    uint64_t lost;   /* as the end block counts them; without one, what LOST records and the arena tell */
    bool lost_known; /* false if damage or a missing arena hides how much is lost */
    struct pt_trace_private *private;
};

struct pt_trace_options {
    bool no_salvage; /* do not look for the arena */
    /* Of a trace of at least so many bytes that has its INDEX and its END, read what they tell and no chunk: each one's
     * checksum is verified when it is decoded. Damage that a reader does not come across is not noticed then. 0: no such
     * trace. */
    uint64_t late_checks_min;
    uint64_t memory_max; /* cap on what metadata may allocate, bytes; 0 is 1 GiB */
    unsigned wait_ms;    /* if all recorded processes have ended but the drain still works, wait this long for it */
    void (*waiting)(void *context); /* called once if a wait begins; may be NULL */
    void *context;
};

/* PT_IO (cannot open, a directory …), PT_CORRUPT (not a pytrace file: no valid block in it), PT_TRUNCATED (empty, or
 * ends within its first block), PT_UNSUPPORTED, PT_NOMEM. A damaged or unfinished trace opens fine and tells about it.
 */
PT_MUST_USE enum pt_status pt_trace_open(struct pt_trace **out, const char *path,
                                         const struct pt_trace_options *options, struct pt_error *error);
void pt_trace_free(struct pt_trace *trace);

/* Decodes a chunk (pt_chunk_decode), and gives back the memory that reading its payload took, so that a long trace takes
 * no more memory than a short one. May be called by several threads, each with an `out` of its own. PT_TRUNCATED,
 * PT_CORRUPT, PT_NOMEM. */
PT_MUST_USE enum pt_status pt_trace_chunk_decode(const struct pt_trace *trace, const struct pt_trace_chunk *chunk,
                                                 struct pt_chunk *out);

/* The number (into `functions`) of function `id` of process `serial`; 0 if unknown. Inherited ids are followed. */
uint32_t pt_trace_function(const struct pt_trace *trace, uint64_t process_serial, uint32_t id);

/* A tick as nanoseconds since the start of the trace, by the clock triples (linear between them), else by tick_ps.
 * Never negative, never decreasing with `tick`. */
uint64_t pt_trace_ns(const struct pt_trace *trace, uint64_t tick);

/* Mean length of a tick over the whole trace, in nanoseconds: for durations. */
double pt_trace_tick_ns(const struct pt_trace *trace);

/* Start and end of the trace in ticks: those of the header and the end block, else of the first and last thing known.
 */
uint64_t pt_trace_start_tick(const struct pt_trace *trace);
uint64_t pt_trace_end_tick(const struct pt_trace *trace);

/* An end block, no damage, nothing lost. */
bool pt_trace_complete(const struct pt_trace *trace);

#endif
