#include "report_function.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *kind_of(const struct pt_function *function)
{
    return function->kind == PT_NAME_C ? "c" : "py";
}

void pt_report_function_json(struct pt_json *json, const struct pt_function *function)
{
    pt_json_put_text(json, "kind", kind_of(function));
    pt_json_put_text(json, "module", function->module);
    pt_json_put_text(json, "name", function->qualname);
    pt_json_put_text(json, "file", function->file);
    pt_json_put_uint(json, "line", function->line);
    pt_json_put_text(json, "label", function->label);
}

void pt_report_function_csv(struct pt_csv *csv, const struct pt_function *function)
{
    pt_csv_text(csv, kind_of(function));
    pt_csv_text(csv, function->module);
    pt_csv_text(csv, function->qualname);
    pt_csv_text(csv, function->file);
    pt_csv_uint(csv, function->line);
    pt_csv_text(csv, function->label);
}

void pt_report_function_csv_titles(struct pt_csv *csv, const char *prefix)
{
    static const char *const titles[] = {"kind", "module", "name", "file", "line", "label"};
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        char title[32];
        snprintf(title, sizeof title, "%s%s", prefix, titles[i]);
        pt_csv_text(csv, title);
    }
}

enum pt_status pt_report_function_view(const struct pt_report *report, struct pt_stream_view *view, uint8_t **flags)
{
    const struct pt_input *input = report->input;
    enum pt_kinds kinds = report->options->kinds;
    uint32_t folded = kinds == PT_KINDS_PYTHON ? PT_NAME_C : PT_NAME_PYTHON;

    *view = report->view;
    *flags = NULL;
    if (kinds == PT_KINDS_ALL)
        return PT_OK;
    *flags = calloc(input->function_count + 1, 1);
    if (!*flags)
        return PT_NOMEM;
    if (view->flags)
        memcpy(*flags, view->flags, input->function_count);
    for (size_t i = 0; i < input->function_count; i++)
        if (input->functions[i].kind == folded)
            (*flags)[i] |= PT_FILTER_HIDE;
    view->flags = *flags;
    view->filters |= PT_FILTER_HIDE;
    return PT_OK;
}
