/* perfetto: protobuf packets (https://perfetto.dev/docs/reference/trace-packet-proto). Each call is a begin and an end on the track of
 * its thread or greenlet, in ns since the start of the trace; a clock snapshot ties that to the time of day.
 *
 * All packets are one sequence, so that a name is told once, with the event that first uses it. Processes and threads have the
 * numbers that they have in the trace. */
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "export_names.h"
#include "export_threads.h"
#include "header_line.h"
#include "protobuf.h"
#include "spans.h"
#include "text.h"

enum { TRACE_PACKET = 1 };
enum packet {
    PACKET_CLOCK_SNAPSHOT = 6,
    PACKET_TIMESTAMP = 8,
    PACKET_SEQUENCE_ID = 10,
    PACKET_TRACK_EVENT = 11,
    PACKET_INTERNED_DATA = 12,
    PACKET_SEQUENCE_FLAGS = 13,
    PACKET_TRACK_DESCRIPTOR = 60,
};
enum { FLAGS_STATE_CLEARED = 1, FLAGS_NEEDS_STATE = 2 };
enum { SNAPSHOT_CLOCK = 1, CLOCK_ID = 1, CLOCK_TIMESTAMP = 2, ID_REALTIME = 1, ID_BOOTTIME = 6 };
enum descriptor {
    DESCRIPTOR_UUID = 1,
    DESCRIPTOR_NAME = 2,
    DESCRIPTOR_PROCESS = 3,
    DESCRIPTOR_THREAD = 4,
    DESCRIPTOR_PARENT_UUID = 5,
};
enum { PROCESS_PID = 1, PROCESS_NAME = 6 };
enum { THREAD_PID = 1, THREAD_TID = 2, THREAD_NAME = 5 };
enum event { EVENT_TYPE = 9, EVENT_NAME_IID = 10, EVENT_TRACK_UUID = 11, EVENT_NAME = 23 };
enum event_type { TYPE_BEGIN = 1, TYPE_END = 2, TYPE_INSTANT = 3 };
enum { INTERNED_EVENT_NAME = 2, NAME_IID = 1, NAME_NAME = 2 };

/* Tracks of threads and greenlets have small uuids, those of processes follow on this one. */
#define UUID_PROCESS (UINT64_C(1) << 40)
#define UUID_NOTES   (UINT64_C(1) << 41)
#define SEQUENCE     1

struct perfetto {
    struct pt_report *report;
    struct pt_export_names names;
    bool *told;     /* by name: it was interned */
    uint64_t notes; /* so far */
    struct pt_protobuf outer;
    struct pt_protobuf packet;
    struct pt_protobuf part;   /* of a packet */
    struct pt_protobuf detail; /* of a part */
};

/* --- Packets ---------------------------------------------------------------------------------------------------- */

static enum pt_status put_packet(struct perfetto *self, uint64_t flags)
{
    pt_protobuf_uint(&self->packet, PACKET_SEQUENCE_ID, SEQUENCE);
    pt_protobuf_uint(&self->packet, PACKET_SEQUENCE_FLAGS, flags);
    pt_protobuf_message(&self->outer, TRACE_PACKET, &self->packet);
    pt_screen_bytes(self->report->screen, self->outer.bytes.data, self->outer.bytes.size);
    pt_protobuf_clear(&self->packet);
    pt_protobuf_clear(&self->outer);
    return self->outer.status;
}

/* Moves what was put together into the message around it. */
static void end_part(struct perfetto *self, enum packet field)
{
    pt_protobuf_message(&self->packet, field, &self->part);
    pt_protobuf_clear(&self->part);
}

static void end_detail(struct perfetto *self, uint32_t field)
{
    pt_protobuf_message(&self->part, field, &self->detail);
    pt_protobuf_clear(&self->detail);
}

static void put_clock(struct perfetto *self, uint64_t id, uint64_t ns)
{
    pt_protobuf_uint(&self->detail, CLOCK_ID, id);
    pt_protobuf_uint(&self->detail, CLOCK_TIMESTAMP, ns);
    end_detail(self, SNAPSHOT_CLOCK);
}

static enum pt_status put_start(struct perfetto *self)
{
    const struct pt_trace *trace = self->report->input->traces[0].trace;
    put_clock(self, ID_BOOTTIME, 0);
    put_clock(self, ID_REALTIME, trace->has_header ? trace->header.started_ns : 0);
    end_part(self, PACKET_CLOCK_SNAPSHOT);
    return put_packet(self, FLAGS_STATE_CLEARED);
}

/* --- Tracks ----------------------------------------------------------------------------------------------------- */

static enum pt_status put_process(struct perfetto *self, const struct pt_input_thread *thread)
{
    struct pt_buffer name = {0};
    enum pt_status status = pt_export_threads_process(&name, thread);
    if (status == PT_OK) {
        pt_protobuf_uint(&self->detail, PROCESS_PID, thread->pid);
        pt_protobuf_text(&self->detail, PROCESS_NAME, (const char *)name.data);
        pt_protobuf_uint(&self->part, DESCRIPTOR_UUID, UUID_PROCESS + thread->pid);
        end_detail(self, DESCRIPTOR_PROCESS);
        end_part(self, PACKET_TRACK_DESCRIPTOR);
        status = put_packet(self, FLAGS_NEEDS_STATE);
    }
    pt_buffer_release(&name);
    return status;
}

static uint64_t uuid_of(const struct pt_spans_track *track)
{
    return (uint64_t)track->number + 1;
}

