/* All chosen threads of an input, one after another, as steps for whoever sums them up: with progress, Ctrl-C and the
 * figures that the header line shows (report->figures). */
#ifndef PT_REPLAY_H
#define PT_REPLAY_H

#include <stdatomic.h>

#include "report.h"
#include "stream.h"

/* Anything but PT_OK from one of these ends the replay and is returned. */
struct pt_replay_sink {
    void *context;
    enum pt_status (*thread)(void *context, const struct pt_input_thread *thread); /* a thread begins; may be NULL */
    enum pt_status (*steps)(void *context, const struct pt_step *steps, size_t count);
    pt_stream_run *run; /* takes most of what there is without steps; may be NULL */
};

/* How many processors --jobs allows. */
size_t pt_replay_jobs(const struct pt_report *report);

/* Replays all chosen threads through `view`: on two processors if it may, one that makes steps while the other takes
 * them. The sink is called by the calling thread alone. PT_NOMEM; PT_END after Ctrl-C. */
PT_MUST_USE enum pt_status pt_replay(struct pt_report *report, const struct pt_stream_view *view,
                                     const struct pt_replay_sink *sink);

/* The same for one of `workers`, each with a sink of its own: `next` (0 at first) hands out the threads. */
PT_MUST_USE enum pt_status pt_replay_share(struct pt_report *report, const struct pt_stream_view *view,
                                           const struct pt_replay_sink *sink, atomic_size_t *next, size_t workers);

#endif
