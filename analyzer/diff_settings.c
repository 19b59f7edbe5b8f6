#include "diff_settings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COST_PERCENT 20 /* events that differ by more in their cost make small functions seem to move */

__attribute__((format(printf, 3, 4))) static void add(struct pt_diff_settings *settings, bool serious,
                                                      const char *format, ...)
{
    struct pt_diff_difference *difference = &settings->differences[settings->count];
    va_list arguments;
    if (settings->count == PT_DIFF_SETTINGS_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(difference->text, sizeof difference->text, format, arguments);
    va_end(arguments);
    difference->serious = serious;
    for (char *at = difference->text; *at; at++) /* texts of a trace are data */
        if ((unsigned char)*at < 0x20 || *at == 0x7F)
            *at = '?';
    for (size_t i = 0; i < settings->count; i++)
        if (strcmp(settings->differences[i].text, difference->text) == 0)
            return;
    settings->count++;
}

static void compare_texts(struct pt_diff_settings *settings, bool serious, const char *what, const char *a,
                          const char *b)
{
    if (strcmp(a, b) != 0)
        add(settings, serious, "%s: %.48s and %.48s", what, *a ? a : "none", *b ? b : "none");
}

static void compare_flags(struct pt_diff_settings *settings, const char *what, bool a, bool b)
{
    if (a != b)
        add(settings, true, "%s were recorded on one side only", what);
}

static bool counts_processor_time(const struct pt_header *header)
{
    return strcmp(header->clock, "cpu") == 0;
}

/* 3.13.1 differs from 3.13.0 in little that matters, from 3.12 in all. */
static bool same_branch(const struct pt_header *a, const struct pt_header *b)
{
    size_t size = strcspn(a->python, ".");
    if (a->python[size])
        size += 1 + strcspn(a->python + size + 1, ".abr+");
    return strcmp(a->implementation, b->implementation) == 0 && strncmp(a->python, b->python, size) == 0 &&
           strcspn(b->python + size, ".abr+") == 0;
}

static void compare_costs(struct pt_diff_settings *settings, const struct pt_cost *a, const struct pt_cost *b)
{
    if (!pt_cost_is_measured(a) || !pt_cost_is_measured(b))
        return;
    const uint64_t costs[] = {a->own_ps + a->caller_ps, b->own_ps + b->caller_ps};
    const uint64_t least = costs[0] < costs[1] ? costs[0] : costs[1];
    const uint64_t most = costs[0] < costs[1] ? costs[1] : costs[0];
    if (most - least > least * COST_PERCENT / 100)
        add(settings, false, "a call cost %" PRIu64 " ns and %" PRIu64 " ns: small functions seem to differ",
            (costs[0] + 500) / 1000, (costs[1] + 500) / 1000);
}

static void compare_headers(struct pt_diff_settings *settings, const struct pt_header *a, const struct pt_header *b)
{
    if (counts_processor_time(a) != counts_processor_time(b))
        add(settings, true, "clock: %.20s and %.20s: CPU time is not the time that passes", a->clock, b->clock);
    else
        compare_texts(settings, false, "clock", a->clock, b->clock);
    compare_flags(settings, "C calls", a->c_calls, b->c_calls);
    compare_flags(settings, "exceptions", a->exceptions, b->exceptions);
    compare_flags(settings, "children", a->children, b->children);
    compare_texts(settings, true, "lines", a->lines, b->lines);
    compare_texts(settings, true, "opcodes", a->opcodes, b->opcodes);
    compare_texts(settings, !same_branch(a, b), "interpreter", a->python, b->python);
    compare_texts(settings, true, "hook", a->hook, b->hook);
    compare_texts(settings, true, "machine", a->machine, b->machine);
    compare_texts(settings, false, "host", a->host, b->host);
    compare_texts(settings, false, "program", a->program, b->program);
    compare_costs(settings, &a->costs[PT_COST_CALL], &b->costs[PT_COST_CALL]);
}

static int compare_starts(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a >> 1;
    uint64_t right = *(const uint64_t *)b >> 1;
    return (left > right) - (left < right);
}

/* Where all traces of one side were recorded before those of the other, a machine that became slower meanwhile cannot be
 * told from a program that did. */
static void compare_order(struct pt_diff_settings *settings, const struct pt_input *input, size_t base_count)
{
    const size_t count = input->trace_count;
    size_t turns = 0;
    uint64_t *starts = count > 0 ? calloc(count, sizeof *starts) : NULL; /* with the side in the lowest bit */
    if (!starts)
        return; /* it is but a warning */
    for (size_t i = 0; i < count; i++)
        starts[i] = input->traces[i].trace->header.started_ns << 1 | (i >= base_count);
    qsort(starts, count, sizeof *starts, compare_starts);
    for (size_t i = 1; i < count; i++)
        turns += (starts[i] & 1) != (starts[i - 1] & 1);
    free(starts);
    if (turns == 1)
        add(settings, false,
            "one side was recorded after the other: take turns, or a drift of the machine seems a change");
}

void pt_diff_settings_compare(struct pt_diff_settings *settings, const struct pt_input *input, size_t base_count)
{
    const struct pt_trace *first = input->traces[0].trace;
    *settings = (struct pt_diff_settings){0};
    for (size_t i = 0; i < input->trace_count; i++) {
        const struct pt_trace *trace = input->traces[i].trace;
        if (!trace->has_header)
            add(settings, true, "%.100s: its settings are not known, the header is damaged", trace->path);
        else if (i > 0 && first->has_header)
            compare_headers(settings, &first->header, &trace->header);
    }
    if (base_count > 1 && input->trace_count - base_count > 1)
        compare_order(settings, input, base_count);
}

const struct pt_diff_difference *pt_diff_settings_serious(const struct pt_diff_settings *settings)
{
    for (size_t i = 0; i < settings->count; i++)
        if (settings->differences[i].serious)
            return &settings->differences[i];
    return NULL;
}
