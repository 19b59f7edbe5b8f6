/* The table of options, and how each stores what it was given. */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "units.h"

#define JOBS_MAX 256

static enum pt_status wrong(struct pt_error *error, const char *what)
{
    return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "%s", what);
}

static enum pt_status parse_number(uint64_t *out, const char **text, uint64_t most, struct pt_error *error)
{
    const char *at = *text;
    uint64_t number = 0;
    if (*at < '0' || *at > '9')
        return wrong(error, "a number is needed");
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (number > (most - digit) / 10)
            return wrong(error, "the number is too great");
        number = number * 10 + digit;
    }
    *text = at;
    *out = number;
    return PT_OK;
}

static enum pt_status parse_whole(uint64_t *out, const char *text, uint64_t most, struct pt_error *error)
{
    PT_TRY(parse_number(out, &text, most, error));
    return *text == '\0' ? PT_OK : wrong(error, "a number is needed");
}

/* The position of `text` in a list of words that ends with NULL. */
static enum pt_status parse_word(unsigned *out, const char *text, const char *const *words, struct pt_error *error)
{
    char list[sizeof error->text / 2] = "";
    for (unsigned i = 0; words[i]; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = i;
            return PT_OK;
        }
        if (i > 0)
            strncat(list, words[i + 1] ? ", " : " or ", sizeof list - strlen(list) - 1);
        strncat(list, words[i], sizeof list - strlen(list) - 1);
    }
    return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "choose %s", list);
}

static enum pt_status parse_serials(struct pt_serials *serials, const char *text, struct pt_error *error)
{
    for (;;) {
        struct pt_serials_span span;
        PT_TRY(parse_number(&span.first, &text, UINT32_MAX, error));
        span.last = span.first;
        if (*text == '-') {
            text++;
            PT_TRY(parse_number(&span.last, &text, UINT32_MAX, error));
        }
        struct pt_serials_span *spans = realloc(serials->spans, (serials->count + 1) * sizeof *spans);
        if (!spans)
            return PT_NOMEM;
        serials->spans = spans;
        spans[serials->count++] = span;
        if (*text == '\0')
            return PT_OK;
        if (*text++ != ',')
            return wrong(error, "a list of numbers is needed, e.g. 1,4-6");
    }
}

static enum pt_status parse_bound(struct pt_bound *bound, const char *text, size_t size, struct pt_error *error)
{
    char copy[40];
    if (size == 0)
        return PT_OK;
    if (size >= sizeof copy)
        return wrong(error, "a range is needed, e.g. 1.5s~2s or 10%~20%");
    memcpy(copy, text, size);
    copy[size] = '\0';
    char *end;
    double value = strtod(copy, &end);
    if (end != copy && strcmp(end, "%") == 0 && value >= 0 && value <= 100) {
        *bound = (struct pt_bound){.unit = PT_BOUND_PERCENT, .value = value};
        return PT_OK;
    }
    bound->unit = PT_BOUND_NS;
    if (pt_units_parse_time(copy, &bound->value) != PT_OK)
        return wrong(error, "a range is needed, e.g. 1.5s~2s or 10%~20%");
    return PT_OK;
}

/* --- One function an option, in the order of the table ---------------------------------------------------------- */

#define STORE(name)                                                                                                    \
    static enum pt_status store_##name(struct pt_options *options, const char *value, struct pt_error *error)

#define STORE_FLAG(name, member)                                                                                       \
    STORE(name)                                                                                                        \
    {                                                                                                                  \
        (void)value;                                                                                                   \
        (void)error;                                                                                                   \
        options->member = true;                                                                                        \
        return PT_OK;                                                                                                  \
    }

#define STORE_TEXT(name, member)                                                                                       \
    STORE(name)                                                                                                        \
    {                                                                                                                  \
        (void)error;                                                                                                   \
        options->member = value;                                                                                       \
        return PT_OK;                                                                                                  \
    }

STORE(top)
{
    options->top_given = true;
    return parse_whole(&options->top, value, UINT64_MAX, error);
}

