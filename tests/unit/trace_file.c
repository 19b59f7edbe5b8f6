#include "trace_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record.h"

static void must(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "trace_file: %s\n", what);
        abort();
    }
}

#define MUST(expression) must((expression) == PT_OK, #expression)

void trace_file_begin(struct trace_file *file)
{
    *file = (struct trace_file){0};
    int descriptor = memfd_create("trace", MFD_CLOEXEC);
    must(descriptor >= 0, "memfd_create");
    pt_writer_init(&file->writer, descriptor);
    snprintf(file->path, sizeof file->path, "/proc/self/fd/%d", descriptor);
    MUST(pt_chunk_encoder_new(&file->encoder, 1));
}

void trace_file_from_bytes(struct trace_file *file, const uint8_t *bytes, size_t size)
{
    trace_file_begin(file);
    must(write(file->writer.descriptor, bytes, size) == (ssize_t)size, "write");
}

void trace_file_release(struct trace_file *file)
{
    close(file->writer.descriptor);
    pt_writer_release(&file->writer);
    pt_chunk_encoder_free(file->encoder);
}

uint8_t *trace_file_bytes(const struct trace_file *file, size_t *size)
{
    *size = (size_t)lseek(file->writer.descriptor, 0, SEEK_END);
    uint8_t *bytes = malloc(*size + 1);
    must(bytes && pread(file->writer.descriptor, bytes, *size, 0) == (ssize_t)*size, "read");
    return bytes;
}

struct pt_trace *trace_file_open(const struct trace_file *file)
{
    static const struct pt_trace_options options = {.no_salvage = true};
    struct pt_trace *trace = NULL;
    struct pt_error error = {.text = ""};
    must(pt_trace_open(&trace, file->path, &options, &error) == PT_OK, error.text);
    return trace;
}

/* --- Blocks --------------------------------------------------------------------------------------------------- */

void trace_file_block(struct trace_file *file, uint32_t type, const void *payload, size_t size)
{
    MUST(pt_writer_block(&file->writer, (enum pt_block_type)type, payload, (uint32_t)size, NULL));
}

static void write_buffer(struct trace_file *file, enum pt_block_type type, struct pt_buffer *payload)
{
    trace_file_block(file, type, payload->data, payload->size);
    pt_buffer_release(payload);
}

void trace_file_header(struct trace_file *file)
{
    struct pt_buffer payload = {0};
    struct pt_header header = {
        .major = PT_FORMAT_MAJOR,
        .run_id = "run of the test",
        .tick_ps = TRACE_FILE_TICK_PS,
        .start_tick = TRACE_FILE_START_TICK,
        .pid = 1,
        .costs = PT_COSTS_UNMEASURED,
    };
    MUST(pt_header_encode(&header, &payload));
    write_buffer(file, PT_BLOCK_HEADER, &payload);
}

void trace_file_process(struct trace_file *file, uint64_t serial, uint64_t parent, uint64_t inherited,
                        uint64_t end_tick)
{
    char ended[] = "exited";
    struct pt_buffer payload = {0};
    struct pt_process process = {
        .serial = serial,
        .parent = parent,
        .pid = 4000000 + serial,
        .inherited = inherited,
        .start_tick = TRACE_FILE_START_TICK,
        .end_tick = end_tick,
        .ended = end_tick == PT_META_ABSENT ? NULL : ended,
    };
    MUST(pt_process_encode(&process, &payload));
    write_buffer(file, PT_BLOCK_PROCESS, &payload);
}

void trace_file_thread(struct trace_file *file, uint64_t serial, uint64_t process, uint64_t end_tick)
{
    char name[] = "worker";
    struct pt_buffer payload = {0};
    struct pt_thread thread = {
        .serial = serial,
        .process = process,
        .slot = serial,
        .generation = 1,
        .name = name,
        .start_tick = TRACE_FILE_START_TICK,
        .end_tick = end_tick,
    };
    MUST(pt_thread_encode(&thread, &payload));
    write_buffer(file, PT_BLOCK_THREAD, &payload);
}

void trace_file_names(struct trace_file *file, uint64_t process, uint32_t first, uint32_t count)
{
    struct pt_buffer payload = {0};
    struct pt_names_builder builder = {0};
    for (uint32_t id = first; id < first + count; id++) {
        char qualname[32];
        uint32_t size = (uint32_t)snprintf(qualname, sizeof qualname, "C.f%u", id);
        struct pt_name name = {
            .kind = PT_NAME_PYTHON,
            .line = id,
            .module = {"m", 1},
            .qualname = {qualname, size},
            .file = {"/m.py", 5},
        };
        MUST(pt_names_builder_add(&builder, id, &name));
    }
    MUST(pt_names_builder_finish(&builder, process, &payload));
    write_buffer(file, PT_BLOCK_NAMES, &payload);
    pt_names_builder_release(&builder);
}

