#include "export_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "text.h"

/* `plain` is escaped already but for special bytes. The result is to be freed; NULL if there is no memory. */
static char *escape_special(const char *plain, size_t size, const char *special)
{
    char *name = malloc(4 * size + 1);
    size_t length = 0;
    for (size_t i = 0; name && i < size; i++) {
        if (strchr(special, plain[i]))
            length += (size_t)sprintf(name + length, "\\x%02x", (unsigned)(unsigned char)plain[i]);
        else
            name[length++] = plain[i];
    }
    if (name)
        name[length] = '\0';
    return name;
}

enum pt_status pt_export_names_make(struct pt_export_names *names, const struct pt_report *report, const char *special)
{
    const struct pt_input *input = report->input;
    struct pt_buffer plain = {0};
    enum pt_status status = PT_OK;

    names->names = calloc(input->function_count + 3, sizeof *names->names);
    if (!names->names)
        return PT_NOMEM;
    names->count = input->function_count + 3;
    for (size_t i = 0; i < input->function_count && status == PT_OK; i++) {
        plain.size = 0;
        status = pt_text_function(&plain, &input->functions[i], report->options->paths);
        if (status == PT_OK && plain.size == 0)
            status = pt_buffer_append(&plain, "?", 1);
        if (status == PT_OK && !(names->names[i] = escape_special((const char *)plain.data, plain.size, special)))
            status = PT_NOMEM;
    }
    char **more = names->names + input->function_count;
    if (status == PT_OK && !((more[0] = strdup(PT_EXPORT_UNRECORDED)) && (more[1] = strdup(PT_EXPORT_LEFT_OUT)) &&
                             (more[2] = strdup(PT_EXPORT_SUSPENDED))))
        status = PT_NOMEM;
    pt_buffer_release(&plain);
    return status;
}

void pt_export_names_release(struct pt_export_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->names[i]);
    free(names->names);
    *names = (struct pt_export_names){0};
}
