/* diff: what has changed from one trace, or several, to others. */
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "diff_read.h"
#include "diff_replicates.h"

/* A row of which nobody can tell whether it has changed is worth a look from this share of the time on. */
#define DOUBTFUL_PERCENT 0.5

const struct pt_function *pt_diff_function(const struct pt_diff *diff, uint32_t number)
{
    const struct pt_diff_function *function = &diff->match.functions[number];
    return function->sides[PT_SIDE_NEW] ? function->sides[PT_SIDE_NEW] : function->sides[PT_SIDE_BASE];
}

uint64_t pt_diff_calls(const struct pt_diff *diff, const struct pt_diff_row *row, enum pt_side side)
{
    size_t bases = diff->report->options->base_count;
    size_t count = side == PT_SIDE_BASE ? bases : diff->report->input->trace_count - bases;
    return (row->calls[side] + count / 2) / count;
}

const char *pt_diff_change_name(enum pt_diff_change change)
{
    static const char *const names[] = {"same", "more", "fewer", "new", "removed", "varies", "unknown"};
    return names[change];
}

const char *pt_diff_verdict_name(enum pt_diff_verdict verdict)
{
    static const char *const names[] = {"can't tell", "unchanged", "slower", "faster", "none"};
    return names[verdict];
}

const char *pt_diff_how_name(enum pt_diff_how how)
{
    static const char *const names[] = {"same", "moved", "renamed", "mapped"};
    return names[how];
}

/* --- What is shown ---------------------------------------------------------------------------------------------- */

static bool wanted(const struct pt_diff *diff, const struct pt_diff_row *row)
{
    const struct pt_options *options = diff->report->options;
    const uint64_t *whole = diff->rows.total.self_ns;
    const double greatest = (double)(whole[0] > whole[1] ? whole[0] : whole[1]);
    const double delta = (double)llabs(row->delta_ns);
    bool told = row->change != PT_DIFF_AS_BEFORE || row->verdict == PT_DIFF_SLOWER || row->verdict == PT_DIFF_FASTER ||
                diff->match.functions[row->function].how != PT_DIFF_SAME;
    if (options->format != PT_FORMAT_TABLE || options->top == 0 || options->min_percent >= 0 ||
        options->min_time_ns > 0)
        return delta >= options->min_time_ns && delta * 100 >= options->min_percent * greatest;
    return told || (row->verdict != PT_DIFF_UNCHANGED && delta * 100 >= DOUBTFUL_PERCENT * greatest);
}

/* Those that are shown go first; the order of these, and of the others, stays. */
static enum pt_status choose_rows(struct pt_diff *diff)
{
    struct pt_diff_rows *rows = &diff->rows;
    const uint64_t most = diff->report->options->top;
    size_t others = 0;
    struct pt_diff_row *rest = calloc(rows->count + 1, sizeof *rest);
    if (!rest)
        return PT_NOMEM;
    for (size_t i = 0; i < rows->count; i++) {
        if (wanted(diff, &rows->rows[i]) && (most == 0 || diff->shown < most))
            rows->rows[diff->shown++] = rows->rows[i];
        else
            rest[others++] = rows->rows[i];
    }
    memcpy(&rows->rows[diff->shown], rest, others * sizeof *rest);
    free(rest);
    return PT_OK;
}

/* --- Whether it may be ------------------------------------------------------------------------------------------ */

static enum pt_status check_settings(struct pt_diff *diff)
{
    struct pt_report *report = diff->report;
    pt_diff_settings_compare(&diff->settings, report->input, report->options->base_count);
    const struct pt_diff_difference *serious = pt_diff_settings_serious(&diff->settings);
    if (!serious || report->options->screen.force)
        return PT_OK;
    return pt_error_set(&report->error, PT_MISUSE, PT_ERROR_NO_OFFSET, "not comparable: %s (--force: all the same)",
                        serious->text);
}

/* --- All of it -------------------------------------------------------------------------------------------------- */

/* Where events were lost, so was time: in whose calls nobody knows. */
static enum pt_status judge(struct pt_diff *diff)
{
    const struct pt_options *options = diff->report->options;
    const size_t news = diff->report->input->trace_count - options->base_count;
    if (diff->rows.lossy[0] || diff->rows.lossy[1])
        return PT_OK;
    if (pt_diff_replicates_suffice(options->base_count, news))
        return pt_diff_replicates_judge(&diff->rows, diff->report);
    return options->by == PT_BY_FUNCTION ? pt_diff_blocks_judge(&diff->blocks, &diff->rows, diff->report) : PT_OK;
}

/* Leaves those of the conditions that hold. */
static void check_conditions(struct pt_diff *diff)
{
    struct pt_diff_conditions *conditions = &diff->conditions;
    size_t held = 0;
    for (size_t i = 0; i < conditions->count; i++)
        if (pt_diff_condition_holds(&conditions->list[i], &diff->rows))
            conditions->list[held++] = conditions->list[i];
    conditions->count = held;
    diff->report->found = held > 0;
}

static enum pt_status compare(struct pt_diff *diff)
{
    struct pt_report *report = diff->report;
    const struct pt_options *options = report->options;
    const bool few = !pt_diff_replicates_suffice(options->base_count, report->input->trace_count - options->base_count);
    struct pt_diff_reader reader = {.report = report, .match = &diff->match, .paths = &diff->paths};
    PT_TRY(pt_diff_rows_sort(&diff->rows, report, &diff->match)); /* a mistake is told before the events are read */
    PT_TRY(pt_diff_conditions_parse(&diff->conditions, options->fail_on, &report->error));
    PT_TRY(check_settings(diff));
    PT_TRY(pt_diff_match_make(&diff->match, report->input, options->base_count, options->maps, options->map_count,
                              &report->error));
    if (few && options->by == PT_BY_FUNCTION)
        reader.blocks = &diff->blocks;
    PT_TRY(pt_diff_read(&reader));
    PT_TRY(pt_diff_divergences_find(&diff->divergences, report, &diff->match));
    PT_TRY(pt_diff_rows_make(&diff->rows, report, &diff->match, &diff->paths));
    PT_TRY(judge(diff));
    check_conditions(diff);
    PT_TRY(pt_diff_rows_sort(&diff->rows, report, &diff->match));
    return choose_rows(diff);
}

enum pt_status pt_report_diff(struct pt_report *report)
{
    struct pt_diff diff = {.report = report};
    enum pt_status status = compare(&diff);
    if (status != PT_OK)
        goto cleanup;
    pt_progress_finish(report->progress);
    switch (report->options->format) {
    case PT_FORMAT_TABLE:
        status = pt_diff_table_print(&diff);
        break;
    case PT_FORMAT_CSV:
        pt_diff_csv_print(&diff);
        break;
    case PT_FORMAT_JSON:
        pt_diff_json_print(&diff);
        break;
    }
cleanup:
    pt_diff_rows_release(&diff.rows);
    pt_diff_divergences_release(&diff.divergences);
    pt_diff_paths_release(&diff.paths);
    pt_diff_blocks_release(&diff.blocks);
    pt_diff_match_release(&diff.match);
    return status;
}
