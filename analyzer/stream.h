/* One thread's chunks as a sequence of steps: frames entered and left, properly nested, on one clock; where the thread
 * runs greenlets, nested in each of them.
 *
 * Whatever was wrong with the recording is put right here, so that no reader of steps need know about it: every enter
 * has a leave behind it, and clocks never go back. Unmatched leaves yield nothing, missing ones are made up, lost
 * events become the leaves and enters that the LOST record tells of, and where a chunk is missing its keyframe tells
 * which frames survive.
 *
 * The filters act here too (--focus, --ignore, --hide, --root, --range): a report sees only the paths that were asked
 * for. Its clock stands still at all other moments, so that differences of clocks are exactly the time that was asked
 * about. Under --compensate it runs faster, by its `shift`, and goes back a little at each call (compensation.h). */
#ifndef PT_STREAM_H
#define PT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "filter.h"
#include "input.h"
#include "status.h"

enum pt_step_kind {
    PT_STEP_CALL,  /* a frame was entered: a call */
    PT_STEP_OPEN,  /* a frame was entered unseen (open at the start, lost): its time counts, no call does */
    PT_STEP_LEAVE, /* the innermost frame was left: return, yield, or no leave of its own was seen */
    PT_STEP_RAISE, /* the same, by an exception */
    PT_STEP_CLOSE, /* the innermost frame was still open when the recording, or the range, ended */
    PT_STEP_PAUSE, /* the time from here to the next step, which is a SKIP, is nobody's self time */
    PT_STEP_SKIP,  /* end of a stall or of a gap */
    /* Another greenlet goes on: the open frames are set aside, and those that were set aside at the place `function` are
     * open in their stead (none, the first time). At the place where the frames so far are kept they are found again.
     * While they lie there no time passes for them. A thread begins and ends at place 0. */
    PT_STEP_SWITCH,
    /* Inside of a frame, where the view asks for it: of the innermost one, unless that is one of a C function whose leave
     * is missing. */
    PT_STEP_LINE,
    PT_STEP_OPCODE,
    PT_STEP_EXCEPTION,
};

/* In the order of kinds of entries and of steps. */
enum pt_stream_inner { PT_STREAM_LINES = 1, PT_STREAM_OPCODES = 2, PT_STREAM_EXCEPTIONS = 4 };

/* In pt_step.function of a PAUSE: filters leave out the time up to the SKIP; only where the view is in real time. */
#define PT_STREAM_LEFT_OUT 1

/* `clock`: each takes the clock_ns of the input's trace; only differences within a thread mean anything. */
struct pt_step {
    uint64_t clock;
    uint32_t
        function;  /* of CALL and OPEN: the number in the input, or what the view makes of it; of SWITCH: a place; of
                          LINE and OPCODE: the line, the offset; of EXCEPTION: the raise site's number in the input */
    uint16_t kind; /* enum pt_step_kind */
    uint16_t cost; /* of CALL: enum pt_cost_kind */
};

/* How to look at the input. */
struct pt_stream_view {
    unsigned filters; /* PT_FILTER_… bits for which there is a pattern at all */
    const uint8_t
        *flags; /* by function of the input: the PT_FILTER_… bits that it matches; may be NULL if `filters` is 0 */
    enum pt_by
        by; /* FUNCTION: steps carry function numbers, or what `numbers` makes of them; THREAD, PROCESS: tid or pid */
    const uint32_t *numbers; /* by function of the input: what to report in its place, e.g. its file; NULL: itself */
    unsigned inner;          /* PT_STREAM_… */
    bool
        real_time; /* the clock runs on where filters are in force, too: what they leave out while a frame stays open stands
                              * between PAUSE and SKIP */
};

/* A sum of differences of clocks in nanoseconds. It is less than nothing where costs were overestimated: then it is 0. */
static inline uint64_t pt_stream_ns(uint64_t sum, double clock_ns)
{
    return (int64_t)sum > 0 ? (uint64_t)((double)sum * clock_ns + 0.5) : 0;
}

struct pt_stream;

/* `input` and what `view` points to must outlive the stream. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_stream_new(struct pt_stream **out, const struct pt_input *input,
                                         const struct pt_stream_view *view);
void pt_stream_free(struct pt_stream *stream);

/* From now on, unless there are filters, `run` is called with each chunk that was decoded, and takes what it can, steps
 * that were made before included: see stream_walk.h. PT_CORRUPT, PT_NOMEM. */
typedef enum pt_status pt_stream_run(void *context, struct pt_stream *stream);
void pt_stream_run_by(struct pt_stream *stream, pt_stream_run *run, void *context);

/* Begins with a thread: at its start or, where there is a range, at a chunk not long before that. The stream's memory is used
 * again. */
void pt_stream_begin(struct pt_stream *stream, const struct pt_input_thread *thread);

/* The same for its chunks from number `first` to before number `end`. If there are chunks before or behind them, that is a
 * cut: what is open there is opened, and closed. */
void pt_stream_begin_part(struct pt_stream *stream, const struct pt_input_thread *thread, size_t first, size_t end);

/* Whether the steps that were just returned close what is open at the cut behind a part. */
bool pt_stream_at_cut(const struct pt_stream *stream);

/* The next steps; at least one (with a `run`: what it has left), at most some hundred thousand, valid until the next call. PT_END behind the last, when
 * every frame was left; PT_NOMEM. A chunk that cannot be decoded counts as missing. PT_CORRUPT: a thread cannot be cut at
 * the beginning or the end of this part, because what is open there is not what the chunk behind the cut tells; the part is of
 * no use. */
PT_MUST_USE enum pt_status pt_stream_next(struct pt_stream *stream, const struct pt_step **steps, size_t *count);

/* Takes the buffer that holds the steps just returned, so that they stay while the next ones are made, and gives another
 * one (which may be NULL, of capacity 0) for those. Both come from malloc. */
void pt_stream_exchange(struct pt_stream *stream, struct pt_step **steps, size_t *capacity);

/* What was met so far, in all threads. */
struct pt_stream_totals {
    uint64_t events; /* read; the unit of progress */
    uint64_t calls;  /* those that the thread made, filters or not */
    uint64_t lost;
    uint64_t stalled_ticks;
    uint64_t unmatched; /* leaves that closed nothing */
    uint64_t missing;   /* frames closed without a leave of their own */
    uint64_t gaps;
    uint64_t bad_chunks;
};
const struct pt_stream_totals *pt_stream_totals(const struct pt_stream *stream);

#endif