void trace_file_clock(struct trace_file *file, uint64_t tick, uint64_t monotonic_ns)
{
    struct pt_buffer payload = {0};
    struct pt_clock clock = {.tick = tick, .monotonic_ns = monotonic_ns, .realtime_ns = monotonic_ns};
    MUST(pt_clock_encode(&clock, &payload));
    write_buffer(file, PT_BLOCK_CLOCK, &payload);
}

void trace_file_end(struct trace_file *file, uint64_t end_tick)
{
    char reason[] = "exited";
    struct pt_end end = {.reason = reason, .end_tick = end_tick, .events = file->events, .lost = file->lost};
    MUST(pt_writer_end(&file->writer, &end, NULL));
}

/* --- Streams -------------------------------------------------------------------------------------------------- */

static void push(struct trace_stream *stream, uint64_t word)
{
    must(stream->produced - stream->source.position < TRACE_STREAM_WORDS, "flush the stream in time");
    stream->ring[stream->produced++ % TRACE_STREAM_WORDS] = word;
}

void trace_stream_begin(struct trace_stream *stream, uint32_t thread, uint64_t tick)
{
    *stream = (struct trace_stream){.source = {.thread = thread, .slot = thread, .generation = 1}};
    push(stream, pt_record_pack_control(PT_CONTROL_REBASE, 1, tick));
    push(stream, tick);
}

void trace_stream_event(struct trace_stream *stream, enum pt_kind kind, uint32_t id, uint64_t tick)
{
    push(stream, pt_record_pack(kind, id, tick));
}

void trace_stream_lost(struct trace_stream *stream, uint64_t count, uint64_t tick)
{
    push(stream, pt_record_pack_control(PT_CONTROL_LOST, 4, tick));
    push(stream, count);
    push(stream, 1);
    push(stream, 0);
    push(stream, 0);
}

static void encode(struct trace_stream *stream, struct trace_file *file, struct pt_buffer *payload)
{
    MUST(pt_chunk_encode(file->encoder, &stream->source, stream->ring, TRACE_STREAM_WORDS - 1, stream->produced,
                         payload));
    must(stream->source.position == stream->produced, "one chunk holds all");
}

void trace_stream_flush(struct trace_stream *stream, struct trace_file *file)
{
    struct pt_buffer payload = {0};
    uint64_t events = stream->source.events, lost = stream->source.lost;
    encode(stream, file, &payload);
    file->events += stream->source.events - events;
    file->lost += stream->source.lost - lost;
    write_buffer(file, PT_BLOCK_CHUNK, &payload);
}

void trace_stream_drop(struct trace_stream *stream, struct trace_file *file)
{
    struct pt_buffer payload = {0};
    encode(stream, file, &payload);
    pt_buffer_release(&payload);
}

void trace_stream_close(struct trace_stream *stream, struct trace_file *file, uint64_t tick)
{
    struct pt_buffer payload = {0};
    while (pt_chunk_encode_close(file->encoder, &stream->source, tick, &payload) == PT_OK)
        write_buffer(file, PT_BLOCK_CHUNK, &payload);
}

void trace_stream_release(struct trace_stream *stream)
{
    pt_stack_release(&stream->source.stack);
}

/* --- A whole file --------------------------------------------------------------------------------------------- */

static void six_events(struct trace_stream *stream, uint64_t tick)
{
    trace_stream_event(stream, PT_KIND_START, 1, tick);
    trace_stream_event(stream, PT_KIND_START, 2, tick + 10);
    trace_stream_event(stream, PT_KIND_RETURN, 0, tick + 20);
    trace_stream_event(stream, PT_KIND_START, 3, tick + 300);
    trace_stream_event(stream, PT_KIND_UNWIND, 3, tick + 2000);
    trace_stream_event(stream, PT_KIND_START, 4, tick + 2001);
}

void trace_file_sample(struct trace_file *file)
{
    struct trace_stream stream;
    trace_file_begin(file);
    trace_file_header(file);
    trace_file_clock(file, 1000, 500000);
    trace_file_process(file, 1, 0, 0, PT_META_ABSENT);
    trace_file_thread(file, 1, 1, PT_META_ABSENT);
    trace_file_names(file, 1, 1, 8);
    trace_stream_begin(&stream, 1, 1100);
    six_events(&stream, 1100);
    trace_stream_flush(&stream, file);
    six_events(&stream, 8000);
    trace_stream_flush(&stream, file);
    trace_stream_close(&stream, file, 12000);
    trace_file_thread(file, 1, 1, 12000);
    trace_file_process(file, 1, 0, 0, 12000);
    trace_file_clock(file, 13000, 524000);
    trace_file_end(file, 13000);
    trace_stream_release(&stream);
}
