#include "top_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process_tree.h"
#include "tally_read.h"
#include "text.h"
#include "top_fields.h"

/* --- What rows are about ---------------------------------------------------------------------------------------- */

static const char *group_of(const struct pt_function *function, enum pt_by by)
{
    const char *text = by == PT_BY_FILE ? function->file : function->module;
    if (*text)
        return text;
    return function->kind == PT_NAME_C ? "(C)" : "(unknown)";
}

struct grouping {
    const struct pt_input *input;
    enum pt_by by;
};

static int compare_groups(const void *a, const void *b, void *context)
{
    const struct grouping *grouping = context;
    const uint32_t *left = a;
    const uint32_t *right = b;
    return strcmp(group_of(&grouping->input->functions[*left], grouping->by),
                  group_of(&grouping->input->functions[*right], grouping->by));
}

/* Gives each file, or module, a number: functions sorted by it fall into runs. */
static enum pt_status number_groups(struct pt_top_rows *rows, const struct pt_input *input)
{
    enum pt_status status = PT_NOMEM;
    struct grouping grouping = {.input = input, .by = rows->by};
    uint32_t *order = calloc(input->function_count, sizeof *order);
    rows->numbers = calloc(input->function_count, sizeof *rows->numbers);
    rows->groups = calloc(input->function_count, sizeof *rows->groups);
    if (!order || !rows->numbers || !rows->groups)
        goto cleanup;
    for (size_t i = 0; i < input->function_count; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, input->function_count, sizeof *order, compare_groups, &grouping);
    for (size_t i = 0; i < input->function_count; i++) {
        if (i == 0 || compare_groups(&order[i - 1], &order[i], &grouping) != 0)
            rows->groups[rows->group_count++] = group_of(&input->functions[order[i]], rows->by);
        rows->numbers[order[i]] = (uint32_t)(rows->group_count - 1);
    }
    status = PT_OK;
cleanup:
    free(order);
    return status;
}

/* How many numbers the steps can carry. */
static size_t number_count(const struct pt_top_rows *rows, const struct pt_input *input)
{
    size_t most = 0;
    switch (rows->by) {
    case PT_BY_FUNCTION:
        return input->function_count;
    case PT_BY_FILE:
    case PT_BY_MODULE:
        return rows->group_count;
    case PT_BY_THREAD:
    case PT_BY_PROCESS:
    case PT_BY_PATH:
        break;
    }
    for (size_t i = 0; i < input->thread_count; i++) {
        size_t number = (size_t)(rows->by == PT_BY_THREAD ? input->threads[i].tid : input->threads[i].pid);
        most = number > most ? number : most;
    }
    return most + 1;
}

static enum pt_status name_thread(struct pt_buffer *out, const struct pt_input *input, enum pt_by by, uint32_t number)
{
    char text[96];
    for (size_t i = 0; i < input->thread_count; i++) {
        const struct pt_input_thread *thread = &input->threads[i];
        const struct pt_trace *trace = thread->origin->trace;
        if ((by == PT_BY_THREAD ? thread->tid : thread->pid) != number)
            continue;
        if (by == PT_BY_THREAD) {
            const char *name = thread->thread->meta.name;
            PT_TRY(pt_text_escape(out, name, strlen(name)));
            snprintf(text, sizeof text, "%stid %" PRIu32, *name ? " · " : "", number);
        } else {
            uint64_t serial = thread->thread->meta.process;
            uint64_t pid = serial > 0 && serial <= trace->process_count ? trace->processes[serial - 1].pid : 0;
            const char *program = pt_process_program(trace, serial);
            PT_TRY(pt_text_escape(out, program, strlen(program)));
            snprintf(text, sizeof text, "%sprocess %" PRIu32 " · system id %" PRIu64, *program ? " · " : "", number,
                     pid);
        }
        return pt_buffer_append(out, text, strlen(text));
    }
    return PT_OK;
}

static enum pt_status name_row(struct pt_top_row *row, const struct pt_top_rows *rows, const struct pt_report *report)
{
    struct pt_buffer text = {0};
    enum pt_status status = PT_OK;
    char mark[32];
    switch (rows->by) {
    case PT_BY_FUNCTION:
        status = pt_text_function(&text, &report->input->functions[row->number], report->options->paths);
        if (status == PT_OK && row->recursion > 1) {
            snprintf(mark, sizeof mark, " ↻%" PRIu64, row->recursion);
            status = pt_buffer_append(&text, mark, strlen(mark));
        }
        break;
    case PT_BY_FILE:
    case PT_BY_MODULE:
        status = pt_text_escape(&text, rows->groups[row->number], strlen(rows->groups[row->number]));
        break;
    case PT_BY_THREAD:
    case PT_BY_PROCESS:
        status = name_thread(&text, report->input, rows->by, row->number);
        break;
    case PT_BY_PATH:
        break;
    }
    if (status == PT_OK)
        status = pt_buffer_append(&text, "", 1);
    if (status != PT_OK) {
        pt_buffer_release(&text);
        return status;
    }
    row->name = (char *)text.data;
    return PT_OK;
}

/* --- Figures ---------------------------------------------------------------------------------------------------- */

