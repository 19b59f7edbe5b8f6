/* chrome: Trace Event Format, JSON for chrome://tracing, Perfetto and others. Each call is a begin (B) and an end (E) on the track of its
 * thread; moments are microseconds, with three decimals, since the start of the trace. Processes and threads have the numbers
 * that they have in the trace; greenlets have further ones. */

#include "export.h"
#include "export_names.h"
#include "export_threads.h"
#include "header_line.h"
#include "json.h"
#include "spans.h"

struct chrome {
    struct pt_report *report;
    struct pt_export_names names;
    struct pt_json json;
    uint64_t greenlet_tid; /* of the track with number 0: greater than any thread's */
};

static uint64_t tid_of(const struct chrome *self, const struct pt_spans_track *track)
{
    return track->greenlet == 0 ? track->thread->tid : self->greenlet_tid + track->number;
}

static void open_event(struct chrome *self, const struct pt_spans_track *track, const char *phase)
{
    pt_json_open(&self->json, '{', false);
    pt_json_put_text(&self->json, "ph", phase);
    pt_json_put_uint(&self->json, "pid", track->thread->pid);
    pt_json_put_uint(&self->json, "tid", tid_of(self, track));
}

/* --- Tracks ----------------------------------------------------------------------------------------------------- */

static void put_name(struct chrome *self, const struct pt_spans_track *track, const char *what, const char *name)
{
    open_event(self, track, "M");
    pt_json_put_text(&self->json, "name", what);
    pt_json_key(&self->json, "args");
    pt_json_open(&self->json, '{', false);
    pt_json_put_text(&self->json, "name", name);
    pt_json_close(&self->json, '}');
    pt_json_close(&self->json, '}');
}

/* The process is named again by each of its threads: that does no harm. */
static enum pt_status put_track(void *context, const struct pt_spans_track *track)
{
    struct chrome *self = context;
    struct pt_buffer name = {0};
    enum pt_status status = pt_export_threads_process(&name, track->thread);
    if (status == PT_OK)
        put_name(self, track, "process_name", (const char *)name.data);
    name.size = 0;
    if (status == PT_OK)
        status = pt_export_threads_thread(&name, track);
    if (status == PT_OK)
        put_name(self, track, "thread_name", (const char *)name.data);
    pt_buffer_release(&name);
    return status;
}

/* --- Events ----------------------------------------------------------------------------------------------------- */

/* Ends bear the name, too: some readers insist on it. */
static enum pt_status put_event(struct chrome *self, const struct pt_spans_track *track, const char *phase,
                                uint32_t name, uint64_t ns)
{
    open_event(self, track, phase);
    pt_json_put_thousandths(&self->json, "ts", ns);
    pt_json_put_text(&self->json, "name", self->names.names[name]);
    pt_json_close(&self->json, '}');
    return PT_OK;
}

static enum pt_status put_begin(void *context, const struct pt_spans_track *track, uint32_t name, uint64_t ns)
{
    return put_event(context, track, "B", name, ns);
}

static enum pt_status put_end(void *context, const struct pt_spans_track *track, uint32_t name, uint64_t ns)
{
    return put_event(context, track, "E", name, ns);
}

/* --- The rest of the file ------------------------------------------------------------------------------------------ */

static void put_note(void *json, const char *line)
{
    pt_json_text(json, line);
}

static void put_metadata(struct chrome *self)
{
    const struct pt_trace *trace = self->report->input->traces[0].trace;
    pt_json_key(&self->json, "otherData");
    pt_json_open(&self->json, '{', false);
    pt_json_put_text(&self->json, "exporter", "pytrace-analyze " PYTRACE_VERSION);
    pt_json_put_text(&self->json, "trace", trace->path);
    if (trace->has_header)
        pt_json_put_uint(&self->json, "started_ns", trace->header.started_ns);
    pt_json_key(&self->json, "notes");
    pt_json_open(&self->json, '[', false);
    pt_header_line_tell(self->report, put_note, &self->json);
    pt_json_close(&self->json, ']');
    pt_json_close(&self->json, '}');
}

enum pt_status pt_export_chrome(struct pt_report *report)
{
    struct chrome self = {.report = report};
    const struct pt_spans_sink sink = {.context = &self, .track = put_track, .begin = put_begin, .end = put_end};
    enum pt_status status = pt_export_names_make(&self.names, report, "");
    if (status != PT_OK)
        goto cleanup;
    for (size_t i = 0; i < report->input->thread_count; i++)
        if (report->input->threads[i].tid >= self.greenlet_tid)
            self.greenlet_tid = report->input->threads[i].tid + 1;
    pt_json_init(&self.json, report->screen);
    pt_json_open(&self.json, '{', true);
    pt_json_put_text(&self.json, "displayTimeUnit", "ns");
    pt_json_key(&self.json, "traceEvents");
    pt_json_open(&self.json, '[', true);
    status = pt_spans_read(report, PT_SPANS_APART, &sink);
    if (status != PT_OK)
        goto cleanup;
    pt_json_close(&self.json, ']');
    put_metadata(&self);
    pt_json_close(&self.json, '}');
    pt_json_end(&self.json);

cleanup:
    pt_export_names_release(&self.names);
    return status;
}
