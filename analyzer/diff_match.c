#include "diff_match.h"

#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "suggest.h"
#include "text.h"

/* What two functions may have in common. */
enum aspect { KIND = 1, MODULE = 2, NAME = 4, LAST_NAME = 8, HASH = 16 };

/* The definitions of one side that agree in kind, module and qualified name. */
struct group {
    const struct pt_function *function; /* one of them */
    enum pt_side side;
    uint64_t hash; /* the sum over all of them; 0: there is none */
    struct group *partner;
    enum pt_diff_how how;
    bool guess;
    uint32_t number; /* in the result */
};

struct matching {
    const struct pt_input *input;
    struct group *groups; /* of the base, then of the new side */
    size_t count;
    size_t base_count;
    struct group **of[2]; /* by side and function of the input; NULL: not there */
};

/* --- Groups ----------------------------------------------------------------------------------------------------- */

static const char *last_name(const struct pt_function *function)
{
    const char *dot = strrchr(function->qualname, '.');
    return dot ? dot + 1 : function->qualname;
}

static int compare_functions(const struct pt_function *a, const struct pt_function *b, unsigned aspects)
{
    int order = 0;
    if (aspects & KIND)
        order = (a->kind > b->kind) - (a->kind < b->kind);
    if (order == 0 && aspects & NAME)
        order = strcmp(a->qualname, b->qualname);
    if (order == 0 && aspects & LAST_NAME)
        order = strcmp(last_name(a), last_name(b));
    if (order == 0 && aspects & MODULE)
        order = strcmp(a->module, b->module);
    return order;
}

static int compare_numbers(const void *a, const void *b, void *context)
{
    const struct pt_input *input = context;
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    int order = compare_functions(&input->functions[left], &input->functions[right], KIND | NAME | MODULE);
    return order ? order : (left > right) - (left < right);
}

/* The functions that the traces of a side define, sorted so that those of one group stand together. */
static size_t list_functions(uint32_t *list, const struct pt_input *input, size_t from, size_t to, uint8_t *seen)
{
    size_t count = 0;
    memset(seen, 0, input->function_count);
    for (size_t i = from; i < to; i++)
        for (size_t f = 1; f < input->traces[i].trace->function_count; f++)
            seen[input->traces[i].functions[f]] = 1;
    for (size_t f = 1; f < input->function_count; f++)
        if (seen[f] && input->functions[f].kind != PT_NAME_RAISE_SITE) /* which is never on a stack */
            list[count++] = (uint32_t)f;
    qsort_r(list, count, sizeof *list, compare_numbers, (void *)(uintptr_t)input);
    return count;
}

static void make_groups(struct matching *self, const uint32_t *list, size_t count, enum pt_side side)
{
    struct group *group = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct pt_function *function = &self->input->functions[list[i]];
        if (!group || compare_functions(group->function, function, KIND | NAME | MODULE) != 0) {
            group = &self->groups[self->count++];
            *group = (struct group){.function = function, .side = side};
        }
        group->hash += function->hash;
        self->of[side][list[i]] = group;
    }
}

static enum pt_status find_groups(struct matching *self, size_t base_count)
{
    const struct pt_input *input = self->input;
    enum pt_status status = PT_NOMEM;
    uint32_t *list = calloc(input->function_count, sizeof *list);
    uint8_t *seen = calloc(input->function_count, 1);
    self->groups = calloc(2 * input->function_count, sizeof *self->groups);
    self->of[PT_SIDE_BASE] = calloc(input->function_count, sizeof(struct group *));
    self->of[PT_SIDE_NEW] = calloc(input->function_count, sizeof(struct group *));
    if (!list || !seen || !self->groups || !self->of[PT_SIDE_BASE] || !self->of[PT_SIDE_NEW])
        goto cleanup;
    make_groups(self, list, list_functions(list, input, 0, base_count, seen), PT_SIDE_BASE);
    self->base_count = self->count;
    make_groups(self, list, list_functions(list, input, base_count, input->trace_count, seen), PT_SIDE_NEW);
    status = PT_OK;
cleanup:
    free(list);
    free(seen);
    return status;
}

