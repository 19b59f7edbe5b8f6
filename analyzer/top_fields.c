#include "top_fields.h"

#include <stdio.h>
#include <string.h>

#include "suggest.h"
#include "units.h"

#define NUMBER(name, member)                                                                                           \
    static uint64_t name(const struct pt_top_row *row)                                                                 \
    {                                                                                                                  \
        return row->member;                                                                                            \
    }

NUMBER(self, self_ns)
NUMBER(total, total_ns)
NUMBER(cumulated, cumulated_ns)
NUMBER(line, line)
NUMBER(calls, calls)
NUMBER(primitive, primitive)
NUMBER(raised, raised)
NUMBER(exceptions, exceptions)
NUMBER(recursion, recursion)
NUMBER(mean, mean_ns)
NUMBER(p50, p50_ns)
NUMBER(p90, p90_ns)
NUMBER(p99, p99_ns)
NUMBER(least, min_ns)
NUMBER(greatest, max_ns)

/* --- Texts ------------------------------------------------------------------------------------------------------ */

static const struct pt_function *function_of(const struct pt_top_row *row, const struct pt_top_context *context)
{
    return &context->input->functions[row->number];
}

static const char *name(const struct pt_top_row *row, const struct pt_top_context *context)
{
    (void)context;
    return row->name;
}

static const char *qualname(const struct pt_top_row *row, const struct pt_top_context *context)
{
    return context->rows->by == PT_BY_FUNCTION ? function_of(row, context)->qualname : row->name;
}

static const char *kind(const struct pt_top_row *row, const struct pt_top_context *context)
{
    return function_of(row, context)->kind == PT_NAME_C ? "c" : "py";
}

static const char *module(const struct pt_top_row *row, const struct pt_top_context *context)
{
    return function_of(row, context)->module;
}

static const char *file(const struct pt_top_row *row, const struct pt_top_context *context)
{
    return function_of(row, context)->file;
}

static const char *label(const struct pt_top_row *row, const struct pt_top_context *context)
{
    return function_of(row, context)->label;
}

/* --- Cells ------------------------------------------------------------------------------------------------------ */

static void print_self(char *out, const struct pt_top_row *row, const struct pt_top_context *context)
{
    pt_units_scaled(out, row->self_ns, context->scale);
}

static void print_total(char *out, const struct pt_top_row *row, const struct pt_top_context *context)
{
    pt_units_scaled(out, row->total_ns, context->scale);
}

static void print_share(char *out, uint64_t part_ns, const struct pt_top_context *context)
{
    uint64_t whole = context->rows->self_ns;
    snprintf(out, PT_TOP_CELL, "%.1f", whole ? 100.0 * (double)part_ns / (double)whole : 0.0);
}

static void print_percent(char *out, const struct pt_top_row *row, const struct pt_top_context *context)
{
    print_share(out, row->self_ns, context);
}

static void print_cumulated(char *out, const struct pt_top_row *row, const struct pt_top_context *context)
{
    print_share(out, row->cumulated_ns, context);
}

/* The number of calls, and behind a slash that of the outermost ones where they differ. */
static void print_calls(char *out, const struct pt_top_row *row, const struct pt_top_context *context)
{
    char outermost[PT_UNITS_MAX];
    pt_units_count(out, row->calls);
    if (row->recursion > 1 && row->primitive != row->calls && context->rows->by == PT_BY_FUNCTION) {
        size_t used = strlen(out);
        snprintf(out + used, PT_TOP_CELL - used, "/%s", pt_units_count(outermost, row->primitive));
    }
}

#define PRINT_TIME(name, member)                                                                                       \
    static void name(char *out, const struct pt_top_row *row, const struct pt_top_context *context)                    \
    {                                                                                                                  \
        (void)context;                                                                                                 \
        pt_units_time(out, (double)row->member);                                                                       \
    }

PRINT_TIME(print_mean, mean_ns)
PRINT_TIME(print_p50, p50_ns)
PRINT_TIME(print_p90, p90_ns)
PRINT_TIME(print_p99, p99_ns)
PRINT_TIME(print_least, min_ns)
PRINT_TIME(print_greatest, max_ns)

/* --- The table -------------------------------------------------------------------------------------------------- */

