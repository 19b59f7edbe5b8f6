/* All chosen threads of an input, replayed by as many workers as --jobs allows, each with sums of its own.
 *
 * What is to be read of a trace is cut into shares of about as many events, in order: worker 0 has the first. A cut may go
 * through a thread, because a chunk tells which frames are open before it. There the frames are closed at the end of one
 * share (PT_STEP_CLOSE) and opened at the beginning of the next (PT_STEP_OPEN), at the same moment, so sums of calls and
 * times need only be added up. A share that ends holds its stack against what the next one began with; if they differ (a
 * damaged trace, greenlets), everything is read again without cutting threads. So what a report says does not depend on
 * the number of workers. */
#ifndef PT_SHARES_H
#define PT_SHARES_H

#include "replay.h"

struct pt_shares {
    void *context; /* of the three functions */
    /* Makes fresh sums for a worker that is to read a share of `origin`, and tells how it is told of steps. What was made
     * when it fails is ended too. */
    enum pt_status (*begin)(void *context, const struct pt_input_trace *origin, struct pt_replay_sink *sink);
    /* Adds the sums of a worker that has read its share. The workers of a trace come in the order of their shares. */
    enum pt_status (*merge)(void *context, struct pt_replay_sink *sink);
    void (*end)(void *context, struct pt_replay_sink *sink); /* releases the sums; `sink` may be zeroed */
};

/* Replays everything through `view`, trace by trace. PT_NOMEM; PT_END after Ctrl-C. */
PT_MUST_USE enum pt_status pt_shares_read(struct pt_report *report, const struct pt_stream_view *view,
                                          const struct pt_shares *how);

#endif