/* The process is told of again by each of its threads: that does no harm. */
static enum pt_status put_track(void *context, const struct pt_spans_track *track)
{
    struct perfetto *self = context;
    struct pt_buffer name = {0};
    PT_TRY(put_process(self, track->thread));
    enum pt_status status = pt_export_threads_thread(&name, track);
    if (status == PT_OK) {
        pt_protobuf_uint(&self->part, DESCRIPTOR_UUID, uuid_of(track));
        pt_protobuf_uint(&self->part, DESCRIPTOR_PARENT_UUID, UUID_PROCESS + track->thread->pid);
        if (track->greenlet == 0) {
            pt_protobuf_uint(&self->detail, THREAD_PID, track->thread->pid);
            pt_protobuf_uint(&self->detail, THREAD_TID, track->thread->tid);
            pt_protobuf_text(&self->detail, THREAD_NAME, (const char *)name.data);
            end_detail(self, DESCRIPTOR_THREAD);
        } else {
            pt_protobuf_text(&self->part, DESCRIPTOR_NAME, (const char *)name.data);
        }
        end_part(self, PACKET_TRACK_DESCRIPTOR);
        status = put_packet(self, FLAGS_NEEDS_STATE);
    }
    pt_buffer_release(&name);
    return status;
}

/* --- Events ----------------------------------------------------------------------------------------------------- */

static enum pt_status put_begin(void *context, const struct pt_spans_track *track, uint32_t name, uint64_t ns)
{
    struct perfetto *self = context;
    if (!self->told[name]) {
        self->told[name] = true;
        pt_protobuf_uint(&self->detail, NAME_IID, (uint64_t)name + 1);
        pt_protobuf_text(&self->detail, NAME_NAME, self->names.names[name]);
        end_detail(self, INTERNED_EVENT_NAME);
        end_part(self, PACKET_INTERNED_DATA);
    }
    pt_protobuf_uint(&self->part, EVENT_TYPE, TYPE_BEGIN);
    pt_protobuf_uint(&self->part, EVENT_TRACK_UUID, uuid_of(track));
    pt_protobuf_uint(&self->part, EVENT_NAME_IID, (uint64_t)name + 1);
    pt_protobuf_uint(&self->packet, PACKET_TIMESTAMP, ns);
    end_part(self, PACKET_TRACK_EVENT);
    return put_packet(self, FLAGS_NEEDS_STATE);
}

static enum pt_status put_end(void *context, const struct pt_spans_track *track, uint32_t name, uint64_t ns)
{
    struct perfetto *self = context;
    (void)name;
    pt_protobuf_uint(&self->part, EVENT_TYPE, TYPE_END);
    pt_protobuf_uint(&self->part, EVENT_TRACK_UUID, uuid_of(track));
    pt_protobuf_uint(&self->packet, PACKET_TIMESTAMP, ns);
    end_part(self, PACKET_TRACK_EVENT);
    return put_packet(self, FLAGS_NEEDS_STATE);
}

/* --- Notes ------------------------------------------------------------------------------------------------------ */

/* What is wrong with the trace: instants at its start, on a track of their own. */
static void put_note(void *context, const char *line)
{
    struct perfetto *self = context;
    struct pt_buffer text = {0};
    enum pt_status status = pt_text_escape(&text, line, strlen(line));
    if (status == PT_OK)
        status = pt_buffer_append(&text, "", 1);
    if (status == PT_OK && self->notes++ == 0) {
        pt_protobuf_uint(&self->part, DESCRIPTOR_UUID, UUID_NOTES);
        pt_protobuf_text(&self->part, DESCRIPTOR_NAME, "notes on the trace");
        end_part(self, PACKET_TRACK_DESCRIPTOR);
        status = put_packet(self, FLAGS_NEEDS_STATE);
    }
    if (status == PT_OK) {
        pt_protobuf_uint(&self->part, EVENT_TYPE, TYPE_INSTANT);
        pt_protobuf_uint(&self->part, EVENT_TRACK_UUID, UUID_NOTES);
        pt_protobuf_text(&self->part, EVENT_NAME, (const char *)text.data);
        pt_protobuf_uint(&self->packet, PACKET_TIMESTAMP, 0);
        end_part(self, PACKET_TRACK_EVENT);
        status = put_packet(self, FLAGS_NEEDS_STATE);
    }
    if (status != PT_OK)
        self->outer.status = status;
    pt_buffer_release(&text);
}

enum pt_status pt_export_perfetto(struct pt_report *report)
{
    struct perfetto self = {.report = report};
    const struct pt_spans_sink sink = {.context = &self, .track = put_track, .begin = put_begin, .end = put_end};
    enum pt_status status = pt_export_names_make(&self.names, report, "");
    self.told = calloc(self.names.count + 1, sizeof *self.told);
    if (status == PT_OK && !self.told)
        status = PT_NOMEM;
    if (status == PT_OK)
        status = put_start(&self);
    if (status == PT_OK)
        status = pt_spans_read(report, PT_SPANS_APART, &sink);
    if (status == PT_OK) {
        pt_header_line_tell(report, put_note, &self);
        status = self.outer.status;
    }
    pt_protobuf_release(&self.outer);
    pt_protobuf_release(&self.packet);
    pt_protobuf_release(&self.part);
    pt_protobuf_release(&self.detail);
    pt_export_names_release(&self.names);
    free(self.told);
    return status;
}
