/* `lines` on the screen: a block for each function, its lines beside their source. */
#ifndef PT_LINES_TABLE_H
#define PT_LINES_TABLE_H

#include "line_times.h"
#include "report.h"
#include "source.h"
#include "status.h"

/* What there is about one function. */
struct pt_lines_block {
    const struct pt_line_function *function;
    const struct pt_line_time
        *lines; /* line_count of them, by number; the one that the function begins with is there */
    size_t line_count;
    const struct pt_line_time *opcodes; /* by offset */
    size_t opcode_count;
    bool has_lines;                 /* some were come to */
    const struct pt_source *source; /* NULL if it is not to be had */
    const char *warning;            /* about the source, or NULL */
};

/* PT_NOMEM. */
PT_MUST_USE enum pt_status pt_lines_table_print(const struct pt_report *report, const struct pt_lines_block *block);

#endif
