/* export: the trace as other tools read it. */
#include "export.h"

enum pt_status pt_report_export(struct pt_report *report)
{
    const struct pt_options *options = report->options;
    const struct pt_export_format *format = pt_export_find(options->operand); /* the command line was checked for it */

    if (format->binary && pt_screen_is_terminal(report->screen))
        return pt_error_set(&report->error, PT_MISUSE, PT_ERROR_NO_OFFSET,
                            "%s is binary, nothing for a terminal: give a file with -o, or a pipe", format->name);
    if (options->format != PT_FORMAT_TABLE)
        return pt_error_set(&report->error, PT_MISUSE, PT_ERROR_NO_OFFSET,
                            "--format does not go with export, which names its own: %s", format->name);
    return format->run(report);
}
