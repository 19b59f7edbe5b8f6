#include "export_threads.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "process_tree.h"
#include "text.h"

/* The name if there is one, then what tells it apart from others of the same name, then the end. */
static enum pt_status put_name(struct pt_buffer *out, const char *name, const char *number)
{
    if (*name) {
        PT_TRY(pt_text_escape(out, name, strlen(name)));
        PT_TRY(pt_buffer_append(out, ", ", 2));
    }
    return pt_buffer_append(out, number, strlen(number) + 1);
}

uint64_t pt_export_threads_system_pid(const struct pt_input_thread *thread)
{
    const struct pt_trace *trace = thread->origin->trace;
    const uint64_t serial = thread->thread->meta.process;
    return serial > 0 && serial <= trace->process_count ? trace->processes[serial - 1].pid : 0;
}

enum pt_status pt_export_threads_thread(struct pt_buffer *out, const struct pt_spans_track *track)
{
    char number[64];
    int size = snprintf(number, sizeof number, "tid %" PRIu64, track->thread->tid);
    if (track->greenlet > 0)
        snprintf(number + size, sizeof number - (size_t)size, ", greenlet %" PRIu32, track->greenlet);
    return put_name(out, track->thread->thread->meta.name, number);
}

enum pt_status pt_export_threads_process(struct pt_buffer *out, const struct pt_input_thread *thread)
{
    char number[64];
    snprintf(number, sizeof number, "process %" PRIu64, thread->pid);
    return put_name(out, pt_process_program(thread->origin->trace, thread->thread->meta.process), number);
}

enum pt_status pt_export_threads_track(struct pt_buffer *out, const struct pt_spans_track *track)
{
    PT_TRY(pt_export_threads_process(out, track->thread));
    out->size--; /* the end */
    PT_TRY(pt_buffer_append(out, ", ", 2));
    return pt_export_threads_thread(out, track);
}
