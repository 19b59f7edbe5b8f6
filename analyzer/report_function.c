#include "report_function.h"

void pt_report_function_json(struct pt_json *json, const struct pt_function *function)
{
    pt_json_put_text(json, "kind", function->kind == PT_NAME_C ? "c" : "py");
    pt_json_put_text(json, "module", function->module);
    pt_json_put_text(json, "name", function->qualname);
    pt_json_put_text(json, "file", function->file);
    pt_json_put_uint(json, "line", function->line);
    pt_json_put_text(json, "label", function->label);
}
