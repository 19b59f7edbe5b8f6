/* What functions are called in exports: the names that reports show, made once. */
#ifndef PT_EXPORT_NAMES_H
#define PT_EXPORT_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "report.h"

/* Zeroed is empty. Release with pt_export_names_release. */
struct pt_export_names {
    char **names; /* by function of the input, and behind them three more, below; printable UTF-8, not empty */
    size_t count;
};

/* The numbers of PT_EXPORT_UNRECORDED, PT_EXPORT_LEFT_OUT and PT_EXPORT_SUSPENDED. */
static inline uint32_t pt_export_names_unrecorded(const struct pt_input *input)
{
    return (uint32_t)input->function_count;
}
static inline uint32_t pt_export_names_left_out(const struct pt_input *input)
{
    return (uint32_t)input->function_count + 1;
}
static inline uint32_t pt_export_names_suspended(const struct pt_input *input)
{
    return (uint32_t)input->function_count + 2;
}

/* The bytes of `special` come out as \xNN, like those that are not printable. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_export_names_make(struct pt_export_names *names, const struct pt_report *report,
                                                const char *special);
void pt_export_names_release(struct pt_export_names *names);

#endif
