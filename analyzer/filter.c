#include "filter.h"

#include <regex.h>
#include <stdbool.h>
#include <stdlib.h>

#include "buffer.h"
#include "text.h"

struct pt_filter_pattern {
    unsigned bit;
    regex_t compiled;
};

struct pt_filter {
    struct pt_filter_pattern *patterns;
    size_t count;
    unsigned bits;
};

enum pt_status pt_filter_new(struct pt_filter **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? PT_OK : PT_NOMEM;
}

void pt_filter_free(struct pt_filter *filter)
{
    if (!filter)
        return;
    for (size_t i = 0; i < filter->count; i++)
        regfree(&filter->patterns[i].compiled);
    free(filter->patterns);
    free(filter);
}

enum pt_status pt_filter_add(struct pt_filter *filter, enum pt_filter_bit bit, const char *option, const char *pattern,
                             struct pt_error *error)
{
    struct pt_filter_pattern *patterns = reallocarray(filter->patterns, filter->count + 1, sizeof *filter->patterns);
    if (!patterns)
        return pt_error_set(error, PT_NOMEM, PT_ERROR_NO_OFFSET, "out of memory");
    filter->patterns = patterns;

    struct pt_filter_pattern *added = &patterns[filter->count];
    int failure = regcomp(&added->compiled, pattern, REG_EXTENDED | REG_NOSUB);
    if (failure) {
        char reason[80];
        regerror(failure, &added->compiled, reason, sizeof reason);
        return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "%s '%.60s': %s", option, pattern, reason);
    }
    added->bit = bit;
    filter->bits |= bit;
    filter->count++;
    return PT_OK;
}

unsigned pt_filter_bits(const struct pt_filter *filter)
{
    return filter->bits;
}

static bool finds(const struct pt_filter_pattern *pattern, const char *text)
{
    return regexec(&pattern->compiled, text, 0, NULL, 0) == 0;
}

enum pt_status pt_filter_match(const struct pt_filter *filter, const struct pt_function *function, unsigned *bits)
{
    struct pt_buffer name = {0};
    enum pt_status status = PT_OK;
    unsigned matched = 0;

    if (filter->count) {
        status = pt_text_function(&name, function, PT_TEXT_PATHS_MODULE);
        if (status == PT_OK)
            status = pt_buffer_append(&name, "", 1);
        if (status != PT_OK)
            goto cleanup;
    }
    for (size_t i = 0; i < filter->count; i++) {
        const struct pt_filter_pattern *pattern = &filter->patterns[i];
        /* A Python label holds the file's name, and an operand that happens to be part of a directory would match all in it. */
        bool beyond_names = pattern->bit != PT_FILTER_MATCH;
        if (finds(pattern, (const char *)name.data) || finds(pattern, function->qualname) ||
            ((beyond_names || function->kind == PT_NAME_C) && finds(pattern, function->label)) ||
            (beyond_names && finds(pattern, function->file)))
            matched |= pattern->bit;
    }
    *bits = matched;

cleanup:
    pt_buffer_release(&name);
    return status;
}
