/* What threads and processes are called in exports. */
#ifndef PT_EXPORT_THREADS_H
#define PT_EXPORT_THREADS_H

#include "buffer.h"
#include "input.h"
#include "spans.h"

/* Append names, printable UTF-8, NUL-terminated: "MainThread, tid 1"; "app.py, process 1"; the latter before the former. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_export_threads_thread(struct pt_buffer *out, const struct pt_spans_track *track);
PT_MUST_USE enum pt_status pt_export_threads_process(struct pt_buffer *out, const struct pt_input_thread *thread);
PT_MUST_USE enum pt_status pt_export_threads_track(struct pt_buffer *out, const struct pt_spans_track *track);

/* What the system calls a process; 0 if nobody knows. */
uint64_t pt_export_threads_system_pid(const struct pt_input_thread *thread);

#endif
