/* speedscope: https://www.speedscope.app/file-format-schema.json. A profile for each thread: frames opened and closed, in ns since
 * the start of the trace. Greenlets share the profile of their thread: what one has open is closed there while another one runs. */
#include <string.h>

#include "export.h"
#include "export_names.h"
#include "export_threads.h"
#include "header_line.h"
#include "interrupt.h"
#include "json.h"
#include "spans.h"
#include "text.h"

struct speedscope {
    struct pt_report *report;
    struct pt_export_names names;
    struct pt_json json;
    bool open;        /* a profile is */
    uint64_t last_ns; /* of the last event */
};

/* --- Profiles --------------------------------------------------------------------------------------------------- */

static void close_profile(struct speedscope *self)
{
    if (!self->open)
        return;
    pt_json_close(&self->json, ']');
    pt_json_put_uint(&self->json, "endValue", self->last_ns);
    pt_json_close(&self->json, '}');
    self->open = false;
}

static enum pt_status put_track(void *context, const struct pt_spans_track *track)
{
    struct speedscope *self = context;
    struct pt_buffer name = {0};
    close_profile(self);
    enum pt_status status = pt_export_threads_track(&name, track);
    if (status != PT_OK) {
        pt_buffer_release(&name);
        return status;
    }
    self->open = true;
    pt_json_open(&self->json, '{', false);
    pt_json_put_text(&self->json, "type", "evented");
    pt_json_put_text(&self->json, "name", (const char *)name.data);
    pt_json_put_text(&self->json, "unit", "nanoseconds");
    pt_json_put_uint(&self->json, "startValue", 0);
    pt_json_key(&self->json, "events");
    pt_json_open(&self->json, '[', true);
    pt_buffer_release(&name);
    return pt_interrupt_requested() ? PT_END : PT_OK;
}

static void put_event(struct speedscope *self, const char *type, uint32_t frame, uint64_t ns)
{
    self->last_ns = ns;
    pt_json_open(&self->json, '{', false);
    pt_json_put_text(&self->json, "type", type);
    pt_json_put_uint(&self->json, "frame", frame);
    pt_json_put_uint(&self->json, "at", ns);
    pt_json_close(&self->json, '}');
}

static enum pt_status begin_frame(void *context, const struct pt_spans_track *track, uint32_t name, uint64_t ns)
{
    (void)track;
    put_event(context, "O", name, ns);
    return PT_OK;
}

static enum pt_status end_frame(void *context, const struct pt_spans_track *track, uint32_t name, uint64_t ns)
{
    (void)track;
    put_event(context, "C", name, ns);
    return PT_OK;
}

/* --- The rest of the file ------------------------------------------------------------------------------------------ */

/* Every function that there is: the file is written in one go, and which of them will be used nobody knows yet. */
static void put_frames(struct speedscope *self)
{
    const struct pt_input *input = self->report->input;
    pt_json_key(&self->json, "shared");
    pt_json_open(&self->json, '{', false);
    pt_json_key(&self->json, "frames");
    pt_json_open(&self->json, '[', true);
    for (size_t i = 0; i < self->names.count; i++) {
        pt_json_open(&self->json, '{', false);
        pt_json_put_text(&self->json, "name", self->names.names[i]);
        if (i < input->function_count && input->functions[i].file[0]) {
            pt_json_put_text(&self->json, "file", input->functions[i].file);
            pt_json_put_uint(&self->json, "line", input->functions[i].line);
        }
        pt_json_close(&self->json, '}');
    }
    pt_json_close(&self->json, ']');
    pt_json_close(&self->json, '}');
}

static void add_note(void *context, const char *line)
{
    struct pt_buffer *name = context;
    if (pt_buffer_append(name, ", ", 2) != PT_OK || pt_text_escape(name, line, strlen(line)) != PT_OK)
        name->size = 0;
}

/* What is wrong with the trace has no other place than the file's name. */
static enum pt_status put_name(struct speedscope *self)
{
    const struct pt_trace *trace = self->report->input->traces[0].trace;
    struct pt_buffer name = {0};
    enum pt_status status = pt_text_escape(&name, trace->path, strlen(trace->path));
    pt_header_line_tell(self->report, add_note, &name);
    if (status == PT_OK)
        status = pt_buffer_append(&name, "", 1);
    if (status == PT_OK)
        pt_json_put_text(&self->json, "name", (const char *)name.data);
    pt_buffer_release(&name);
    return status;
}

static enum pt_status put_all(struct speedscope *self)
{
    const struct pt_spans_sink sink = {.context = self, .track = put_track, .begin = begin_frame, .end = end_frame};
    pt_json_init(&self->json, self->report->screen);
    pt_json_open(&self->json, '{', true);
    pt_json_put_text(&self->json, "$schema", "https://www.speedscope.app/file-format-schema.json");
    pt_json_put_text(&self->json, "exporter", "pytrace-analyze " PYTRACE_VERSION);
    put_frames(self);
    pt_json_key(&self->json, "profiles");
    pt_json_open(&self->json, '[', true);
    PT_TRY(pt_spans_read(self->report, PT_SPANS_TOGETHER, &sink));
    close_profile(self);
    pt_json_close(&self->json, ']');
    PT_TRY(put_name(self));
    pt_json_close(&self->json, '}');
    pt_json_end(&self->json);
    return PT_OK;
}

enum pt_status pt_export_speedscope(struct pt_report *report)
{
    struct speedscope self = {.report = report};
    enum pt_status status = pt_export_names_make(&self.names, report, "");
    if (status == PT_OK)
        status = put_all(&self);
    pt_export_names_release(&self.names);
    return status;
}
