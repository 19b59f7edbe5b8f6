/* exceptions: where they were raised, how far they went, and what became of them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "facts.h"
#include "flights.h"
#include "grid.h"
#include "header_line.h"
#include "json.h"
#include "replay.h"
#include "report.h"
#include "report_function.h"
#include "text.h"
#include "units.h"

struct exceptions {
    struct pt_report *report;
    struct pt_flights *flights;
    uint8_t *flags; /* of the view, if --py or --c changes it */
    size_t threads; /* begun */
    struct pt_flight *rows;
    size_t count;
    size_t shown;
};

static const char *const ends[] = {"caught", "swallowed", "left", "open"};

/* --- Reading ----------------------------------------------------------------------------------------------------- */

static enum pt_status begin_thread(void *context, const struct pt_input_thread *thread)
{
    struct exceptions *self = context;
    (void)thread;
    return self->threads++ > 0 ? pt_flights_end_thread(self->flights) : PT_OK;
}

static enum pt_status add_steps(void *context, const struct pt_step *steps, size_t count)
{
    struct exceptions *self = context;
    return pt_flights_add(self->flights, steps, count);
}

static const struct pt_function *function_of(const struct exceptions *self, uint32_t number)
{
    return &self->report->input->functions[number];
}

/* The most frequent first; then by type, and by place. */
static int compare_rows(const void *a, const void *b, void *context)
{
    const struct exceptions *self = context;
    const struct pt_flight *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    int way = strcmp(function_of(self, x->site)->label, function_of(self, y->site)->label);
    if (way != 0)
        return way;
    if (x->site != y->site)
        return x->site < y->site ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return x->by < y->by ? -1 : x->by > y->by;
}

static enum pt_status read_flights(struct exceptions *self)
{
    struct pt_report *report = self->report;
    struct pt_stream_view view;
    struct pt_replay_sink sink = {.context = self, .thread = begin_thread, .steps = add_steps};
    PT_TRY(pt_report_function_view(report, &view, &self->flags));
    view.inner = PT_STREAM_EXCEPTIONS;
    PT_TRY(pt_flights_new(&self->flights, report->input, report->input->function_count, true));
    PT_TRY(pt_replay(report, &view, &sink));
    PT_TRY(pt_flights_end_thread(self->flights));
    if (self->flights->ended.count > 1) {
        self->rows = self->flights->ended.rows + 1;
        self->count = self->flights->ended.count - 1;
    }
    if (self->count > 1)
        qsort_r(self->rows, self->count, sizeof *self->rows, compare_rows, self);
    const uint64_t top = report->options->top;
    self->shown = top > 0 && top < self->count ? (size_t)top : self->count;
    return PT_OK;
}

static bool were_recorded(const struct pt_input *input)
{
    for (size_t i = 0; i < input->trace_count; i++)
        if (input->traces[i].trace->header.exceptions || !input->traces[i].trace->has_header)
            return true;
    return false;
}

/* --- For people -------------------------------------------------------------------------------------------------- */

static enum pt_status put_function(struct pt_grid *grid, const struct exceptions *self, uint32_t number,
                                   const char *behind)
{
    struct pt_buffer text = {0};
    enum pt_status status = pt_text_function(&text, function_of(self, number), PT_TEXT_PATHS_MODULE);
    if (status == PT_OK)
        status = pt_buffer_append(&text, behind, strlen(behind) + 1);
    if (status == PT_OK)
        pt_grid_cell(grid, (const char *)text.data, PT_SCREEN_PLAIN);
    pt_buffer_release(&text);
    return status;
}

static enum pt_status put_place(struct pt_grid *grid, const struct exceptions *self, const struct pt_function *site)
{
    const char *slash = self->report->options->paths == PT_TEXT_PATHS_FULL ? NULL : strrchr(site->file, '/');
    char *text = NULL;
    if (asprintf(&text, "%s:%" PRIu32, slash ? slash + 1 : site->file, site->line) < 0)
        return PT_NOMEM;
    pt_grid_text(grid, text);
    free(text);
    return PT_OK;
}

static enum pt_status put_end(struct pt_grid *grid, const struct exceptions *self, const struct pt_flight *row)
{
    if (row->end == PT_FLIGHT_OPEN || row->end == PT_FLIGHT_LEFT || row->by == PT_FLIGHTS_NOBODY) {
        pt_grid_cell(grid, row->end == PT_FLIGHT_OPEN ? "(the recording ended)" : "(nobody: it left the thread)",
                     row->end == PT_FLIGHT_OPEN ? PT_SCREEN_DIM : PT_SCREEN_WARN);
        return PT_OK;
    }
    bool unseen = row->end == PT_FLIGHT_SWALLOWED && function_of(self, row->by)->kind != PT_NAME_C;
    return put_function(grid, self, row->by, unseen ? " (a loop, or C code)" : "");
}

static enum pt_status put_row(struct pt_grid *grid, const struct exceptions *self, const struct pt_flight *row)
{
    const struct pt_function *site = function_of(self, row->site);
    char text[2 * PT_UNITS_MAX];
    char most[PT_UNITS_MAX];
    pt_grid_cell(grid, pt_units_count(text, row->count), PT_SCREEN_PLAIN);
    pt_units_count(text, row->least);
    if (row->most != row->least) {
        strcat(text, "–");
        strcat(text, pt_units_count(most, row->most));
    }
    pt_grid_cell(grid, text, PT_SCREEN_PLAIN);
    pt_grid_text(grid, site->label);
    PT_TRY(put_place(grid, self, site));
    if (row->function == PT_FLIGHTS_NOBODY)
        pt_grid_cell(grid, "(unknown)", PT_SCREEN_DIM);
    else
        PT_TRY(put_function(grid, self, row->function, ""));
    return put_end(grid, self, row);
}

