/* The way from the arena to blocks: the drain, and salvage after a crash, are both this.
 *
 * A collector looks at every process and slot of an arena, and hands to its sink, in an order that SPEC.md 4.3 and
 * 8.5 allow, the payloads of PROCESS, THREAD, NAMES and CHUNK blocks. It never writes to the arena except, when
 * `live`, what is the drain's to write: consumed positions, the count of live processes, and entries that it gives
 * back once their owner is gone. It never locks an owner's mutex. Not thread-safe. */
#ifndef PT_COLLECTOR_H
#define PT_COLLECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buffer.h"
#include "chunk.h"
#include "meta.h"
#include "status.h"

/* Takes one block payload. Anything but PT_OK stops the collector's turn and is returned by it; what was not taken
 * will be handed over again in the next turn. */
typedef enum pt_status pt_collector_sink(void *context, enum pt_block_type type, const uint8_t *payload, uint32_t size);

struct pt_collector_settings {
    bool live; /* the drain: move `consumed`, recycle entries. false: salvage, the arena is a private copy */
    int zstd_level;
};

struct pt_collector;

PT_MUST_USE enum pt_status pt_collector_new(struct pt_collector **out, const struct pt_arena *arena,
                                            const struct pt_collector_settings *settings, pt_collector_sink *sink,
                                            void *context);
void pt_collector_free(struct pt_collector *collector);

/* Live: no more than these, the first of the arena's, are or were reserved so far, so that a turn need not look at the
 * others. Without this it looks at all. */
void pt_collector_set_reserved(struct pt_collector *collector, uint32_t processes, uint32_t slots);

/* Salvage: what the trace file already holds. Processes and threads known by the file keep their serials; `next_id`
 * is one more than the last id that the file defines for the process, 0 if it defines none; `source` (taken over,
 * stack included) is where the thread's last chunk ended. PT_OK. */
PT_MUST_USE enum pt_status pt_collector_know_process(struct pt_collector *collector, const struct pt_process *process,
                                                     uint32_t next_id);
PT_MUST_USE enum pt_status pt_collector_know_thread(struct pt_collector *collector, const struct pt_thread *thread,
                                                    struct pt_chunk_source *source);

enum pt_collector_depth {
    PT_COLLECT_FULL_CHUNKS, /* a ring at its mark (half full), or a full chunk: what a wake asks for */
    PT_COLLECT_ALL,         /* everything published: flush interval, and the end */
};

/* One turn over all entries: new processes and threads, names, chunks; finishes (CLOSE entries, THREAD and PROCESS
 * end) those whose owner has died or that left. `now_tick` dates an end that nobody recorded, if it is later than the
 * last entry of any thread. PT_OK, or what the sink returned, or PT_NOMEM. */
PT_MUST_USE enum pt_status pt_collector_turn(struct pt_collector *collector, enum pt_collector_depth depth,
                                             uint64_t now_tick);

/* The end of the recording: everything published is taken, then every thread that is still open is closed at
 * `end_tick` and every process that still lives is ended as `ended` (static text: "stopped", "limit", "killed"). If
 * the sink refuses something, call it again. */
PT_MUST_USE enum pt_status pt_collector_finish(struct pt_collector *collector, uint64_t end_tick, const char *ended);

/* Live: no child that was announced before that tick and has not come will come. Their entries are free again, those
 * that come all the same do not get in. Without this that is so ten seconds after the announcement. */
void pt_collector_forget_unborn(struct pt_collector *collector, uint64_t before_tick);

struct pt_collector_totals {
    uint64_t events; /* encoded */
    uint64_t lost;   /* as the slots count them, unslotted threads included */
    uint64_t untold; /* those of them that no chunk tells of; salvage: nor one in the file */
    uint64_t stalled_ticks;
    uint64_t corrupt_slots; /* uses of a slot whose ring held nonsense */
    uint32_t live_processes;
    const char *first_ended; /* how the process that started the recording ended, NULL while it lives; static text */
    uint64_t latest_tick;    /* of all entries, and all ends of threads and processes */
};
void pt_collector_totals(const struct pt_collector *collector, struct pt_collector_totals *totals);

#endif
