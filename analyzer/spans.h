/* A trace as spans of time: each function begins and ends at a moment, nested in the one that called it. For exports that draw.
 *
 * Moments are nanoseconds since the start of the trace; along a track they never go back, and every begin has its end. Time in which a
 * thread waited is a span of its own (PT_EXPORT_UNRECORDED), and so is what filters leave out within a function (PT_EXPORT_LEFT_OUT). */
#ifndef PT_SPANS_H
#define PT_SPANS_H

#include <stdbool.h>
#include <stdint.h>

#include "report.h"

/* Where greenlets are drawn: each on a track of its own, with a span PT_EXPORT_SUSPENDED while others run; or all on that of their
 * thread, where the spans of one end when another one goes on, and begin again later. */
enum pt_spans_greenlets { PT_SPANS_APART, PT_SPANS_TOGETHER };

struct pt_spans_track {
    const struct pt_input_thread *thread;
    uint32_t number; /* from 0 on, in order of appearance */
    uint32_t
        greenlet; /* 0: that which the thread began with; the others have greater numbers, those of the dead again */
};

/* Anything but PT_OK from one of these ends the reading and is returned. */
struct pt_spans_sink {
    void *context;
    enum pt_status (*track)(void *context, const struct pt_spans_track *track); /* it is about to begin */
    enum pt_status (*begin)(void *context, const struct pt_spans_track *track, uint32_t name,
                            uint64_t ns); /* pt_export_names */
    enum pt_status (*end)(void *context, const struct pt_spans_track *track, uint32_t name, uint64_t ns);
};

/* Reads every chosen thread, one after another. Memory is O(deepest stack + suspended stacks). PT_NOMEM; PT_END after Ctrl-C. */
PT_MUST_USE enum pt_status pt_spans_read(struct pt_report *report, enum pt_spans_greenlets greenlets,
                                         const struct pt_spans_sink *sink);

#endif