static void print_summary(const struct exceptions *self)
{
    struct pt_facts facts = {.screen = self->report->screen, .between = " · "};
    char text[PT_UNITS_MAX], more[PT_UNITS_MAX];
    uint64_t count = 0;
    for (size_t i = 0; i < self->count; i++)
        count += self->rows[i].count;
    pt_facts_printf(&facts, "%s exception%s", pt_units_count(text, count), count == 1 ? "" : "s");
    if (self->count > 0)
        pt_facts_printf(&facts, "%s of %s ways", pt_units_count(text, self->shown), pt_units_count(more, self->count));
    pt_facts_end(&facts);
}

static enum pt_status print_table(const struct exceptions *self)
{
    static const char *const titles[] = {"COUNT", "UP", "EXCEPTION", "AT", "RAISED BY", "CAUGHT BY"};
    static const size_t dispensable[] = {3, 1}; /* on narrow screens */
    struct pt_grid grid = {0};
    enum pt_status status = PT_OK;
    pt_header_line_print(self->report);
    print_summary(self);
    if (self->count == 0)
        return PT_OK;
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        pt_grid_column(&grid, titles[i], i > 1, 2);
    for (size_t i = 0; i < sizeof dispensable / sizeof dispensable[0]; i++)
        pt_grid_give_way(&grid, dispensable[i]);
    for (size_t i = 0; i < self->shown && status == PT_OK; i++)
        status = put_row(&grid, self, &self->rows[i]);
    if (status == PT_OK)
        status = pt_grid_print(&grid, self->report->screen);
    pt_grid_release(&grid);
    return status;
}

/* --- For programs ------------------------------------------------------------------------------------------------ */

static void put_function_json(struct pt_json *json, const struct exceptions *self, const char *key, uint32_t number)
{
    if (number == PT_FLIGHTS_NOBODY) {
        pt_json_put_null(json, key);
        return;
    }
    pt_json_key(json, key);
    pt_json_open(json, '{', false);
    pt_report_function_json(json, function_of(self, number));
    pt_json_close(json, '}');
}

static void print_json(const struct exceptions *self)
{
    struct pt_json json;
    pt_header_line_json_open(&json, self->report);
    pt_json_key(&json, "exceptions");
    pt_json_open(&json, '[', true);
    for (size_t i = 0; i < self->shown && !pt_screen_gone(self->report->screen); i++) {
        const struct pt_flight *row = &self->rows[i];
        const struct pt_function *site = function_of(self, row->site);
        pt_json_open(&json, '{', false);
        pt_json_put_text(&json, "type", site->label);
        pt_json_put_text(&json, "file", site->file);
        pt_json_put_uint(&json, "line", site->line);
        pt_json_put_uint(&json, "count", row->count);
        pt_json_put_uint(&json, "up_least", row->least);
        pt_json_put_uint(&json, "up_most", row->most);
        put_function_json(&json, self, "raised_by", row->function);
        pt_json_put_text(&json, "end", ends[row->end]);
        put_function_json(&json, self, "caught_by", row->by);
        pt_json_close(&json, '}');
    }
    pt_json_close(&json, ']');
    pt_header_line_json_close(&json);
}

static void put_function_csv(struct pt_csv *csv, const struct exceptions *self, uint32_t number)
{
    if (number != PT_FLIGHTS_NOBODY)
        pt_report_function_csv(csv, function_of(self, number));
    else
        for (int column = 0; column < 6; column++)
            pt_csv_empty(csv);
}

static void print_csv(const struct exceptions *self)
{
    static const char *const titles[] = {"type", "at_file", "at_line", "count", "up_least", "up_most", "end"};
    struct pt_csv csv = {.screen = self->report->screen};
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        pt_csv_text(&csv, titles[i]);
    pt_report_function_csv_titles(&csv, "raised_by_");
    pt_report_function_csv_titles(&csv, "caught_by_");
    pt_csv_line(&csv);
    for (size_t i = 0; i < self->shown && !pt_screen_gone(self->report->screen); i++) {
        const struct pt_flight *row = &self->rows[i];
        const struct pt_function *site = function_of(self, row->site);
        pt_csv_text(&csv, site->label);
        pt_csv_text(&csv, site->file);
        pt_csv_uint(&csv, site->line);
        pt_csv_uint(&csv, row->count);
        pt_csv_uint(&csv, row->least);
        pt_csv_uint(&csv, row->most);
        pt_csv_text(&csv, ends[row->end]);
        put_function_csv(&csv, self, row->function);
        put_function_csv(&csv, self, row->by);
        pt_csv_line(&csv);
    }
}

enum pt_status pt_report_exceptions(struct pt_report *report)
{
    struct exceptions self = {.report = report};
    if (report->options->by != PT_BY_FUNCTION)
        return pt_error_set(&report->error, PT_MISUSE, PT_ERROR_NO_OFFSET,
                            "--by: choose threads with --tid, processes with --pid");
    if (!were_recorded(report->input))
        return pt_error_set(&report->error, PT_MISUSE, PT_ERROR_NO_OFFSET,
                            "no exceptions were recorded: pytrace record --exceptions does it");
    enum pt_status status = read_flights(&self);
    if (status != PT_OK)
        goto cleanup;
    pt_progress_finish(report->progress);
    switch (report->options->format) {
    case PT_FORMAT_TABLE:
        status = print_table(&self);
        break;
    case PT_FORMAT_CSV:
        print_csv(&self);
        break;
    case PT_FORMAT_JSON:
        print_json(&self);
        break;
    }
cleanup:
    pt_flights_free(self.flights);
    free(self.flags);
    return status;
}
