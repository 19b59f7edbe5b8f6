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

#include "flight_rows.h"
#include "input.h"
#include "status.h"
#include "stream.h"

struct pt_flights_private;

struct pt_flights {
    struct pt_flight_rows ended; /* numbers of functions are those that steps carry */
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
