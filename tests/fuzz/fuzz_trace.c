/* Any bytes as a trace file: opened, checked strictly, every chunk walked, every function looked up. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "fuzz.h"
#include "trace.h"

static void ignore_finding(void *context, uint64_t offset, const char *text)
{
    (void)context;
    (void)offset;
    (void)text;
}

static void walk_chunks(const struct pt_trace *trace)
{
    struct pt_chunk chunk = {0};
    struct pt_stack stack = {0};
    for (size_t t = 0; t < trace->thread_count; t++) {
        const struct pt_trace_thread *thread = &trace->threads[t];
        for (size_t c = 0; c < thread->chunk_count; c++) {
            if (pt_chunk_decode(&chunk, thread->chunks[c].payload, thread->chunks[c].size) != PT_OK)
                continue;
            struct pt_chunk_cursor cursor;
            struct pt_chunk_entry entry;
            uint64_t before = 0;
            pt_chunk_cursor_init(&cursor, &chunk);
            while (pt_chunk_cursor_next(&cursor, &entry)) {
                uint64_t ns = pt_trace_ns(trace, entry.tick);
                if (ns < before)
                    abort(); /* trace.h: never decreasing */
                before = ns;
                if (pt_trace_function(trace, thread->meta.process, entry.id) >= trace->function_count)
                    abort();
                if (pt_chunk_entry_apply(&entry, &stack) != PT_OK)
                    break;
            }
        }
    }
    pt_stack_release(&stack);
    pt_chunk_release(&chunk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct pt_trace_options options = {.no_salvage = true, .memory_max = 64 << 20};
    char path[64];
    struct pt_trace *trace;
    uint64_t findings;
    int descriptor = memfd_create("fuzz", MFD_CLOEXEC);
    if (descriptor < 0 || write(descriptor, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    if (pt_trace_open(&trace, path, &options, NULL) == PT_OK) {
        if (pt_check(trace, ignore_finding, NULL, &findings) == PT_OK && findings == 0 && !pt_trace_complete(trace))
            abort(); /* pristine and incomplete contradict each other */
        walk_chunks(trace);
        pt_trace_free(trace);
    }
    close(descriptor);
    return 0;
}
