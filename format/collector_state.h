/* What a collector knows (internal to collector*.c). */
#ifndef PT_COLLECTOR_STATE_H
#define PT_COLLECTOR_STATE_H

#include "collector.h"
#include "names.h"

/* An entry of the process table, and the process that was seen in it last. */
struct pt_collector_process {
    uint64_t serial; /* 0: none was seen yet */
    uint32_t generation;
    uint32_t parent; /* its entry, PT_ARENA_NO_PROCESS if that process is not known */
    uint32_t parent_generation;
    uint32_t next_id; /* of the next definition in the journal */
    uint64_t journal_position;
    uint64_t parent_serial;
    uint64_t pid;
    uint64_t inherited;
    uint64_t start_tick;
    uint32_t origin; /* enum pt_process_origin */
    bool journal_corrupt;
    bool owner_dead; /* as this turn found it, before it looked at any slot */
    bool ended;      /* the trace says so */
    bool returned;   /* the entry was given back: what lies there now belongs to someone else */
    uint32_t open_uses;
};

/* A slot, and the use of it that is being read. */
struct pt_collector_use {
    uint64_t serial; /* of the thread; 0: none */
    uint32_t generation;
    uint32_t process;            /* entry */
    uint32_t process_generation; /* which use of that entry */
    uint64_t process_serial;
    uint64_t native_id;
    uint64_t start_tick;
    struct pt_chunk_source source;
    char name[65]; /* as the trace has it */
    bool gone;     /* its thread writes no more, and everything it wrote was read */
    bool finished; /* the trace has its end */
    unsigned turns_unknown;
};

struct pt_collector {
    const struct pt_arena *arena;
    struct pt_collector_settings settings;
    pt_collector_sink *sink;
    void *context;
    struct pt_chunk_encoder *encoder;
    uint32_t process_count; /* those that a turn looks at: the first ones of the arena's */
    uint32_t slot_count;
    struct pt_collector_process *processes; /* one for each entry of the arena */
    struct pt_collector_use *uses;          /* one for each slot */
    uint64_t next_process;                  /* serials */
    uint64_t next_thread;
    uint64_t latest_tick; /* the last tick of any entry so far */
    uint64_t latest_end;  /* of any thread or process */
    uint64_t patience_ticks;
    struct pt_collector_totals totals; /* of what has ended */
    struct pt_buffer payload;
    struct pt_buffer chunk;               /* not empty: made, but not yet taken by the sink */
    struct pt_collector_use *chunk_maker; /* whose it is */
    struct pt_names_builder names;
    uint8_t scratch[PT_JOURNAL_ENTRY_MAX];
};

/* Whether the process that is, or was last, in entry `index` is the one that used it as `generation`. */
static inline bool pt_collector_process_is_seen(const struct pt_collector *collector, uint32_t index,
                                                uint32_t generation)
{
    const struct pt_collector_process *process = &collector->processes[index];
    return process->serial != 0 && process->generation == generation;
}

/* collector_process.c */

/* Writes a PROCESS block for each process that has appeared. Parents first. */
PT_MUST_USE enum pt_status pt_collector_processes_see(struct pt_collector *collector, uint64_t now_tick);
/* Writes the end of each process that has ended, and gives entries back. */
PT_MUST_USE enum pt_status pt_collector_processes_end(struct pt_collector *collector, uint64_t now_tick);
/* Ends one that may still live. */
PT_MUST_USE enum pt_status pt_collector_process_end(struct pt_collector *collector, uint32_t index, uint64_t end_tick,
                                                    const char *ended);

/* collector_names.c */

/* Writes the names that the process in entry `index`, and those it inherits from, have published. */
PT_MUST_USE enum pt_status pt_collector_names_read(struct pt_collector *collector, uint32_t index);

/* collector_slot.c */

/* Hands over the chunk that the sink refused last time, if there is one. */
PT_MUST_USE enum pt_status pt_collector_chunk_deliver(struct pt_collector *collector);
/* Adds what the slot of `use` has counted. */
void pt_collector_use_count(const struct pt_collector *collector, const struct pt_collector_use *use, uint32_t index,
                            struct pt_collector_totals *totals);
/* Reads one slot: new threads, names, chunks. */
PT_MUST_USE enum pt_status pt_collector_slot_read(struct pt_collector *collector, uint32_t index,
                                                  enum pt_collector_depth depth);
/* Closes the use of a slot whose thread is gone, and gives the slot back. */
PT_MUST_USE enum pt_status pt_collector_slot_end(struct pt_collector *collector, uint32_t index, uint64_t now_tick);
/* Closes a use whose thread may still live. */
PT_MUST_USE enum pt_status pt_collector_use_close(struct pt_collector *collector, uint32_t index, uint64_t end_tick);

/* After a consumer position was moved: wakes who waits for room. */
void pt_collector_wake(const struct pt_collector *collector);

#endif
