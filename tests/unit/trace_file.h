/* Small trace files for tests, made in memory by the real writer and the real chunk encoder. Any failure ends the test
 * program. */
#ifndef TRACE_FILE_H
#define TRACE_FILE_H

#include "chunk.h"
#include "trace.h"
#include "writer.h"

struct trace_file {
    char path[64]; /* opens the file as long as the descriptor is open */
    struct pt_writer writer;
    uint64_t events;
    uint64_t lost;
    struct pt_chunk_encoder *encoder;
};

#define TRACE_FILE_START_TICK 1000u
#define TRACE_FILE_TICK_PS    2000u

void trace_file_begin(struct trace_file *file);
void trace_file_header(struct trace_file *file);
void trace_file_process(struct trace_file *file, uint64_t serial, uint64_t parent, uint64_t inherited,
                        uint64_t end_tick);
void trace_file_thread(struct trace_file *file, uint64_t serial, uint64_t process, uint64_t end_tick);
/* Functions `first` … `first` + `count` − 1, Python, module "m", qualified name "C.f<id>", file "/m.py", line <id>. */
void trace_file_names(struct trace_file *file, uint64_t process, uint32_t first, uint32_t count);
void trace_file_clock(struct trace_file *file, uint64_t tick, uint64_t monotonic_ns);
void trace_file_block(struct trace_file *file, uint32_t type, const void *payload, size_t size);
void trace_file_end(struct trace_file *file, uint64_t end_tick);
void trace_file_release(struct trace_file *file);

/* All the bytes, for tests that change them; free(3) them. */
uint8_t *trace_file_bytes(const struct trace_file *file, size_t *size);

/* A file in memory with just these bytes; closed by trace_file_release. */
void trace_file_from_bytes(struct trace_file *file, const uint8_t *bytes, size_t size);

/* Opens it without salvage; the test fails unless that works. */
struct pt_trace *trace_file_open(const struct trace_file *file);

/* A thread that records: events go into a ring, a flush makes a chunk of them. Slot = serial, generation 1. */
#define TRACE_STREAM_WORDS 1024u

struct trace_stream {
    struct pt_chunk_source source;
    uint64_t ring[TRACE_STREAM_WORDS];
    uint64_t produced;
};

void trace_stream_begin(struct trace_stream *stream, uint32_t thread, uint64_t tick);
void trace_stream_event(struct trace_stream *stream, enum pt_kind kind, uint32_t id, uint64_t tick);
void trace_stream_lost(struct trace_stream *stream, uint64_t count, uint64_t tick);
void trace_stream_flush(struct trace_stream *stream, struct trace_file *file);
/* The same, but the chunk is forgotten: a gap. */
void trace_stream_drop(struct trace_stream *stream, struct trace_file *file);
void trace_stream_close(struct trace_stream *stream, struct trace_file *file, uint64_t tick);
void trace_stream_release(struct trace_stream *stream);

/* One process, one thread, eight functions, two chunks, clocks, END: 2 × 6 events. */
void trace_file_sample(struct trace_file *file);

#endif
