/* Comma-separated values (RFC 4180, but lines end with a bare newline), in UTF-8: bytes of a text that are none become
 * U+FFFD, as in JSON. */
#ifndef PT_CSV_H
#define PT_CSV_H

#include <stdbool.h>
#include <stdint.h>

#include "screen.h"

struct pt_csv {
    struct pt_screen *screen;
    bool filled; /* the line has a value already */
};

void pt_csv_text(struct pt_csv *csv, const char *text);
void pt_csv_uint(struct pt_csv *csv, uint64_t value);
void pt_csv_int(struct pt_csv *csv, int64_t value);
void pt_csv_real(struct pt_csv *csv, double value); /* empty if it is not finite */
void pt_csv_empty(struct pt_csv *csv);              /* a value that is not known */
void pt_csv_line(struct pt_csv *csv);               /* ends the line */

#endif
