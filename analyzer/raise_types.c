#include "raise_types.h"

#include <stdlib.h>
#include <string.h>

struct site {
    uint32_t number;
    const char *type;
};

static int compare_sites(const void *a, const void *b)
{
    return strcmp(((const struct site *)a)->type, ((const struct site *)b)->type);
}

enum pt_status pt_raise_types_make(uint32_t **types, const struct pt_input *input)
{
    size_t count = 0;
    uint32_t type = 0;
    struct site *sites = calloc(input->function_count + 1, sizeof *sites);
    *types = calloc(input->function_count + 1, sizeof **types);
    if (!sites || !*types) {
        free(sites);
        return PT_NOMEM;
    }
    for (size_t i = 0; i < input->function_count; i++)
        if (input->functions[i].kind == PT_NAME_RAISE_SITE)
            sites[count++] = (struct site){(uint32_t)i, input->functions[i].label};
    qsort(sites, count, sizeof *sites, compare_sites);
    for (size_t i = 0; i < count; i++) {
        type += i == 0 || strcmp(sites[i - 1].type, sites[i].type) != 0;
        (*types)[sites[i].number] = type;
    }
    free(sites);
    return PT_OK;
}
