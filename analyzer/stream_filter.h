/* The filters over steps: a nested sequence goes in, the part of it that was asked for comes out, nested again
 * (internal to stream.c).
 *
 * A moment is kept if it lies in the range and the stack then holds a FOCUS function (where there is a focus), a ROOT
 * function (where there is a root), and no IGNORE function. The clock of what comes out runs in kept moments only. A
 * frame comes out when its first kept moment is reached, so that ancestors of a match are there with their calls, and
 * what never was on a kept path is not. HIDE functions never come out: their time is that of the caller. What recording
 * cost in kept moments is taken away, under --compensate. */
#ifndef PT_STREAM_FILTER_H
#define PT_STREAM_FILTER_H

#include "stash.h"
#include "stream.h"

struct pt_stream_filter_frame {
    uint32_t function;
    uint8_t kind;  /* PT_STEP_CALL or PT_STEP_OPEN */
    uint8_t flags; /* PT_FILTER_… */
};

struct pt_stream_filter {
    const struct pt_stream_view *view;
    const struct pt_compensation *compensation;
    uint64_t from; /* ticks */
    uint64_t to;

    struct pt_stream_filter_frame *frames; /* all open frames of the greenlet that runs, shown or not */
    size_t depth;
    size_t capacity;
    size_t reached; /* the frames below this have come out, if they ever will */
    struct pt_stash stash;
    size_t focused; /* open frames of each sort */
    size_t ignored;
    size_t rooted;
    uint64_t last;  /* tick of the last step that came in */
    uint64_t clock; /* of what comes out */
    uint64_t now;   /* the same, in real time */
    bool
        left_out; /* a PAUSE has come out, because what happens now is not kept, though frames are open: only in real time */
    bool begun;
    bool ended; /* the range is over and everything shown was closed: nothing more will come out */

    struct pt_step *steps; /* what came out */
    size_t step_count;
    size_t step_capacity;
};

/* Begins with a thread. The filter's memory is used again; zeroed is a filter without any. */
void pt_stream_filter_begin(struct pt_stream_filter *filter, const struct pt_stream_view *view,
                            const struct pt_input_trace *origin);

/* Filters steps that carry function numbers; what comes out replaces filter->steps. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_stream_filter_run(struct pt_stream_filter *filter, const struct pt_step *steps,
                                                size_t count);

void pt_stream_filter_release(struct pt_stream_filter *filter);

#endif
