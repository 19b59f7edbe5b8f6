/* The columns of `top`: how each is called, sorted, printed and written. */
#ifndef PT_TOP_FIELDS_H
#define PT_TOP_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report.h"
#include "top_rows.h"

/* What printing a cell needs to know. */
struct pt_top_context {
    const struct pt_input *input;
    const struct pt_top_rows *rows;
    uint64_t scale; /* of self and total */
};

struct pt_top_field {
    const char *name;  /* in --fields and --sort */
    const char *title; /* in tables */
    const char *key;   /* in CSV; NULL if it has no place there */
    bool close;        /* in tables: one space before it, not two */
    bool left;         /* in tables: flush left */
    bool of_functions; /* means nothing unless rows are functions */
    bool of_calls;     /* means nothing unless there was a primitive call */
    /* As a number, for sorting, CSV and cells that need no more; NULL for texts. */
    uint64_t (*number)(const struct pt_top_row *row);
    /* As a text, for CSV and for tables (there, escaped); NULL for numbers. Borrowed. */
    const char *(*text)(const struct pt_top_row *row, const struct pt_top_context *context);
    /* As a cell of a table, into `out` of PT_TOP_CELL bytes; NULL: the number with separators, or the text. */
    void (*print)(char *out, const struct pt_top_row *row, const struct pt_top_context *context);
};

#define PT_TOP_CELL 96

#define PT_TOP_FIELDS_MAX 24

/* NULL if there is no such column. */
const struct pt_top_field *pt_top_field_find(const char *wanted, size_t size);

/* Reads a list of names; `base` is what +LIST appends to, and what NULL stands for. PT_MISUSE with the name of `option`
 * and the nearest column. */
PT_MUST_USE enum pt_status pt_top_fields_parse(const struct pt_top_field **out, size_t *count, const char *option,
                                               const char *list, const char *base, struct pt_error *error);

#endif