/* --- Pairs ------------------------------------------------------------------------------------------------------ */

static void pair(struct group *base, struct group *new)
{
    base->partner = new;
    new->partner = base;
}

static int compare_groups(const void *a, const void *b, void *context)
{
    const struct group *left = *(struct group *const *)a;
    const struct group *right = *(struct group *const *)b;
    unsigned aspects = *(const unsigned *)context;
    int order = 0;
    if (aspects & HASH)
        order = (left->hash > right->hash) - (left->hash < right->hash);
    return order ? order : compare_functions(left->function, right->function, aspects);
}

/* Lambdas, comprehensions, the code of a module: their names say nothing. */
static bool has_name(const struct group *group)
{
    return *last_name(group->function) != '<';
}

static void describe(struct group *base)
{
    const struct group *new = base->partner;
    bool moved = strcmp(base->function->module, new->function->module) != 0;
    bool renamed = strcmp(base->function->qualname, new->function->qualname) != 0;
    base->how = renamed ? PT_DIFF_RENAMED : moved ? PT_DIFF_MOVED : PT_DIFF_SAME;
    base->guess = (renamed || moved) && base->hash != new->hash;
}

/* Pairs what is left over and agrees in these aspects, where there is only one on either side. `list` has room for all. */
static void pair_by(struct matching *self, unsigned aspects, struct group **list)
{
    size_t count = 0;
    for (size_t i = 0; i < self->count; i++) {
        struct group *group = &self->groups[i];
        bool by_name_alone = !(aspects & (HASH | MODULE));
        if (!group->partner && !(aspects & HASH && group->hash == 0) &&
            !(by_name_alone && (!has_name(group) || group->function->kind == PT_NAME_C)))
            list[count++] = group;
    }
    qsort_r(list, count, sizeof *list, compare_groups, &aspects);
    for (size_t i = 0, end; i < count; i = end) {
        size_t bases = 0;
        for (end = i; end < count && compare_groups(&list[i], &list[end], &aspects) == 0; end++)
            bases += list[end]->side == PT_SIDE_BASE;
        if (end - i != 2 || bases != 1)
            continue;
        struct group *base = list[i]->side == PT_SIDE_BASE ? list[i] : list[i + 1];
        pair(base, base == list[i] ? list[i + 1] : list[i]);
        describe(base);
    }
}

/* --- By hand ---------------------------------------------------------------------------------------------------- */

/* All the names of a side as reports show them, each behind the other. */
static enum pt_status list_names(const struct matching *self, enum pt_side side, const char ***names,
                                 struct pt_buffer *texts)
{
    size_t from = side == PT_SIDE_BASE ? 0 : self->base_count;
    size_t count = side == PT_SIDE_BASE ? self->base_count : self->count - self->base_count;
    *names = calloc(count + 1, sizeof **names);
    if (!*names)
        return PT_NOMEM;
    for (size_t i = 0; i < count; i++) {
        PT_TRY(pt_text_function(texts, self->groups[from + i].function, PT_TEXT_PATHS_MODULE));
        PT_TRY(pt_buffer_append(texts, "", 1));
    }
    const char *at = (const char *)texts->data;
    for (size_t i = 0; i < count; i++, at += strlen(at) + 1)
        (*names)[i] = at;
    return PT_OK;
}

static enum pt_status find_named(const struct matching *self, enum pt_side side, const char *name, size_t size,
                                 struct group **found, struct pt_error *error)
{
    const char **names = NULL;
    struct pt_buffer texts = {0};
    char wanted[128];
    size_t from = side == PT_SIDE_BASE ? 0 : self->base_count;
    size_t count = side == PT_SIDE_BASE ? self->base_count : self->count - self->base_count;
    enum pt_status status = list_names(self, side, &names, &texts);
    if (status != PT_OK)
        goto cleanup;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(names[i], name, size) == 0 && names[i][size] == '\0') {
            *found = &self->groups[from + i];
            goto cleanup;
        }
    }
    size = size < sizeof wanted ? size : sizeof wanted - 1;
    memcpy(wanted, name, size);
    wanted[size] = '\0';
    const char *nearest = pt_suggest_nearest(wanted, names, count);
    status = PT_MISUSE;
    pt_error_set(error, status, PT_ERROR_NO_OFFSET, "--map: %.60s is no function of the %s%s%.60s%s", wanted,
                 side == PT_SIDE_BASE ? "base" : "new traces", nearest ? "; did you mean " : "", nearest ? nearest : "",
                 nearest ? "?" : "");
