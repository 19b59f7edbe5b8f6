/* What functions are called in exports: the names that reports show, made once. */
#ifndef PT_EXPORT_NAMES_H
#define PT_EXPORT_NAMES_H

#include <stddef.h>

#include "report.h"

/* Zeroed is empty. Release with pt_export_names_release. */
struct pt_export_names {
    char **names; /* by function of the input, and behind them PT_EXPORT_UNRECORDED; printable UTF-8, no NULL */
    size_t count;
};

/* The bytes of `special` come out as \xNN, like those that are not printable. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_export_names_make(struct pt_export_names *names, const struct pt_report *report,
                                                const char *special);
void pt_export_names_release(struct pt_export_names *names);

#endif