static void fill_row(struct pt_top_row *row, uint32_t number, const struct pt_tally *tally)
{
    const struct pt_tally_entry *entry = &tally->entries[number];
    const struct pt_histogram *durations = &entry->durations;
    *row = (struct pt_top_row){
        .number = number,
        .timed = entry->primitive > 0,
        .calls = entry->calls,
        .primitive = entry->primitive,
        .raised = entry->raised,
        .exceptions = entry->exceptions,
        .recursion = entry->recursion,
        .self_ns = pt_tally_ns(tally, entry->self),
        .total_ns = pt_tally_ns(tally, entry->total),
    };
    if (!row->timed)
        return;
    row->mean_ns = (row->total_ns + row->primitive / 2) / row->primitive;
    row->p50_ns = pt_tally_ns(tally, pt_histogram_quantile(durations, 0.50));
    row->p90_ns = pt_tally_ns(tally, pt_histogram_quantile(durations, 0.90));
    row->p99_ns = pt_tally_ns(tally, pt_histogram_quantile(durations, 0.99));
    row->min_ns = pt_tally_ns(tally, durations->least);
    row->max_ns = pt_tally_ns(tally, durations->greatest);
}

static bool wanted(const struct pt_top_row *row, const struct pt_top_rows *rows, const struct pt_report *report,
                   bool by_total)
{
    const struct pt_options *options = report->options;
    uint64_t time = by_total ? row->total_ns : row->self_ns;
    if (rows->by == PT_BY_FUNCTION && options->kinds != PT_KINDS_ALL) {
        bool c = report->input->functions[row->number].kind == PT_NAME_C;
        if (c != (options->kinds == PT_KINDS_C))
            return false;
    }
    return (double)time >= options->min_time_ns && (double)time * 100 >= options->min_percent * (double)rows->self_ns;
}

/* --- Order ------------------------------------------------------------------------------------------------------ */

struct order {
    const struct pt_top_field *keys[PT_TOP_FIELDS_MAX];
    size_t key_count;
    struct pt_top_context context;
};

static int compare_rows(const void *a, const void *b, void *context)
{
    const struct pt_top_row *left = a;
    const struct pt_top_row *right = b;
    const struct order *order = context;
    for (size_t i = 0; i < order->key_count; i++) {
        const struct pt_top_field *key = order->keys[i];
        if (key->number) {
            uint64_t l = key->number(left);
            uint64_t r = key->number(right);
            if (l != r)
                return l < r ? 1 : -1;
        } else {
            int way = strcmp(key->text(left, &order->context), key->text(right, &order->context));
            if (way != 0)
                return way;
        }
    }
    int way = strcmp(left->name, right->name);
    return way != 0 ? way : (left->number > right->number) - (left->number < right->number);
}

static enum pt_status parse_order(struct order *order, const struct pt_top_rows *rows, struct pt_report *report)
{
    order->context = (struct pt_top_context){.input = report->input, .rows = rows};
    PT_TRY(
        pt_top_fields_parse(order->keys, &order->key_count, "--sort", report->options->sort, "self", &report->error));
    for (size_t i = 0; i < order->key_count; i++)
        if (order->keys[i]->of_functions && rows->by != PT_BY_FUNCTION)
            order->keys[i] = pt_top_field_find("name", 4);
    return PT_OK;
}

enum pt_status pt_top_rows_make(struct pt_top_rows *rows, struct pt_report *report)
{
    struct pt_tally tally = {0};
    struct order order;
    struct pt_stream_view view = report->view;
    *rows = (struct pt_top_rows){.by = report->options->by};
    PT_TRY(parse_order(&order, rows, report));
    if (rows->by == PT_BY_FILE || rows->by == PT_BY_MODULE)
        PT_TRY(number_groups(rows, report->input));
    size_t count = number_count(rows, report->input);
    for (size_t i = 0; i < report->input->trace_count; i++)
        rows->exceptions = rows->exceptions || report->input->traces[i].trace->header.exceptions;
    view.inner = rows->exceptions ? PT_STREAM_EXCEPTIONS : 0;
    view.by = rows->by;
    view.numbers = rows->numbers;

    enum pt_status status = pt_tally_read(&tally, report, &view, count);
    if (status != PT_OK)
        goto cleanup;
    rows->rows = calloc(count, sizeof *rows->rows);
    if (!rows->rows) {
        status = PT_NOMEM;
        goto cleanup;
    }
    for (size_t i = 0; i < count; i++)
        rows->self_ns += pt_tally_ns(&tally, tally.entries[i].self);
    bool by_total = order.keys[0] == pt_top_field_find("total", 5);
    for (uint32_t i = 0; i < count && status == PT_OK; i++) {
        struct pt_top_row *row = &rows->rows[rows->count];
        if (tally.entries[i].recursion == 0)
            continue; /* never seen on a stack */
        fill_row(row, i, &tally);
        rows->total++;
        if (!wanted(row, rows, report, by_total))
            continue;
        row->line = rows->by == PT_BY_FUNCTION ? report->input->functions[i].line : 0;
        status = name_row(row, rows, report);
        rows->count += status == PT_OK;
    }
    if (status != PT_OK)
        goto cleanup;
    qsort_r(rows->rows, rows->count, sizeof *rows->rows, compare_rows, &order);
    uint64_t cumulated = 0;
    for (size_t i = 0; i < rows->count; i++)
        rows->rows[i].cumulated_ns = cumulated += rows->rows[i].self_ns;
cleanup:
    pt_tally_release(&tally);
    return status;
}

void pt_top_rows_release(struct pt_top_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        free(rows->rows[i].name);
    free(rows->rows);
    free(rows->numbers);
    free(rows->groups);
    *rows = (struct pt_top_rows){0};
}
