/* The traces that a report is about, opened and put side by side.
 *
 * Several traces count as one: threads and processes are numbered through, and functions that agree in kind, module,
 * qualified name, file and first line are one function, as in one trace. With a single trace all numbers are those of
 * the trace. */
#ifndef PT_INPUT_H
#define PT_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compensation.h"
#include "options.h"
#include "status.h"
#include "trace.h"

struct pt_input_trace {
    struct pt_trace *trace;
    uint32_t *functions;     /* number in the trace → number in the input */
    uint64_t process_offset; /* pid of the input = serial in the trace + this */
    uint64_t from_tick;      /* what --range leaves; from the start, to UINT64_MAX, without one */
    uint64_t to_tick;
    double tick_ns;
    double clock_ns; /* of steps: that of a tick, but for --compensate */
    struct pt_compensation compensation;
};

/* A thread that --tid and --pid chose. */
struct pt_input_thread {
    const struct pt_input_trace *origin;
    const struct pt_trace_thread *thread;
    uint64_t tid; /* serial number in the input */
    uint64_t pid;
};

/* Every thread of the input may be read by a thread of its own: nothing here changes once it is open. */
struct pt_input {
    struct pt_input_trace *traces;
    size_t trace_count;
    struct pt_function *functions; /* texts are borrowed from the traces; number 0 is "unknown" */
    size_t function_count;
    struct pt_input_thread *threads; /* the chosen ones, in order of tid */
    size_t thread_count;
    bool ranged;      /* there is a --range: chunks outside of it are not read */
    uint64_t wall_ns; /* of the longest trace, whole */
    uint64_t events;  /* in the chunks of the chosen threads: what a report will read */
};

/* Opens what the options name. On failure `error` names the file. Release in any case. */
PT_MUST_USE enum pt_status pt_input_open(struct pt_input *input, const struct pt_options *options,
                                         struct pt_error *error);
void pt_input_release(struct pt_input *input);

#endif