cleanup:
    free(names);
    pt_buffer_release(&texts);
    return status;
}

/* Names may hold a '=' themselves (they are data), but then they cannot be mapped. */
static enum pt_status map(struct matching *self, const char *text, struct pt_error *error)
{
    const char *equals = strchr(text, '=');
    struct group *base;
    struct group *new;
    PT_TRY(find_named(self, PT_SIDE_BASE, text, (size_t)(equals - text), &base, error));
    PT_TRY(find_named(self, PT_SIDE_NEW, equals + 1, strlen(equals + 1), &new, error));
    if (base->partner || new->partner)
        return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "--map %.80s: one of them is mapped already", text);
    pair(base, new);
    base->how = PT_DIFF_MAPPED;
    return PT_OK;
}

/* --- The result ------------------------------------------------------------------------------------------------- */

static enum pt_status number_functions(struct pt_diff_match *match, struct matching *self)
{
    const struct pt_input *input = self->input;
    match->functions = calloc(self->count + 1, sizeof *match->functions);
    if (!match->functions)
        return PT_NOMEM;
    match->functions[0].sides[PT_SIDE_BASE] = match->functions[0].sides[PT_SIDE_NEW] = &input->functions[0];
    match->count = 1;
    for (size_t i = 0; i < self->count; i++) {
        struct group *group = &self->groups[i];
        if (group->side == PT_SIDE_NEW && group->partner) { /* its partner stands before it */
            group->number = group->partner->number;
            match->functions[group->number].sides[PT_SIDE_NEW] = group->function;
            continue;
        }
        group->number = (uint32_t)match->count++;
        struct pt_diff_function *function = &match->functions[group->number];
        function->sides[group->side] = group->function;
        function->how = group->how;
        function->guess = group->guess;
    }
    for (int side = 0; side < 2; side++) {
        match->numbers[side] = calloc(input->function_count, sizeof *match->numbers[side]);
        if (!match->numbers[side])
            return PT_NOMEM;
        for (size_t f = 0; f < input->function_count; f++)
            match->numbers[side][f] = self->of[side][f] ? self->of[side][f]->number : 0;
    }
    return PT_OK;
}

enum pt_status pt_diff_match_make(struct pt_diff_match *match, const struct pt_input *input, size_t base_count,
                                  const char *const *maps, size_t map_count, struct pt_error *error)
{
    /* From what is sure to what is likely. */
    static const unsigned passes[] = {
        KIND | NAME | MODULE, KIND | HASH | NAME,      KIND | HASH | MODULE | LAST_NAME,
        KIND | HASH | MODULE, KIND | HASH | LAST_NAME, KIND | HASH,
        KIND | NAME,
    };
    struct matching self = {.input = input};
    struct group **list = NULL;
    *match = (struct pt_diff_match){0};
    enum pt_status status = find_groups(&self, base_count);
    for (size_t i = 0; i < map_count && status == PT_OK; i++)
        status = map(&self, maps[i], error);
    if (status != PT_OK)
        goto cleanup;
    list = calloc(self.count + 1, sizeof(struct group *));
    if (!list) {
        status = PT_NOMEM;
        goto cleanup;
    }
    for (size_t i = 0; i < sizeof passes / sizeof passes[0]; i++)
        pair_by(&self, passes[i], list);
    status = number_functions(match, &self);
cleanup:
    free(list);
    free(self.groups);
    free(self.of[PT_SIDE_BASE]);
    free(self.of[PT_SIDE_NEW]);
    return status;
}

void pt_diff_match_release(struct pt_diff_match *match)
{
    free(match->functions);
    free(match->numbers[PT_SIDE_BASE]);
    free(match->numbers[PT_SIDE_NEW]);
    *match = (struct pt_diff_match){0};
}