STORE_TEXT(sort, sort)
STORE_TEXT(fields, fields)

STORE(by)
{
    static const char *const words[] = {"function", "file", "module", "thread", "process", "path", NULL};
    unsigned by = 0;
    PT_TRY(parse_word(&by, value, words, error));
    options->by = (enum pt_by)by;
    options->by_given = true;
    return PT_OK;
}

STORE(py)
{
    (void)value;
    if (options->kinds == PT_KINDS_C)
        return wrong(error, "--py and --c exclude each other");
    options->kinds = PT_KINDS_PYTHON;
    return PT_OK;
}

STORE(c)
{
    (void)value;
    if (options->kinds == PT_KINDS_PYTHON)
        return wrong(error, "--py and --c exclude each other");
    options->kinds = PT_KINDS_C;
    return PT_OK;
}

STORE_TEXT(focus, focus)
STORE_TEXT(ignore, ignore)
STORE_TEXT(hide, hide)
STORE_TEXT(root, root)

STORE(depth)
{
    return parse_whole(&options->depth, value, UINT32_MAX, error);
}

STORE(range)
{
    const char *tilde = strchr(value, '~');
    if (!tilde || (tilde == value && tilde[1] == '\0'))
        return wrong(error, "a range is needed, e.g. 1.5s~2s or 10%~20%");
    options->from = options->to = (struct pt_bound){.unit = PT_BOUND_NONE};
    PT_TRY(parse_bound(&options->from, value, (size_t)(tilde - value), error));
    PT_TRY(parse_bound(&options->to, tilde + 1, strlen(tilde + 1), error));
    if (options->from.unit == options->to.unit && options->from.value >= options->to.value)
        return wrong(error, "the range is empty");
    return PT_OK;
}

STORE(tid)
{
    return parse_serials(&options->tids, value, error);
}

STORE(pid)
{
    return parse_serials(&options->pids, value, error);
}

STORE(min_time)
{
    return pt_units_parse_time(value, &options->min_time_ns) == PT_OK
               ? PT_OK
               : wrong(error, "a time is needed, e.g. 10ms or 1.5s");
}

STORE(min_pct)
{
    char *end;
    options->min_percent = strtod(value, &end);
    if (end != value && *end == '%')
        end++;
    if (end == value || *end != '\0' || !(options->min_percent >= 0 && options->min_percent <= 100))
        return wrong(error, "a number from 0 to 100 is needed");
    return PT_OK;
}

STORE(paths)
{
    static const char *const words[] = {"module", "short", "full", NULL};
    unsigned paths = 0;
    PT_TRY(parse_word(&paths, value, words, error));
    options->paths = (enum pt_text_paths)paths;
    return PT_OK;
}

STORE_FLAG(no_collapse, no_collapse)
STORE_FLAG(compensate, compensate)

STORE(base)
{
    (void)value;
    (void)error;
    options->side = PT_SIDE_BASE;
    return PT_OK;
}

STORE(new)
{
    (void)value;
    (void)error;
    options->side = PT_SIDE_NEW;
    return PT_OK;
}

STORE(map)
{
    const char *equals = strchr(value, '=');
    if (!equals || equals == value || equals[1] == '\0')
        return wrong(error, "two functions are needed, e.g. old_module:f=new_module:f");
    const char **maps = reallocarray(options->maps, options->map_count + 1, sizeof *maps);
    if (!maps)
        return PT_NOMEM;
    options->maps = maps;
    maps[options->map_count++] = value;
    return PT_OK;
}

STORE_TEXT(fail_on, fail_on)

STORE(format)
{
    static const char *const words[] = {"table", "csv", "json", NULL};
    unsigned format = 0;
    PT_TRY(parse_word(&format, value, words, error));
    options->format = (enum pt_output_format)format;
    options->screen.data = options->format != PT_FORMAT_TABLE;
    return PT_OK;
}

STORE_TEXT(output, screen.output)
STORE_FLAG(force, screen.force)

