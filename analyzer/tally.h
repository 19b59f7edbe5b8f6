/* The sums over all calls of each function (or file, module, thread, process: whatever the steps are numbered by).
 *
 * Memory is O(functions + deepest stack). Everything is in ticks of `tick_ns` nanoseconds; tallies of several traces
 * merge. */
#ifndef PT_TALLY_H
#define PT_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"
#include "stash.h"
#include "stream.h"

struct pt_tally_entry {
    uint64_t self;  /* time on top of the stack */
    uint64_t total; /* time on the stack: outermost activations only */
    uint64_t calls;
    uint64_t primitive;            /* calls with no frame of the same number on the stack */
    uint64_t raised;               /* calls and opened frames that an exception ended */
    uint64_t exceptions;           /* that began here; pt_tally_read counts them if the view asks for exceptions */
    uint32_t active;               /* frames open now in the greenlet that runs; 0 between threads */
    uint32_t recursion;            /* the most that ever were */
    struct pt_histogram durations; /* of the primitive calls */
};

/* An open frame. What it has of its own goes to its entry when it is left, so that an entry is touched as rarely as may
 * be. */
struct pt_tally_frame {
    uint64_t entry_clock;
    uint64_t self;
    struct pt_tally_entry *entry;
    uint32_t active; /* frames of this entry, up to this one: 1 is the outermost */
    uint32_t call;   /* 0: opened, its duration is not that of a call */
};

/* A frame that is open at a cut of its thread. */
struct pt_tally_span {
    uint64_t duration; /* up to the cut */
    uint32_t number;
    bool timed; /* an outermost call: its duration counts, once it is known */
};

/* Zeroed, then pt_tally_init. Release with pt_tally_release. The entries hold what was left. */
struct pt_tally {
    struct pt_tally_entry *entries; /* entry_count of them */
    size_t entry_count;
    double tick_ns;
    struct pt_tally_frame *frames; /* frames[0] stands for no frame */
    size_t frame_capacity;
    size_t depth;  /* open frames of the greenlet that runs */
    uint64_t last; /* clock of the last step */
    struct pt_stash stash;

    uint64_t *
        before; /* frames that were open at the cut before, outermost first: when they were left, counted from the cut */
    size_t before_count;
    size_t before_open;           /* the outermost ones are open still */
    struct pt_tally_span *behind; /* those that are open at the cut behind, outermost first */
    size_t behind_count;
};

/* For steps with numbers below `count`. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_tally_init(struct pt_tally *tally, size_t count, double tick_ns);
void pt_tally_release(struct pt_tally *tally);

/* Takes steps of one thread, in order; the next thread may begin when all frames were left. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_tally_add(struct pt_tally *tally, const struct pt_step *steps, size_t count);

/* The same for a chunk, without steps: a pt_stream_run, whose context is the tally. */
pt_stream_run pt_tally_run;

/* Takes the steps that close what is open at a cut (pt_replay_sink.cut). PT_NOMEM. */
PT_MUST_USE enum pt_status pt_tally_cut(struct pt_tally *tally, const struct pt_step *steps, size_t count);

/* Adds what was read of the share behind, in ticks of the same trace: calls that span the cut become whole. PT_NOMEM; PT_MISUSE
 * if it is not the share behind. */
PT_MUST_USE enum pt_status pt_tally_append(struct pt_tally *into, struct pt_tally *from);

/* Adds all of `from`, which has as many entries. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_tally_merge(struct pt_tally *into, const struct pt_tally *from);

static inline uint64_t pt_tally_ns(const struct pt_tally *tally, uint64_t ticks)
{
    return pt_stream_ns(ticks, tally->tick_ns);
}

#endif
