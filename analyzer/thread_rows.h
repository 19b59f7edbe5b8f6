/* The rows of `threads`: a thread each, or a process each. */
#ifndef PT_THREAD_ROWS_H
#define PT_THREAD_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "report.h"

struct pt_thread_row {
    const struct pt_input_thread *thread; /* of a process: the first of its threads */
    uint64_t threads;                     /* that the row is about */
    uint64_t events;
    uint64_t lost;
    uint64_t calls;   /* what the filters let through */
    uint64_t busy_ns; /* with a frame open, stalls taken out */
    uint64_t stalled_ns;
    uint64_t start_ns; /* of a process: of the first of its threads, and the end of the last */
    uint64_t end_ns;
    uint64_t system_pid; /* 0 if it is not known */
    const char *program; /* pt_process_program */
};

/* Zeroed is empty. Release with pt_thread_rows_release. */
struct pt_thread_rows {
    struct pt_thread_row *rows; /* in order of tid, or of pid */
    size_t count;
};

/* Reads the input. PT_NOMEM, PT_END after Ctrl-C. */
PT_MUST_USE enum pt_status pt_thread_rows_make(struct pt_thread_rows *rows, struct pt_report *report, bool by_process);
void pt_thread_rows_release(struct pt_thread_rows *rows);

#endif