STORE(color)
{
    static const char *const words[] = {"auto", "always", "never", NULL};
    unsigned color = 0;
    PT_TRY(parse_word(&color, value, words, error));
    options->screen.color = (enum pt_screen_color)color;
    return PT_OK;
}

STORE(width)
{
    uint64_t width = 0;
    PT_TRY(parse_whole(&width, value, 100000, error));
    options->screen.width = (size_t)width;
    options->screen.width_given = true;
    return PT_OK;
}

STORE_FLAG(no_pager, screen.no_pager)
STORE_FLAG(no_progress, no_progress)
STORE_FLAG(quiet, quiet)

STORE(jobs)
{
    uint64_t jobs = 0;
    PT_TRY(parse_whole(&jobs, value, JOBS_MAX, error));
    options->jobs = (unsigned)jobs;
    return PT_OK;
}

STORE_FLAG(help, help)
STORE_FLAG(version, version)

const struct pt_option pt_option_table[] = {
    {'n', "top", "N", "rows to show (default 30; 0: all)", store_top},
    {'s', "sort", "KEYS",
     "order: self (default) total calls primitive raised exceptions mean p50 p90 p99 max name file", store_sort},
    {'f', "fields", "LIST", "columns, with commas between; +LIST appends", store_fields},
    {0, "by", "WHAT", "rows are: function (default) file module thread process, in diff also path", store_by},
    {0, "py", NULL, "only Python functions", store_py},
    {0, "c", NULL, "only C functions", store_c},
    {'F', "focus", "RE", "only paths through a function that matches", store_focus},
    {'X', "ignore", "RE", "drop paths through a function that matches", store_ignore},
    {'H', "hide", "RE", "fold functions that match into their callers", store_hide},
    {0, "root", "RE", "paths begin at a function that matches", store_root},
    {'D', "depth", "N", "cut trees at this depth", store_depth},
    {'r', "range", "A~B", "only this part: seconds, ms, us or %, from the start; either end may be left out",
     store_range},
    {0, "tid", "LIST", "only these threads, e.g. 1,4-6 (see the command threads)", store_tid},
    {0, "pid", "LIST", "only these processes, by their number in the trace (see the command info)", store_pid},
    {0, "min-time", "T", "only rows of at least this time, e.g. 10ms", store_min_time},
    {0, "min-pct", "P", "only rows of at least this share, in percent", store_min_pct},
    {0, "paths", "HOW", "functions with their module (default), short or full path", store_paths},
    {0, "compensate", NULL, "take away what recording added to times, as measured at its start", store_compensate},
    {0, "no-collapse", NULL, "show recursion in trees as it was, call below call", store_no_collapse},
    {0, "base", NULL, "in diff: the traces that follow are what to compare with", store_base},
    {0, "new", NULL, "in diff: the traces that follow are what is compared", store_new},
    {0, "map", "OLD=NEW", "in diff: these two functions are the same, whatever they are called", store_map},
    {0, "fail-on", "LIST", "in diff: exit status 1 for any of these: slower>5%, slower>10ms, total>5%, calls",
     store_fail_on},
    {0, "format", "HOW", "table (default), csv or json", store_format},
    {'o', "output", "FILE", "write there instead of to standard output", store_output},
    {0, "force", NULL, "replace an output that exists; in diff: compare what was recorded with other settings, too",
     store_force},
    {0, "color", "WHEN", "auto (default), always or never", store_color},
    {0, "width", "N", "cut lines at this width (0: never)", store_width},
    {0, "no-pager", NULL, "never start a pager", store_no_pager},
    {0, "no-progress", NULL, "never show progress", store_no_progress},
    {'q', "quiet", NULL, "no warnings, no progress", store_quiet},
    {'j', "jobs", "N", "processors to use (0: all)", store_jobs},
    {'h', "help", NULL, "explain a command, or all of it", store_help},
    {'V', "version", NULL, "print the version", store_version},
};
const size_t pt_option_count = sizeof pt_option_table / sizeof pt_option_table[0];
