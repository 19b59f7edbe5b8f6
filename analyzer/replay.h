/* All chosen threads of an input, one after another, as steps for whoever must have them in order: with progress, Ctrl-C and
 * the figures that the header line shows (report->figures). Sums that can be added up are read by shares (shares.h). */
#ifndef PT_REPLAY_H
#define PT_REPLAY_H

#include "report.h"
#include "stream.h"

/* Anything but PT_OK from one of these ends the replay and is returned. */
struct pt_replay_sink {
    void *context;
    enum pt_status (*thread)(void *context, const struct pt_input_thread *thread); /* a thread begins; may be NULL */
    enum pt_status (*steps)(void *context, const struct pt_step *steps, size_t count);
    /* For shares.h alone, and may be NULL: `run` takes most of what there is without steps; `cut` takes the steps that close
     * what is open at a cut. */
    pt_stream_run *run;
    enum pt_status (*cut)(void *context, const struct pt_step *steps, size_t count);
};

/* How many processors --jobs allows. */
size_t pt_replay_jobs(const struct pt_report *report);

/* Replays all chosen threads through `view`: on two processors if it may, one that makes steps while the other takes
 * them. The sink is called by the calling thread alone. PT_NOMEM; PT_END after Ctrl-C. */
PT_MUST_USE enum pt_status pt_replay(struct pt_report *report, const struct pt_stream_view *view,
                                     const struct pt_replay_sink *sink);

#endif
