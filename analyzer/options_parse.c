/* From argv to struct pt_options. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "export.h"
#include "options.h"
#include "suggest.h"

static const struct pt_option *find_letter(char letter)
{
    for (size_t i = 0; i < pt_option_count; i++)
        if (pt_option_table[i].letter == letter)
            return &pt_option_table[i];
    return NULL;
}

static const struct pt_option *find_name(const char *name, size_t size)
{
    for (size_t i = 0; i < pt_option_count; i++)
        if (strncmp(pt_option_table[i].name, name, size) == 0 && pt_option_table[i].name[size] == '\0')
            return &pt_option_table[i];
    return NULL;
}

static enum pt_status unknown_option(const char *name, size_t size, struct pt_error *error)
{
    const char *names[64];
    char typed[64];
    size_t count = pt_option_count < 64 ? pt_option_count : 64;
    for (size_t i = 0; i < count; i++)
        names[i] = pt_option_table[i].name;
    snprintf(typed, sizeof typed, "%.*s", (int)(size < sizeof typed ? size : sizeof typed), name);
    const char *nearest = pt_suggest_nearest(typed, names, count);
    return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "unknown option --%s%s%s%s", typed,
                        nearest ? "; did you mean --" : "", nearest ? nearest : "", nearest ? "?" : "");
}

static enum pt_status store(struct pt_options *options, const struct pt_option *option, const char *value,
                            struct pt_error *error)
{
    struct pt_error reason = {.text = ""};
    enum pt_status status = option->store(options, value, &reason);
    if (status == PT_OK)
        return PT_OK;
    if (status == PT_NOMEM)
        return pt_error_set(error, PT_NOMEM, PT_ERROR_NO_OFFSET, "out of memory");
    return pt_error_set(error, status, PT_ERROR_NO_OFFSET, value ? "--%s '%.60s': %s" : "--%s%.0s: %s", option->name,
                        value ? value : "", reason.text);
}

/* The options in one argument; `next` is what follows it, and is used up (`*used`) if an option takes it as its value.
 * */
static enum pt_status parse_argument(struct pt_options *options, const char *argument, const char *next, int *used,
                                     struct pt_error *error)
{
    if (argument[1] == '-') {
        const char *name = argument + 2;
        size_t size = strcspn(name, "=");
        const char *value = name[size] == '=' ? name + size + 1 : NULL;
        const struct pt_option *option = find_name(name, size);
        if (!option)
            return unknown_option(name, size, error);
        if (value && !option->argument)
            return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "--%s takes no value", option->name);
        if (!value && option->argument) {
            if (!next)
                return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "--%s needs a value: %s", option->name,
                                    option->argument);
            value = next;
            *used = 1;
        }
        return store(options, option, value, error);
    }
    for (const char *letter = argument + 1; *letter; letter++) {
        const struct pt_option *option = find_letter(*letter);
        if (!option)
            return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "unknown option -%c", *letter);
        if (!option->argument) {
            PT_TRY(store(options, option, NULL, error));
            continue;
        }
        if (letter[1] != '\0')
            return store(options, option, letter + 1, error);
        if (!next)
            return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "-%c needs a value: %s", *letter,
                                option->argument);
        *used = 1;
        return store(options, option, next, error);
    }
    return PT_OK;
}

static enum pt_status check_format(struct pt_options *options, struct pt_error *error)
{
    const char *names[16];
    size_t count = pt_export_count < 16 ? pt_export_count : 16;
    options->screen.data = true;
    if (pt_export_find(options->operand))
        return PT_OK;
    for (size_t i = 0; i < count; i++)
        names[i] = pt_export_table[i].name;
    const char *nearest = pt_suggest_nearest(options->operand, names, count);
    return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "export: there is no format '%.60s'%s%s%s",
                        options->operand, nearest ? "; did you mean " : " (see export --help)", nearest ? nearest : "",
                        nearest ? "?" : "");
}

/* Tells command, operand and traces apart. A file that bears the name of a command can be given as ./NAME. */
static enum pt_status sort_operands(struct pt_options *options, struct pt_error *error)
{
    size_t taken = 0;
    const char *first = options->trace_count > 0 ? options->traces[0] : NULL;
    const struct pt_command *command = first ? pt_command_find(first) : NULL;
    if (command)
        taken = 1;
    options->command = command ? command : options->help ? NULL : &pt_command_table[0];
    if (options->help || options->version)
        return PT_OK;

