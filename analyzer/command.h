/* The commands of pytrace-analyze: one table that parsing, help and suggestions share. */
#ifndef PT_COMMAND_H
#define PT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "report.h"

struct pt_command {
    const char *name;
    const char *operand; /* what stands between the command and the traces, e.g. "RE"; NULL if nothing */
    const char *text;    /* one line of help */
    const char *example; /* a command line worth trying */
    bool headed;         /* its tables open with the header line */
    pt_report_run *run;
};

extern const struct pt_command pt_command_table[]; /* the first one is the default */
extern const size_t pt_command_count;

/* Its operand is no pattern, but the name of a format (export.h). */
static inline bool pt_command_exports(const struct pt_command *command)
{
    return command->run == pt_report_export;
}

/* Its traces are of two sides: struct pt_options tells how many of them are the base. */
static inline bool pt_command_compares(const struct pt_command *command)
{
    return command->run == pt_report_diff;
}

/* Whether its times can leave out what recording cost. */
static inline bool pt_command_compensates(const struct pt_command *command)
{
    return command->run == pt_report_top || command->run == pt_report_tree || command->run == pt_report_callers ||
           command->run == pt_report_callees || command->run == pt_report_threads || command->run == pt_report_diff;
}

/* It looks at every byte, so checksums are verified when a trace is opened. */
static inline bool pt_command_verifies(const struct pt_command *command)
{
    return command->run == pt_report_check;
}

/* NULL if there is no such command. */
const struct pt_command *pt_command_find(const char *name);

#endif
