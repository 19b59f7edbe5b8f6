/* The rows of `top`: what they are about (--by), their figures, which of them are shown, in which order. */
#ifndef PT_TOP_ROWS_H
#define PT_TOP_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report.h"
#include "tally.h"

/* Times in nanoseconds. */
struct pt_top_row {
    uint32_t number; /* of the function, file, … */
    bool timed;      /* there is a primitive call: mean, percentiles and extremes mean something */
    uint64_t line;   /* of a function */
    uint64_t calls;
    uint64_t primitive;
    uint64_t raised;
    uint64_t exceptions; /* that began in it */
    uint64_t recursion;
    uint64_t self_ns;
    uint64_t total_ns;
    uint64_t mean_ns;
    uint64_t p50_ns;
    uint64_t p90_ns;
    uint64_t p99_ns;
    uint64_t min_ns;
    uint64_t max_ns;
    uint64_t cumulated_ns; /* self of this row and of all above it */
    char *name;            /* as tables show it, escaped */
};

/* Zeroed is empty. Release with pt_top_rows_release. */
struct pt_top_rows {
    struct pt_top_row *rows;
    size_t count;     /* rows to show */
    size_t total;     /* rows that there are */
    uint64_t self_ns; /* of all rows that there are: the whole that percentages are of */
    bool exceptions;  /* they were recorded */
    enum pt_by by;
    uint32_t *numbers;   /* by function: its file or module; NULL if rows are something else */
    const char **groups; /* by number: the file or module; borrowed */
    size_t group_count;
};

/* Reads the input and makes the rows that the options ask for. PT_MISUSE (--sort names no column), PT_NOMEM, PT_END
 * after Ctrl-C. */
PT_MUST_USE enum pt_status pt_top_rows_make(struct pt_top_rows *rows, struct pt_report *report);
void pt_top_rows_release(struct pt_top_rows *rows);

#endif
