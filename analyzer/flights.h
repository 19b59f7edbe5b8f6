/* Flights: the way of an exception from where it was raised to where it ended.
 *
 * It begins with an exception event in a function. When that function is left by an exception, and the one below it then
 * has an event of the same type, it is the same exception, one function further. (An exception that is raised again
 * without an event, by a bare `raise` or at the end of `finally`, goes on as well.) It ends where a function that it had
 * reached goes on; or where it left a function and the one below has no such event, because something between them, in C,
 * took it: a C function, the end of a loop, the interpreter itself. */
#ifndef PT_FLIGHTS_H
#define PT_FLIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "input.h"
#include "status.h"
#include "stream.h"

enum pt_flight_end {
    PT_FLIGHT_CAUGHT,    /* in the function `by`, which went on */
    PT_FLIGHT_SWALLOWED, /* by the C function `by`; or in the Python function `by`, by C code that shows no function */
    PT_FLIGHT_LEFT,      /* it left the outermost function of its thread */
    PT_FLIGHT_OPEN,      /* the recording, or the range, ended before it did */
};

#define PT_FLIGHTS_NOBODY UINT32_MAX

/* Flights from one place to one end. Functions are the numbers that steps carry; `site` is that of the raise site. */
struct pt_flight {
    uint32_t site;
    uint32_t function; /* that raised it; NOBODY if none was open */
    uint32_t by;       /* NOBODY for LEFT and OPEN */
    enum pt_flight_end end;
    uint64_t count;
    uint64_t least; /* Python functions that it left */
    uint64_t most;
};

struct pt_flights_private;

struct pt_flights {
    struct pt_flight *rows; /* [0] is not used */
    uint32_t count;
    uint32_t capacity;
    uint32_t *slots;
    uint32_t slot_mask;
    struct pt_flights_private *inner;
};

/* For steps with numbers below `numbers`, of functions of the input if `by_function` is set. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_flights_new(struct pt_flights **out, const struct pt_input *input, size_t numbers,
                                          bool by_function);
void pt_flights_free(struct pt_flights *flights);

/* Takes steps of one thread, in order. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_flights_add(struct pt_flights *flights, const struct pt_step *steps, size_t count);

/* The steps of a thread were all taken: every frame was left. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_flights_end_thread(struct pt_flights *flights);

#endif
