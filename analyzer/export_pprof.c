/* pprof: profile.proto, gzipped (https://github.com/google/pprof/blob/main/proto/profile.proto). A sample is a call path, with the
 * calls and the self time of its innermost function; with --by thread or process, labelled with their number.
 *
 * A function has one location, its first line: no trace tells where in it a call was made. Both are numbered like functions of the
 * input, from 1 on. */
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "export_names.h"
#include "gzip.h"
#include "header_line.h"
#include "interrupt.h"
#include "protobuf.h"
#include "text.h"
#include "tree_read.h"

/* Fields of profile.proto. */
enum profile {
    PROFILE_SAMPLE_TYPE = 1,
    PROFILE_SAMPLE = 2,
    PROFILE_LOCATION = 4,
    PROFILE_FUNCTION = 5,
    PROFILE_STRING_TABLE = 6,
    PROFILE_TIME_NANOS = 9,
    PROFILE_DURATION_NANOS = 10,
    PROFILE_COMMENT = 13,
    PROFILE_DEFAULT_SAMPLE_TYPE = 14,
};
enum value_type { VALUE_TYPE_TYPE = 1, VALUE_TYPE_UNIT = 2 };
enum sample { SAMPLE_LOCATION_ID = 1, SAMPLE_VALUE = 2, SAMPLE_LABEL = 3 };
enum label { LABEL_KEY = 1, LABEL_NUM = 3 };
enum location { LOCATION_ID = 1, LOCATION_LINE = 4 };
enum line { LINE_FUNCTION_ID = 1, LINE_LINE = 2 };
enum function {
    FUNCTION_ID = 1,
    FUNCTION_NAME = 2,
    FUNCTION_SYSTEM_NAME = 3,
    FUNCTION_FILENAME = 4,
    FUNCTION_START_LINE = 5
};

struct pprof {
    struct pt_report *report;
    struct pt_call_tree *tree;
    struct pt_export_names names;
    struct pt_gzip gzip;
    struct pt_protobuf outer; /* a field of Profile, on its way out */
    struct pt_protobuf inner;
    struct pt_protobuf innermost;
    uint64_t strings; /* written so far */
    uint64_t *path;   /* locations of a sample, innermost first */
    bool *used;       /* by function: there is a location for it */
    struct {
        uint64_t calls, count, time, nanoseconds, group;
    } words; /* in the string table */
};

/* --- Fields of Profile ------------------------------------------------------------------------------------------ */

static void flush(struct pprof *self)
{
    pt_gzip_write(&self->gzip, self->outer.bytes.data, self->outer.bytes.size);
    pt_protobuf_clear(&self->outer);
    pt_protobuf_clear(&self->inner);
}

static void put_inner(struct pprof *self, enum profile field)
{
    pt_protobuf_message(&self->outer, field, &self->inner);
    flush(self);
}

static uint64_t put_string(struct pprof *self, const char *text)
{
    pt_protobuf_text(&self->outer, PROFILE_STRING_TABLE, text);
    flush(self);
    return self->strings++;
}

static void put_note(void *context, const char *line)
{
    struct pprof *self = context;
    struct pt_buffer escaped = {0};
    if (pt_text_escape(&escaped, line, strlen(line)) == PT_OK && pt_buffer_append(&escaped, "", 1) == PT_OK) {
        uint64_t string = put_string(self, (const char *)escaped.data);
        pt_protobuf_uint(&self->outer, PROFILE_COMMENT, string);
        flush(self);
    } else {
        self->outer.status = PT_NOMEM;
    }
    pt_buffer_release(&escaped);
}

static void put_value_type(struct pprof *self, uint64_t type, uint64_t unit)
{
    pt_protobuf_uint(&self->inner, VALUE_TYPE_TYPE, type);
    pt_protobuf_uint(&self->inner, VALUE_TYPE_UNIT, unit);
    put_inner(self, PROFILE_SAMPLE_TYPE);
}

static void put_head(struct pprof *self)
{
    const struct pt_input *input = self->report->input;
    const struct pt_trace *trace = input->traces[0].trace;
    put_string(self, ""); /* the first one must be empty */
    self->words.calls = put_string(self, "calls");
    self->words.count = put_string(self, "count");
    self->words.time = put_string(self, "time");
    self->words.nanoseconds = put_string(self, "nanoseconds");
    self->words.group = put_string(self, self->report->options->by == PT_BY_PROCESS ? "process" : "thread");
    put_value_type(self, self->words.calls, self->words.count);
    put_value_type(self, self->words.time, self->words.nanoseconds);
    pt_protobuf_uint(&self->outer, PROFILE_DEFAULT_SAMPLE_TYPE, self->words.time);
    pt_protobuf_uint(&self->outer, PROFILE_TIME_NANOS, trace->has_header ? trace->header.started_ns : 0);
    pt_protobuf_uint(&self->outer, PROFILE_DURATION_NANOS, input->wall_ns);
    flush(self);
    pt_header_line_tell(self->report, put_note, self);
}

/* --- Samples ---------------------------------------------------------------------------------------------------- */

