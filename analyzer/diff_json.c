/* A comparison for programs. */
#include <stdio.h>

#include "csv.h"
#include "diff.h"
#include "header_line.h"
#include "json.h"
#include "report_function.h"

/* --- JSON ------------------------------------------------------------------------------------------------------- */

static void put_figures(struct pt_json *json, const struct pt_diff *diff, const struct pt_diff_row *row)
{
    pt_json_put_uint(json, "base_calls", pt_diff_calls(diff, row, PT_SIDE_BASE));
    pt_json_put_uint(json, "new_calls", pt_diff_calls(diff, row, PT_SIDE_NEW));
    pt_json_put_uint(json, "base_self_ns", row->self_ns[PT_SIDE_BASE]);
    pt_json_put_uint(json, "new_self_ns", row->self_ns[PT_SIDE_NEW]);
    pt_json_put_int(json, "delta_ns", row->delta_ns);
    pt_json_put_int(json, "calls_ns", row->calls_ns);
    pt_json_put_int(json, "speed_ns", row->speed_ns);
}

static void put_verdict(struct pt_json *json, const struct pt_diff_row *row)
{
    pt_json_put_text(json, "verdict", pt_diff_verdict_name(row->verdict));
    pt_json_put_real(json, "speed", row->speed);
    pt_json_put_real(json, "q", row->q);
    pt_json_put_real(json, "visible", row->visible);
    pt_json_put_real(json, "visible_ns", row->visible_ns);
}

static void put_function(struct pt_json *json, const struct pt_diff *diff, const struct pt_diff_row *row)
{
    const struct pt_diff_function *function = &diff->match.functions[row->function];
    pt_report_function_json(json, pt_diff_function(diff, row->function));
    pt_json_put_text(json, "match", pt_diff_how_name(function->how));
    if (function->how != PT_DIFF_SAME) {
        pt_json_put_bool(json, "guess", function->guess);
        pt_json_put_text(json, "base_module", function->sides[PT_SIDE_BASE]->module);
        pt_json_put_text(json, "base_name", function->sides[PT_SIDE_BASE]->qualname);
    }
}

static void put_path(struct pt_json *json, const struct pt_diff *diff, const struct pt_diff_row *row)
{
    const struct pt_diff_path *paths = diff->paths.paths;
    pt_json_put_uint(json, "id", row->number);
    if (paths[row->number].parent)
        pt_json_put_uint(json, "parent", paths[row->number].parent);
    else
        pt_json_put_null(json, "parent");
}

static void put_rows(struct pt_json *json, const struct pt_diff *diff)
{
    const bool by_path = diff->report->options->by == PT_BY_PATH;
    pt_json_key(json, by_path ? "paths" : "functions");
    pt_json_open(json, '[', true);
    for (size_t i = 0; i < diff->shown && !pt_screen_gone(diff->report->screen); i++) {
        const struct pt_diff_row *row = &diff->rows.rows[i];
        pt_json_open(json, '{', false);
        if (by_path)
            put_path(json, diff, row);
        put_function(json, diff, row);
        put_figures(json, diff, row);
        pt_json_put_text(json, "calls", pt_diff_change_name(row->change));
        put_verdict(json, row);
        pt_json_close(json, '}');
    }
    pt_json_close(json, ']');
}

static void put_settings(struct pt_json *json, const struct pt_diff_settings *settings)
{
    pt_json_key(json, "differences");
    pt_json_open(json, '[', false);
    for (size_t i = 0; i < settings->count; i++)
        pt_json_text(json, settings->differences[i].text);
    pt_json_close(json, ']');
}

static void put_structure(struct pt_json *json, const struct pt_diff_rows *rows)
{
    pt_json_key(json, "structure");
    pt_json_open(json, '{', false);
    pt_json_put_bool(json, "identical", rows->paths_changed == 0 && rows->paths_unsure == 0);
    pt_json_put_uint(json, "paths", rows->paths);
    pt_json_put_uint(json, "paths_changed", rows->paths_changed);
    pt_json_put_uint(json, "paths_unsure", rows->paths_unsure);
    pt_json_close(json, '}');
}

static void put_call_path(struct pt_json *json, const struct pt_diff *diff, const struct pt_diff_divergence *found,
                          int side)
{
    pt_json_key(json, side == PT_SIDE_BASE ? "base_path" : "new_path");
    if (!found->paths[side]) {
        pt_json_null(json);
        return;
    }
    pt_json_open(json, '[', false);
    for (size_t i = 0; i < found->depths[side]; i++) {
        const struct pt_function *function = &diff->report->input->functions[found->paths[side][i]];
        pt_json_open(json, '{', false);
        pt_json_put_text(json, "module", function->module);
        pt_json_put_text(json, "name", function->qualname);
        pt_json_close(json, '}');
    }
    pt_json_close(json, ']');
}