    if (first && !command && access(first, F_OK) != 0) {
        const char *names[16];
        size_t count = pt_command_count < 16 ? pt_command_count : 16;
        for (size_t i = 0; i < count; i++)
            names[i] = pt_command_table[i].name;
        const char *nearest = pt_suggest_nearest(first, names, count);
        if (nearest)
            return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET,
                                "'%.60s' is neither a command nor a trace; did you mean %s?", first, nearest);
    }
    if (options->command->operand) {
        if (options->trace_count == taken)
            return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "%s needs %s and a trace", options->command->name,
                                options->command->operand);
        options->operand = options->traces[taken++];
        if (pt_command_exports(options->command))
            PT_TRY(check_format(options, error));
    }
    options->trace_count -= taken;
    memmove(options->traces, options->traces + taken, options->trace_count * sizeof *options->traces);
    memmove(options->sides, options->sides + taken, options->trace_count * sizeof *options->sides);
    if (options->trace_count == 0)
        return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET,
                            "no trace given; try pytrace-analyze trace.bin, or --help");
    if (options->compensate && !pt_command_compensates(options->command))
        return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "--compensate: %s shows times as they were recorded",
                            options->command->name);
    return PT_OK;
}

/* Puts the traces of the base before those that are new. */
static enum pt_status arrange_sides(struct pt_options *options, struct pt_error *error)
{
    const size_t count = options->trace_count;
    size_t sided = 0;
    for (size_t i = 0; i < count; i++)
        sided += options->sides[i] != PT_SIDE_NONE;
    if (!pt_command_compares(options->command))
        return options->side == PT_SIDE_NONE
                   ? PT_OK
                   : pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "--base and --new are for diff");
    if (options->side == PT_SIDE_NONE && count != 2)
        return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET,
                            "diff compares two traces, or several a side: --base A1 A2 --new B1 B2");
    options->base_count = 1;
    if (options->side == PT_SIDE_NONE)
        return PT_OK;
    if (sided != count)
        return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET,
                            "'%.60s' stands before --base and --new: on which side is it?", options->traces[0]);
    options->base_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (options->sides[i] != PT_SIDE_BASE)
            continue;
        const char *trace = options->traces[i]; /* goes before the new ones, which move up by one */
        size_t news = i - options->base_count;
        memmove(&options->traces[options->base_count + 1], &options->traces[options->base_count],
                news * sizeof *options->traces);
        options->traces[options->base_count++] = trace;
    }
    if (options->base_count == 0 || options->base_count == count)
        return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "no trace stands behind --%s",
                            options->base_count == 0 ? "base" : "new");
    return PT_OK;
}

/* What only some commands can do. */
static enum pt_status check_command(struct pt_options *options, struct pt_error *error)
{
    bool compares = pt_command_compares(options->command);
    if (options->by == PT_BY_PATH && !compares)
        return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "--by path is for diff");
    if ((options->map_count > 0 || options->fail_on) && !compares)
        return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "--%s is for diff",
                            options->fail_on ? "fail-on" : "map");
    if (compares && options->by != PT_BY_FUNCTION && options->by != PT_BY_PATH)
        return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "--by: diff compares by function or by path");
    return PT_OK;
}

enum pt_status pt_options_parse(struct pt_options *options, int argc, char *const *argv, struct pt_error *error)
{
    bool only_operands = false;
    *options = (struct pt_options){.top = 30, .min_percent = -1, .side = PT_SIDE_NONE};
    options->traces = calloc((size_t)argc + 1, sizeof *options->traces);
    options->sides = calloc((size_t)argc + 1, sizeof *options->sides);
    if (!options->traces || !options->sides)
        return pt_error_set(error, PT_NOMEM, PT_ERROR_NO_OFFSET, "out of memory");
    for (int i = 0; i < argc; i++) {
        int used = 0;
        if (!only_operands && strcmp(argv[i], "--") == 0)
            only_operands = true;
        else if (only_operands || argv[i][0] != '-' || argv[i][1] == '\0') {
            options->sides[options->trace_count] = options->side;
            options->traces[options->trace_count++] = argv[i];
        } else
            PT_TRY(parse_argument(options, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used, error));
        i += used;
    }
    PT_TRY(sort_operands(options, error));
    if (options->help || options->version)
        return PT_OK;
    PT_TRY(check_command(options, error));
    return arrange_sides(options, error);
}

void pt_options_release(struct pt_options *options)
{
    free(options->traces);
    free(options->sides);
    free(options->maps);
    free(options->tids.spans);
    free(options->pids.spans);
    *options = (struct pt_options){0};
}

bool pt_serials_contain(const struct pt_serials *serials, uint64_t serial)
{
    for (size_t i = 0; i < serials->count; i++)
        if (serial >= serials->spans[i].first && serial <= serials->spans[i].last)
            return true;
    return serials->count == 0;
}

uint64_t pt_bound_ns(const struct pt_bound *bound, uint64_t wall_ns, uint64_t otherwise)
{
    switch (bound->unit) {
    case PT_BOUND_NS:
        return bound->value < 1.8e19 ? (uint64_t)bound->value : UINT64_MAX;
    case PT_BOUND_PERCENT:
        return (uint64_t)((double)wall_ns * bound->value / 100);
    default:
        return otherwise;
    }
}
