#include "diff_threads.h"

#include <stdlib.h>
#include <string.h>

#include "options.h"

struct pairing {
    const struct pt_trace *traces[2];
    uint64_t *process; /* by serial of the base: the serial of the new trace, 0 for none; [0] is 0 */
    struct pt_diff_pair *pairs;
    size_t count;
    const struct pt_input_thread **news; /* not paired yet; NULL where they are */
    size_t new_count;
};

/* --- Processes -------------------------------------------------------------------------------------------------- */

static uint64_t parent_of(const struct pt_trace *trace, const struct pt_process *process)
{
    return process->parent <= trace->process_count && process->parent < process->serial ? process->parent : 0;
}

static bool same_process(const struct pairing *self, const struct pt_process *base, const struct pt_process *new)
{
    return self->process[parent_of(self->traces[PT_SIDE_BASE], base)] == parent_of(self->traces[PT_SIDE_NEW], new) &&
           strcmp(base->origin, new->origin) == 0 && strcmp(base->program, new->program) == 0;
}

static enum pt_status pair_processes(struct pairing *self)
{
    const struct pt_trace *base = self->traces[PT_SIDE_BASE];
    const struct pt_trace *new = self->traces[PT_SIDE_NEW];
    uint8_t *taken = calloc(new->process_count + 1, 1);
    self->process = calloc(base->process_count + 1, sizeof *self->process);
    if (!taken || !self->process) {
        free(taken);
        return PT_NOMEM;
    }
    for (size_t b = 0; b < base->process_count; b++) {
        for (size_t n = 0; n < new->process_count && base->processes[b].serial != 0; n++) {
            if (taken[n] || new->processes[n].serial == 0 ||
                !same_process(self, &base->processes[b], &new->processes[n]))
                continue;
            taken[n] = 1;
            self->process[b + 1] = n + 1;
            break;
        }
    }
    free(taken);
    return PT_OK;
}

/* --- Threads ---------------------------------------------------------------------------------------------------- */

static uint64_t partner_process(const struct pairing *self, const struct pt_input_thread *thread)
{
    uint64_t serial = thread->thread->meta.process;
    return serial <= self->traces[PT_SIDE_BASE]->process_count ? self->process[serial] : 0;
}

static void pair_thread(struct pairing *self, struct pt_diff_pair *pair, bool by_name)
{
    const struct pt_input_thread *base = pair->sides[PT_SIDE_BASE];
    const uint64_t process = partner_process(self, base);
    for (size_t i = 0; i < self->new_count; i++) {
        const struct pt_input_thread *new = self->news[i];
        if (!new || new->thread->meta.process != process ||
            (by_name && strcmp(new->thread->meta.name, base->thread->meta.name) != 0))
            continue;
        pair->sides[PT_SIDE_NEW] = new;
        self->news[i] = NULL;
        return;
    }
}

static void pair_threads(struct pairing *self)
{
    size_t bases = self->count;
    for (size_t i = 0; i < bases; i++)
        pair_thread(self, &self->pairs[i], true);
    for (size_t i = 0; i < bases; i++)
        if (!self->pairs[i].sides[PT_SIDE_NEW])
            pair_thread(self, &self->pairs[i], false);
    for (size_t i = 0; i < self->new_count; i++)
        if (self->news[i])
            self->pairs[self->count++].sides[PT_SIDE_NEW] = self->news[i];
}

enum pt_status pt_diff_threads_pair(struct pt_diff_pair **pairs, size_t *count, const struct pt_input *input,
                                    size_t base, size_t new)
{
    struct pairing self = {.traces = {input->traces[base].trace, input->traces[new].trace}};
    enum pt_status status = PT_NOMEM;
    self.pairs = calloc(input->thread_count + 1, sizeof *self.pairs);
    self.news = calloc(input->thread_count + 1, sizeof(struct pt_input_thread *));
    if (!self.pairs || !self.news)
        goto cleanup;
    status = pair_processes(&self);
    if (status != PT_OK)
        goto cleanup;
    for (size_t i = 0; i < input->thread_count; i++) {
        const struct pt_input_thread *thread = &input->threads[i];
        if (thread->origin == &input->traces[base])
            self.pairs[self.count++].sides[PT_SIDE_BASE] = thread;
        else if (thread->origin == &input->traces[new])
            self.news[self.new_count++] = thread;
    }
    pair_threads(&self);
    *pairs = self.pairs;
    *count = self.count;
    self.pairs = NULL;
cleanup:
    free(self.pairs);
    free(self.news);
    free(self.process);
    return status;
}