static void put_tid(struct pt_json *json, const char *key, const struct pt_input_thread *thread)
{
    if (thread)
        pt_json_put_uint(json, key, thread->tid);
    else
        pt_json_put_null(json, key);
}

static void put_divergences(struct pt_json *json, const struct pt_diff *diff)
{
    static const char *const courses[] = {"same", "differs", "unknown", "one side"};
    pt_json_key(json, "threads");
    pt_json_open(json, '[', true);
    for (size_t i = 0; i < diff->divergences.count; i++) {
        const struct pt_diff_divergence *found = &diff->divergences.threads[i];
        const struct pt_input_thread *thread = found->threads.sides[found->threads.sides[0] ? 0 : 1];
        pt_json_open(json, '{', false);
        pt_json_put_text(json, "name", thread->thread->meta.name);
        put_tid(json, "base_tid", found->threads.sides[PT_SIDE_BASE]);
        put_tid(json, "new_tid", found->threads.sides[PT_SIDE_NEW]);
        pt_json_put_text(json, "course", courses[found->course]);
        pt_json_put_uint(json, "same_calls", found->calls);
        pt_json_put_uint(json, "base_calls", found->base_calls);
        put_call_path(json, diff, found, PT_SIDE_BASE);
        put_call_path(json, diff, found, PT_SIDE_NEW);
        pt_json_close(json, '}');
    }
    pt_json_close(json, ']');
}

void pt_diff_json_print(const struct pt_diff *diff)
{
    struct pt_json json;
    pt_header_line_json_open(&json, diff->report);
    pt_json_put_uint(&json, "base_count", diff->report->options->base_count);
    put_settings(&json, &diff->settings);
    put_structure(&json, &diff->rows);
    put_divergences(&json, diff);
    pt_json_key(&json, "failed");
    pt_json_open(&json, '[', false);
    for (size_t i = 0; i < diff->conditions.count; i++)
        pt_json_text(&json, diff->conditions.list[i].text);
    pt_json_close(&json, ']');
    pt_json_key(&json, "total");
    pt_json_open(&json, '{', false);
    put_figures(&json, diff, &diff->rows.total);
    put_verdict(&json, &diff->rows.total);
    pt_json_put_uint(&json, "rows", diff->rows.count);
    pt_json_close(&json, '}');
    put_rows(&json, diff);
    pt_header_line_json_close(&json);
}

/* --- CSV -------------------------------------------------------------------------------------------------------- */

void pt_diff_csv_print(const struct pt_diff *diff)
{
    static const char *const titles[] = {"match",        "base_module", "base_name", "base_calls", "new_calls",
                                         "base_self_ns", "new_self_ns", "delta_ns",  "calls_ns",   "speed_ns",
                                         "calls",        "verdict",     "speed",     "q",          "visible_ns"};
    const bool by_path = diff->report->options->by == PT_BY_PATH;
    struct pt_csv csv = {.screen = diff->report->screen};
    if (by_path) {
        pt_csv_text(&csv, "id");
        pt_csv_text(&csv, "parent");
    }
    pt_report_function_csv_titles(&csv, "");
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        pt_csv_text(&csv, titles[i]);
    pt_csv_line(&csv);
    for (size_t i = 0; i < diff->shown && !pt_screen_gone(csv.screen); i++) {
        const struct pt_diff_row *row = &diff->rows.rows[i];
        const struct pt_diff_function *function = &diff->match.functions[row->function];
        const struct pt_function *base = function->sides[PT_SIDE_BASE];
        if (by_path) {
            uint32_t parent = diff->paths.paths[row->number].parent;
            pt_csv_uint(&csv, row->number);
            if (parent)
                pt_csv_uint(&csv, parent);
            else
                pt_csv_empty(&csv);
        }
        pt_report_function_csv(&csv, pt_diff_function(diff, row->function));
        pt_csv_text(&csv, pt_diff_how_name(function->how));
        pt_csv_text(&csv, base ? base->module : "");
        pt_csv_text(&csv, base ? base->qualname : "");
        pt_csv_uint(&csv, pt_diff_calls(diff, row, PT_SIDE_BASE));
        pt_csv_uint(&csv, pt_diff_calls(diff, row, PT_SIDE_NEW));
        pt_csv_uint(&csv, row->self_ns[PT_SIDE_BASE]);
        pt_csv_uint(&csv, row->self_ns[PT_SIDE_NEW]);
        pt_csv_int(&csv, row->delta_ns);
        pt_csv_int(&csv, row->calls_ns);
        pt_csv_int(&csv, row->speed_ns);
        pt_csv_text(&csv, pt_diff_change_name(row->change));
        pt_csv_text(&csv, pt_diff_verdict_name(row->verdict));
        pt_csv_real(&csv, row->speed);
        pt_csv_real(&csv, row->q);
        pt_csv_real(&csv, row->visible_ns);
        pt_csv_line(&csv);
    }
}
