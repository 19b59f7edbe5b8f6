/* Numbers as people read them. Each writes to `out` and returns it. */
#ifndef PT_UNITS_H
#define PT_UNITS_H

#include <stdint.h>

#include "status.h"

#define PT_UNITS_MAX 40 /* bytes that always suffice for one of these */

/* For a column whose figures are to be compared by eye, one unit for all: `scale` is that of the greatest figure.
 * "1.904 s" or, in a trace of some milliseconds, "0.412 ms". */
uint64_t pt_units_scale(uint64_t greatest_ns);
char *pt_units_scaled(char out[PT_UNITS_MAX], uint64_t ns, uint64_t scale);
/* A difference: "+0.497 s", "-0.091 s". */
char *pt_units_signed(char out[PT_UNITS_MAX], int64_t ns, uint64_t scale);

/* Three digits and the unit that fits: "39.5 µs", "9.41 ms", "212 µs", "12 ns". */
char *pt_units_time(char out[PT_UNITS_MAX], double ns);

/* With thousands separators: "2,580,828". */
char *pt_units_count(char out[PT_UNITS_MAX], uint64_t count);

/* "812 bytes", "1.21 MiB" */
char *pt_units_bytes(char out[PT_UNITS_MAX], uint64_t bytes);

/* Reads "1.5s", "20ms", "3 us", "70ns" or bare seconds as nanoseconds. PT_MISUSE. */
PT_MUST_USE enum pt_status pt_units_parse_time(const char *text, double *ns);

#endif
