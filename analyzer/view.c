#include "view.h"

#include <stdlib.h>

#include "command.h"
#include "filter.h"

enum pt_status pt_view_make(struct pt_stream_view *view, uint8_t **flags, const struct pt_options *options,
                            const struct pt_input *input, struct pt_error *error)
{
    const struct {
        enum pt_filter_bit bit;
        const char *name;
        const char *pattern;
    } patterns[] = {
        {PT_FILTER_FOCUS, "--focus", options->focus},
        {PT_FILTER_IGNORE, "--ignore", options->ignore},
        {PT_FILTER_HIDE, "--hide", options->hide},
        {PT_FILTER_ROOT, "--root", options->root},
        {PT_FILTER_MATCH, "RE", options->operand && !pt_command_exports(options->command) ? options->operand : NULL},
    };
    struct pt_filter *filter = NULL;
    enum pt_status status = pt_filter_new(&filter);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0] && status == PT_OK; i++)
        if (patterns[i].pattern)
            status = pt_filter_add(filter, patterns[i].bit, patterns[i].name, patterns[i].pattern, error);
    if (status != PT_OK)
        goto cleanup;
    view->filters = pt_filter_bits(filter);
    if (view->filters == 0)
        goto cleanup;
    *flags = calloc(input->function_count, 1);
    if (!*flags)
        status = PT_NOMEM;
    for (size_t i = 0; i < input->function_count && status == PT_OK; i++) {
        unsigned bits = 0;
        if (input->functions[i].kind != PT_NAME_RAISE_SITE) /* which is never on a stack */
            status = pt_filter_match(filter, &input->functions[i], &bits);
        (*flags)[i] = (uint8_t)bits;
    }
    view->flags = *flags;
cleanup:
    pt_filter_free(filter);
    return status;
}