static void put_sample(struct pprof *self, const uint64_t *path, size_t depth, uint32_t group, uint64_t calls,
                       uint64_t ns)
{
    if (calls == 0 && ns == 0)
        return;
    pt_protobuf_packed(&self->inner, SAMPLE_LOCATION_ID, path, depth);
    pt_protobuf_packed(&self->inner, SAMPLE_VALUE, (uint64_t[]){calls, ns}, 2);
    if (group != 0) {
        pt_protobuf_clear(&self->innermost);
        pt_protobuf_uint(&self->innermost, LABEL_KEY, self->words.group);
        pt_protobuf_uint(&self->innermost, LABEL_NUM, group & ~PT_CALL_TREE_GROUP);
        pt_protobuf_message(&self->inner, SAMPLE_LABEL, &self->innermost);
    }
    put_inner(self, PROFILE_SAMPLE);
}

static void put_samples(struct pprof *self, uint32_t node)
{
    const struct pt_call_node *nodes = self->tree->nodes;
    const uint32_t unrecorded = (uint32_t)self->report->input->function_count;
    uint32_t group = 0;
    size_t depth = 1;
    self->path[0] = (uint64_t)unrecorded + 1;
    for (uint32_t at = node; at != 0; at = nodes[at].parent) {
        if (nodes[at].function & PT_CALL_TREE_GROUP)
            group = nodes[at].function;
        else
            self->path[depth++] = (uint64_t)nodes[at].function + 1;
    }
    if (depth == 1) /* of a thread or process itself */
        return;
    self->used[nodes[node].function] = true;
    put_sample(self, self->path + 1, depth - 1, group, nodes[node].calls, nodes[node].self_ns);
    self->used[unrecorded] = self->used[unrecorded] || nodes[node].other_ns > 0;
    put_sample(self, self->path, depth, group, 0, nodes[node].other_ns);
}

/* --- Functions -------------------------------------------------------------------------------------------------- */

static enum pt_status put_function(struct pprof *self, uint32_t number)
{
    const struct pt_input *input = self->report->input;
    const bool known = number < input->function_count;
    const uint64_t line = known ? input->functions[number].line : 0;
    struct pt_buffer file = {0};
    enum pt_status status = PT_OK;
    if (known)
        status = pt_text_escape(&file, input->functions[number].file, strlen(input->functions[number].file));
    if (status == PT_OK)
        status = pt_buffer_append(&file, "", 1);
    if (status != PT_OK) {
        pt_buffer_release(&file);
        return status;
    }
    const uint64_t name_string = put_string(self, self->names.names[number]);
    const uint64_t file_string = put_string(self, (const char *)file.data);
    pt_buffer_release(&file);

    pt_protobuf_uint(&self->inner, FUNCTION_ID, (uint64_t)number + 1);
    pt_protobuf_uint(&self->inner, FUNCTION_NAME, name_string);
    pt_protobuf_uint(&self->inner, FUNCTION_SYSTEM_NAME, name_string);
    pt_protobuf_uint(&self->inner, FUNCTION_FILENAME, file_string);
    pt_protobuf_uint(&self->inner, FUNCTION_START_LINE, line);
    put_inner(self, PROFILE_FUNCTION);

    pt_protobuf_clear(&self->innermost);
    pt_protobuf_uint(&self->innermost, LINE_FUNCTION_ID, (uint64_t)number + 1);
    pt_protobuf_uint(&self->innermost, LINE_LINE, line);
    pt_protobuf_uint(&self->inner, LOCATION_ID, (uint64_t)number + 1);
    pt_protobuf_message(&self->inner, LOCATION_LINE, &self->innermost);
    put_inner(self, PROFILE_LOCATION);
    return PT_OK;
}

static enum pt_status put_all(struct pprof *self)
{
    const size_t functions = self->report->input->function_count + 1;
    self->path = calloc((size_t)self->tree->count + 1, sizeof *self->path);
    self->used = calloc(functions, sizeof *self->used);
    if (!self->path || !self->used)
        return PT_NOMEM;
    PT_TRY(pt_gzip_open(&self->gzip, self->report->screen));
    put_head(self);
    for (uint32_t node = 1; node < self->tree->count && !pt_interrupt_requested(); node++)
        put_samples(self, node);
    for (uint32_t i = 0; i < functions; i++)
        if (self->used[i])
            PT_TRY(put_function(self, i));
    pt_gzip_finish(&self->gzip);
    return pt_interrupt_requested() ? PT_END : self->outer.status;
}

enum pt_status pt_export_pprof(struct pt_report *report)
{
    struct pprof self = {.report = report};
    enum pt_status status = pt_tree_read(&self.tree, report);
    if (status == PT_OK)
        status = pt_export_names_make(&self.names, report, "");
    pt_progress_finish(report->progress);
    if (status == PT_OK)
        status = put_all(&self);
    pt_protobuf_release(&self.outer);
    pt_protobuf_release(&self.inner);
    pt_protobuf_release(&self.innermost);
    pt_gzip_release(&self.gzip);
    pt_export_names_release(&self.names);
    pt_call_tree_free(self.tree);
    free(self.path);
    free(self.used);
    return status;
}
