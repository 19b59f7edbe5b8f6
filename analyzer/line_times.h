/* Line by line: how often the lines of chosen functions were come to, and for how long each ran.
 *
 * A line runs from the event that tells of it to the next one of the same activation, or to its leave. Its total time is
 * all of that, counted once where activations of it lie within each other; its self time is what of it passed while the
 * activation itself was running, and not what it had called. What passes before the first line of an activation belongs
 * to the line with which the function begins: there it is entered. */
#ifndef PT_LINE_TIMES_H
#define PT_LINE_TIMES_H

#include <stddef.h>
#include <stdint.h>

#include "input.h"
#include "row_index.h"
#include "status.h"
#include "stream.h"

/* A line, or an instruction, of a chosen function. */
struct pt_line_time {
    uint32_t chosen; /* index into functions */
    uint32_t place;  /* the line; the offset of the instruction */
    uint32_t line;   /* of an instruction: the line it was met in, 0 if lines are not told; of a line: itself */
    uint32_t active; /* activations that are in this line now, in the greenlet that runs */
    uint64_t since_tick;
    uint64_t hits; /* events */
    uint64_t self_ticks;
    uint64_t total_ticks;
    uint64_t self_ns; /* valid after pt_line_times_finish, as the next one */
    uint64_t total_ns;
};

struct pt_line_list {
    struct pt_line_time *entries; /* [0] is not used */
    uint32_t count;
    struct pt_row_index index; /* by chosen and place */
};

struct pt_line_function {
    uint32_t function; /* number in the input */
    uint32_t line;     /* with which it begins */
    uint64_t calls;
    struct pt_line_time time; /* of all its lines together */
};

struct pt_line_times_private;

struct pt_line_times {
    struct pt_line_function *functions;
    uint32_t function_count;
    struct pt_line_list lines;   /* in no order, before pt_line_times_finish; then by function and place */
    struct pt_line_list opcodes; /* hits alone */
    struct pt_line_times_private *inner;
};

/* The chosen functions are those Python functions of the input whose flags have PT_FILTER_MATCH. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_line_times_new(struct pt_line_times **out, const struct pt_input *input,
                                             const uint8_t *flags);
void pt_line_times_free(struct pt_line_times *times);

/* The steps that follow are of another thread. Requires that every frame of the thread before was left. */
void pt_line_times_begin(struct pt_line_times *times, double tick_ns);
/* PT_NOMEM. */
PT_MUST_USE enum pt_status pt_line_times_add(struct pt_line_times *times, const struct pt_step *steps, size_t count);

/* Turns ticks into nanoseconds and sorts. Call once, at the end. */
void pt_line_times_finish(struct pt_line_times *times);

#endif
