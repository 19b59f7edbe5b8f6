/* Flights that have ended (flights.h), summed up: one row for all that have the same place, function and end. */
#ifndef PT_FLIGHT_ROWS_H
#define PT_FLIGHT_ROWS_H

#include <stdint.h>

#include "row_index.h"
#include "status.h"

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

/* Zeroed is empty. */
struct pt_flight_rows {
    struct pt_flight *rows; /* [0] is not used */
    uint32_t count;         /* with it; 0 or 1 if there is none */
    struct pt_row_index index;
};

/* Counts a flight: `key` tells all but the figures, `left` how many functions it left. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_flight_rows_add(struct pt_flight_rows *rows, const struct pt_flight *key, uint64_t left);
void pt_flight_rows_release(struct pt_flight_rows *rows);

#endif
