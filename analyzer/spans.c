#include "spans.h"

#include <stdlib.h>

#include "export_names.h"
#include "replay.h"
#include "report_function.h"
#include "stash.h"

struct reader {
    const struct pt_spans_sink *sink;
    const struct pt_input *input;
    bool apart;
    uint32_t *names; /* of the open frames of the greenlet that runs */
    size_t depth;
    size_t capacity;
    size_t mark;           /* its track + 1; 0: none yet */
    struct pt_stash stash; /* with such marks */
    bool paused;
    struct pt_spans_track track;
    uint32_t tracks; /* so far */
};

static enum pt_status tell_begin(struct reader *self, uint32_t name, uint64_t ns)
{
    if (self->mark == 0) {
        self->track.number = self->tracks++;
        self->track.greenlet = self->apart ? self->stash.place : 0;
        self->mark = self->tracks;
        PT_TRY(self->sink->track(self->sink->context, &self->track));
    }
    return self->sink->begin(self->sink->context, &self->track, name, ns);
}

static enum pt_status begin(struct reader *self, uint32_t name, uint64_t ns)
{
    if (self->depth == self->capacity) {
        size_t capacity = self->capacity ? 2 * self->capacity : 64;
        uint32_t *names = reallocarray(self->names, capacity, sizeof *names);
        if (!names)
            return PT_NOMEM;
        self->names = names;
        self->capacity = capacity;
    }
    self->names[self->depth++] = name;
    return tell_begin(self, name, ns);
}

static enum pt_status end(struct reader *self, uint64_t ns)
{
    if (self->depth == 0)
        return PT_OK;
    const uint32_t name = self->names[--self->depth];
    return self->sink->end(self->sink->context, &self->track, name, ns);
}

/* What is open in the greenlet that stops, or goes on, looks from outside as if it waited, or was left and entered. */
static enum pt_status stop_greenlet(struct reader *self, uint64_t ns)
{
    if (self->apart && self->depth > 0)
        return begin(self, pt_export_names_suspended(self->input), ns);
    for (size_t i = self->depth; i-- > 0;)
        PT_TRY(self->sink->end(self->sink->context, &self->track, self->names[i], ns));
    return PT_OK;
}

static enum pt_status resume_greenlet(struct reader *self, uint64_t ns)
{
    if (self->apart)
        return end(self, ns);
    for (size_t i = 0; i < self->depth; i++)
        PT_TRY(tell_begin(self, self->names[i], ns));
    return PT_OK;
}

static enum pt_status switch_to(struct reader *self, uint32_t place, uint64_t ns)
{
    PT_TRY(stop_greenlet(self, ns));
    struct pt_stash_stack stack = {self->names, self->depth, self->capacity, self->mark, 0};
    uint64_t away;
    PT_TRY(pt_stash_switch(&self->stash, place, 0, &stack, &away));
    self->names = stack.frames;
    self->depth = stack.depth;
    self->capacity = stack.capacity;
    if (self->apart) {
        self->mark = stack.mark;
        self->track.number = (uint32_t)self->mark - 1;
        self->track.greenlet = place;
    }
    return resume_greenlet(self, ns);
}

static enum pt_status begin_thread(void *context, const struct pt_input_thread *thread)
{
    struct reader *self = context;
    for (size_t place = 0; place < self->stash.count; place++)
        self->stash.stacks[place].mark = 0;
    self->track = (struct pt_spans_track){.thread = thread};
    self->mark = 0;
    return PT_OK;
}

static enum pt_status add_step(struct reader *self, const struct pt_step *step)
{
    const uint64_t ns = pt_trace_ns(self->track.thread->origin->trace, step->clock);
    switch ((enum pt_step_kind)step->kind) {
    case PT_STEP_CALL:
    case PT_STEP_OPEN:
        return begin(self, step->function, ns);
    case PT_STEP_LEAVE:
    case PT_STEP_RAISE:
    case PT_STEP_CLOSE:
        return end(self, ns);
    case PT_STEP_PAUSE:
        if (self->paused || self->depth == 0)
            return PT_OK;
        self->paused = true;
        return begin(self,
                     step->function == PT_STREAM_LEFT_OUT ? pt_export_names_left_out(self->input)
                                                          : pt_export_names_unrecorded(self->input),
                     ns);
    case PT_STEP_SKIP:
        if (!self->paused)
            return PT_OK;
        self->paused = false;
        return end(self, ns);
    case PT_STEP_SWITCH:
        return switch_to(self, step->function, ns);
    case PT_STEP_LINE:
    case PT_STEP_OPCODE:
    case PT_STEP_EXCEPTION:
        break; /* not asked for */
    }
    return PT_OK;
}

static enum pt_status add_steps(void *context, const struct pt_step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++)
        PT_TRY(add_step(context, &steps[i]));
    return PT_OK;
}

enum pt_status pt_spans_read(struct pt_report *report, enum pt_spans_greenlets greenlets,
                             const struct pt_spans_sink *sink)
{
    struct reader self = {.sink = sink, .input = report->input, .apart = greenlets == PT_SPANS_APART};
    struct pt_replay_sink steps = {.context = &self, .thread = begin_thread, .steps = add_steps};
    struct pt_stream_view view;
    uint8_t *flags = NULL;
    enum pt_status status = pt_report_function_view(report, &view, &flags);
    view.real_time = true;
    if (status == PT_OK)
        status = pt_replay(report, &view, &steps);
    pt_stash_release(&self.stash);
    free(self.names);
    free(flags);
    return status;
}