static const struct pt_top_field fields[] = {
    {.name = "kind", .title = "KIND", .key = "kind", .left = true, .of_functions = true, .text = kind},
    {.name = "module", .title = "MODULE", .key = "module", .left = true, .of_functions = true, .text = module},
    {.name = "qualname", .title = "QUALNAME", .key = "name", .left = true, .of_functions = true, .text = qualname},
    {.name = "file", .title = "FILE", .key = "file", .left = true, .of_functions = true, .text = file},
    {.name = "line", .title = "LINE", .key = "line", .of_functions = true, .number = line},
    {.name = "label", .title = "LABEL", .key = "label", .left = true, .of_functions = true, .text = label},
    {.name = "calls", .title = "CALLS", .key = "calls", .close = true, .number = calls, .print = print_calls},
    {.name = "primitive", .title = "PRIMITIVE", .key = "primitive", .number = primitive},
    {.name = "raised", .title = "RAISED", .key = "raised", .number = raised},
    {.name = "exceptions", .title = "EXCEPTIONS", .key = "exceptions", .number = exceptions},
    {.name = "self", .title = "SELF", .key = "self_ns", .number = self, .print = print_self},
    {.name = "total", .title = "TOTAL", .key = "total_ns", .number = total, .print = print_total},
    {.name = "mean",
     .title = "MEAN",
     .key = "mean_ns",
     .close = true,
     .of_calls = true,
     .number = mean,
     .print = print_mean},
    {.name = "p50",
     .title = "P50",
     .key = "p50_ns",
     .close = true,
     .of_calls = true,
     .number = p50,
     .print = print_p50},
    {.name = "p90",
     .title = "P90",
     .key = "p90_ns",
     .close = true,
     .of_calls = true,
     .number = p90,
     .print = print_p90},
    {.name = "p99",
     .title = "P99",
     .key = "p99_ns",
     .close = true,
     .of_calls = true,
     .number = p99,
     .print = print_p99},
    {.name = "min",
     .title = "MIN",
     .key = "min_ns",
     .close = true,
     .of_calls = true,
     .number = least,
     .print = print_least},
    {.name = "max",
     .title = "MAX",
     .key = "max_ns",
     .close = true,
     .of_calls = true,
     .number = greatest,
     .print = print_greatest},
    {.name = "recursion", .title = "DEPTH", .key = "recursion", .number = recursion},
    {.name = "percent", .title = "%", .number = self, .print = print_percent},
    {.name = "cum", .title = "cum%", .number = cumulated, .print = print_cumulated},
    {.name = "name", .title = "FUNCTION", .left = true, .text = name},
};

#define FIELD_COUNT (sizeof fields / sizeof fields[0])

const struct pt_top_field *pt_top_field_find(const char *wanted, size_t size)
{
    if (size == 1 && *wanted == '%')
        return pt_top_field_find("percent", 7);
    if (size == 4 && memcmp(wanted, "cum%", 4) == 0)
        size = 3;
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (strncmp(fields[i].name, wanted, size) == 0 && fields[i].name[size] == '\0')
            return &fields[i];
    return NULL;
}

static enum pt_status unknown_field(const char *option, const char *wanted, size_t size, struct pt_error *error)
{
    const char *names[FIELD_COUNT];
    char typed[40];
    for (size_t i = 0; i < FIELD_COUNT; i++)
        names[i] = fields[i].name;
    snprintf(typed, sizeof typed, "%.*s", (int)(size < sizeof typed ? size : sizeof typed - 1), wanted);
    const char *nearest = pt_suggest_nearest(typed, names, FIELD_COUNT);
    return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "%s: there is no column '%s'%s%s%s", option, typed,
                        nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

enum pt_status pt_top_fields_parse(const struct pt_top_field **out, size_t *count, const char *option, const char *list,
                                   const char *base, struct pt_error *error)
{
    *count = 0;
    if (!list || *list == '+') {
        PT_TRY(pt_top_fields_parse(out, count, option, base, NULL, error));
        if (!list)
            return PT_OK;
        list++;
    }
    for (;;) {
        size_t size = strcspn(list, ",");
        const struct pt_top_field *field = pt_top_field_find(list, size);
        if (!field)
            return unknown_field(option, list, size, error);
        bool twice = false;
        for (size_t i = 0; i < *count; i++)
            twice = twice || out[i] == field;
        if (!twice)
            out[(*count)++] = field;
        if (list[size] == '\0')
            return PT_OK;
        list += size + 1;
    }
}
