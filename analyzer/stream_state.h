/* What a stream knows (internal to stream*.c). */
#ifndef PT_STREAM_STATE_H
#define PT_STREAM_STATE_H

#include "chunk.h"
#include "stream.h"
#include "stream_filter.h"

/* Ticks stay below this, so that sums of a chunk's times cannot wrap. */
#define PT_STREAM_TICK_MAX (UINT64_MAX >> 1)

/* In place of a frame where none is open; no frame has this bit. */
#define PT_STREAM_NO_FRAME UINT32_C(0x80000000)

/* What an entry with a certain symbol does, found out once a chunk. Most entries are a call, or a leave of the innermost
 * frame. Everything else is left to the slow path, by a `match` that nothing fits. */
struct pt_stream_symbol {
    uint32_t shown; /* what a step says of it */
    uint32_t frame; /* 2 × id, plus 1 for C */
    uint32_t mask;  /* a plain leave needs an innermost frame with (frame & mask) == match; 0 for what is none */
    uint32_t match; /* 0 for a plain call */
    uint8_t kind;   /* enum pt_kind */
    uint8_t step;   /* enum pt_step_kind */
    uint8_t enter;  /* 1: it pushes */
    uint8_t call;   /* 1: and is a call … */
    uint8_t cost;   /* … that costs this: enum pt_cost_kind */
};

struct pt_stream {
    const struct pt_input *input;
    struct pt_stream_view view;
    bool filtered;
    const struct pt_input_thread *thread;
    size_t next_chunk;
    size_t end_chunk; /* of the part of the thread that is read */
    bool resumes;     /* the part begins at a cut, and whoever needs to know has not seen it yet */
    bool is_cut;      /* there is a cut before or behind the part */
    bool began;       /* a chunk of this thread was read */
    bool broken;      /* the chunk before could not be read: begin again from the next keyframe */
    bool over;

    uint64_t tick;         /* of the last entry */
    struct pt_stack stack; /* with room for one frame at least */
    uint32_t place;        /* where steps have its frames when they are set aside */

    struct pt_chunk chunk;
    struct pt_stream_symbol *symbols;
    size_t symbol_capacity;
    struct pt_step *steps;
    size_t step_count;
    size_t step_capacity;
    bool compensated; /* what recording cost is taken off the clocks of steps */
    uint64_t spent;   /* so much, up to now; a filter does that by itself */
    struct pt_stream_filter filter;
    pt_stream_run *run; /* NULL: pt_stream_steps_run */
    void *run_context;
    struct pt_stream_totals totals;
};

static inline uint32_t pt_stream_top(const struct pt_stack *stack)
{
    return stack->depth > 0 ? stack->frames[stack->depth - 1].frame : PT_STREAM_NO_FRAME;
}

/* What a report is to see in place of a function of the input. */
uint32_t pt_stream_steps_view(const struct pt_stream *stream, uint32_t number);

/* Makes room for `more` steps behind those that are there. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_stream_steps_reserve(struct pt_stream *stream, size_t more);

/* Puts a step; there must be room. */
static inline void pt_stream_steps_put(struct pt_stream *stream, enum pt_step_kind kind, uint32_t shown, uint64_t clock)
{
    stream->steps[stream->step_count++] = (struct pt_step){.clock = clock, .function = shown, .kind = kind};
}

/* Leaves the innermost `count` frames, of which `kind` is what became of the outermost: the others have no leave of
 * their own. Room for `spare` steps remains. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_stream_steps_leave(struct pt_stream *stream, size_t count, enum pt_step_kind kind,
                                                 size_t spare);

/* Opens a frame whose enter was not seen. Room for `spare` steps remains. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_stream_steps_open(struct pt_stream *stream, uint32_t frame, uint64_t entry_tick,
                                                size_t spare);

/* Greenlet `greenlet` goes on. Room for `spare` steps remains. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_stream_stacks_switch(struct pt_stream *stream, uint64_t greenlet, size_t spare);

/* Leaves every open frame, of all greenlets. The one that ran goes on. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_stream_stacks_close(struct pt_stream *stream, size_t spare);

/* The greenlet that runs has the frames of `keyframe`: those that are open already survive, the others are left, and
 * what is not open is opened. In between nothing was seen until `tick`, if that is later than the last entry: the time
 * is nobody's. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_stream_stacks_meet(struct pt_stream *stream, const struct pt_chunk_keyframe *keyframe,
                                                 uint64_t tick, size_t spare);

/* Applies a control entry, whose arguments `*arguments` points to, and moves that behind them; `before` is the tick of the
 * entry before. Room for `spare` steps remains. PT_CORRUPT, PT_NOMEM. */
PT_MUST_USE enum pt_status pt_stream_stacks_control(struct pt_stream *stream, uint32_t subtype,
                                                    const uint8_t **arguments, uint64_t before, size_t spare);

/* Finds out what the symbols of the decoded chunk do. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_stream_steps_resolve(struct pt_stream *stream);

/* Turns the entries of the decoded chunk into steps. PT_CORRUPT, PT_NOMEM: what was put before stands. */
PT_MUST_USE enum pt_status pt_stream_steps_run(struct pt_stream *stream);

#endif
