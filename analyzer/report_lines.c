/* `lines RE`: where the time of the functions that match went, line by line. */
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "header_line.h"
#include "json.h"
#include "line_times.h"
#include "lines_table.h"
#include "replay.h"
#include "report.h"
#include "report_function.h"
#include "units.h"

struct lines_report {
    struct pt_report *report;
    struct pt_line_times *times;
    struct pt_lines_block *blocks; /* the functions of which anything is told, the greatest total time first */
    size_t count;
    size_t shown;
    uint8_t *flags; /* of the view, if --py or --c changes it */
    struct pt_source source;
    const char *path; /* of that source; NULL: none was looked for yet */
    bool found;
};

/* --- Reading ----------------------------------------------------------------------------------------------------- */

static enum pt_status begin_thread(void *context, const struct pt_input_thread *thread)
{
    struct lines_report *self = context;
    pt_line_times_begin(self->times, thread->origin->clock_ns);
    return PT_OK;
}

static enum pt_status add_steps(void *context, const struct pt_step *steps, size_t count)
{
    struct lines_report *self = context;
    return pt_line_times_add(self->times, steps, count);
}

/* The entries of `list` that belong to a function, from `*at` on; `*at` moves behind them. */
static const struct pt_line_time *take_entries(const struct pt_line_list *list, uint32_t chosen, uint32_t *at,
                                               size_t *count)
{
    const struct pt_line_time *first = &list->entries[*at];
    *count = 0;
    for (; *at < list->count && list->entries[*at].chosen == chosen; ++*at)
        ++*count;
    return first;
}

static int compare_blocks(const void *a, const void *b)
{
    const struct pt_lines_block *x = a, *y = b;
    if (x->function->time.total_ns != y->function->time.total_ns)
        return x->function->time.total_ns > y->function->time.total_ns ? -1 : 1;
    return x->function < y->function ? -1 : x->function > y->function;
}

static enum pt_status make_blocks(struct lines_report *self)
{
    const struct pt_line_times *times = self->times;
    uint32_t line = 1, opcode = 1;
    self->blocks = calloc((size_t)times->function_count + 1, sizeof *self->blocks);
    if (!self->blocks)
        return PT_NOMEM;
    for (uint32_t i = 0; i < times->function_count; i++) {
        struct pt_lines_block *block = &self->blocks[self->count];
        *block = (struct pt_lines_block){.function = &times->functions[i]};
        block->lines = take_entries(&times->lines, i, &line, &block->line_count);
        block->opcodes = take_entries(&times->opcodes, i, &opcode, &block->opcode_count);
        for (size_t l = 0; l < block->line_count; l++)
            block->has_lines = block->has_lines || block->lines[l].hits > 0;
        self->count += block->has_lines || block->opcode_count > 0;
    }
    qsort(self->blocks, self->count, sizeof *self->blocks, compare_blocks);
    const uint64_t top = self->report->options->top;
    self->shown = top > 0 && top < self->count ? (size_t)top : self->count;
    return PT_OK;
}

static enum pt_status read_lines(struct lines_report *self)
{
    struct pt_report *report = self->report;
    struct pt_stream_view view;
    struct pt_replay_sink sink = {.context = self, .thread = begin_thread, .steps = add_steps};
    PT_TRY(pt_line_times_new(&self->times, report->input, report->view.flags));
    if (self->times->function_count == 0)
        return pt_error_set(&report->error, PT_MISUSE, PT_ERROR_NO_OFFSET, "no Python function matches '%.80s'",
                            report->options->operand);
    PT_TRY(pt_report_function_view(report, &view, &self->flags));
    view.inner = PT_STREAM_LINES | PT_STREAM_OPCODES;
    PT_TRY(pt_replay(report, &view, &sink));
    pt_line_times_finish(self->times);
    PT_TRY(make_blocks(self));
    if (self->count == 0)
        return pt_error_set(
            &report->error, PT_MISUSE, PT_ERROR_NO_OFFSET,
            "no line of a function that matches '%.80s' was recorded: pytrace record --lines RE does it",
            report->options->operand);
    return PT_OK;
}

/* --- Source ------------------------------------------------------------------------------------------------------ */

/* Looks for the source of a block. Functions of one file mostly follow each other. */
static enum pt_status find_source(struct lines_report *self, struct pt_lines_block *block)
{
    const struct pt_function *function = &self->report->input->functions[block->function->function];
    if (!self->path || strcmp(self->path, function->file) != 0) {
        pt_source_release(&self->source);
        self->path = function->file;
        enum pt_status status = pt_source_read(&self->source, function->file);
        if (status == PT_NOMEM)
            return status;
        self->found = status == PT_OK;
    }
    const uint32_t last = block->line_count > 0 ? block->lines[block->line_count - 1].place : 0;
    const struct pt_header *header = &self->report->input->traces[0].trace->header;
    if (self->found && pt_source_fits(&self->source, function, last))
        block->source = &self->source;
    if (!block->source)
        block->warning = self->found ? "its source is another now" : "source not found";
    else if (self->source.modified_ns > (int64_t)header->started_ns)
        block->warning = "the source is younger than the recording";
    return PT_OK;
}

/* --- For programs ------------------------------------------------------------------------------------------------ */

static void put_text_json(struct pt_json *json, const struct pt_lines_block *block, uint32_t line,
                          struct pt_buffer *text)
{
    size_t size;
    text->size = 0;
    if (!block->source) {
        pt_json_put_null(json, "source");
        return;
    }
    const char *source = pt_source_line(block->source, line, &size);
    /* A NUL in it, which no compiler would have let through, ends it. */
    if (pt_buffer_append(text, source, size) == PT_OK && pt_buffer_append(text, "", 1) == PT_OK)
        pt_json_put_text(json, "source", (const char *)text->data);
}

static enum pt_status print_json(struct lines_report *self)
{
    struct pt_json json;
    struct pt_buffer text = {0};
    enum pt_status status = PT_OK;
    pt_header_line_json_open(&json, self->report);
    pt_json_key(&json, "functions");
    pt_json_open(&json, '[', true);
    for (size_t i = 0; i < self->shown && status == PT_OK && !pt_screen_gone(self->report->screen); i++) {
        struct pt_lines_block *block = &self->blocks[i];
        status = find_source(self, block);
        pt_json_open(&json, '{', true);
        pt_report_function_json(&json, &self->report->input->functions[block->function->function]);
        pt_json_put_uint(&json, "calls", block->function->calls);
        pt_json_put_uint(&json, "self_ns", block->function->time.self_ns);
        pt_json_put_uint(&json, "total_ns", block->function->time.total_ns);
        pt_json_key(&json, "lines");
        pt_json_open(&json, '[', true);
        for (size_t l = 0; l < block->line_count && block->has_lines; l++) {
            pt_json_open(&json, '{', false);
            pt_json_put_uint(&json, "line", block->lines[l].place);
            pt_json_put_uint(&json, "hits", block->lines[l].hits);
            pt_json_put_uint(&json, "self_ns", block->lines[l].self_ns);
            pt_json_put_uint(&json, "total_ns", block->lines[l].total_ns);
            put_text_json(&json, block, block->lines[l].place, &text);
            pt_json_close(&json, '}');
        }
        pt_json_close(&json, ']');
        pt_json_key(&json, "opcodes");
        pt_json_open(&json, '[', true);
        for (size_t o = 0; o < block->opcode_count; o++) {
            pt_json_open(&json, '{', false);
            pt_json_put_uint(&json, "offset", block->opcodes[o].place);
            pt_json_put_uint(&json, "hits", block->opcodes[o].hits);
            if (block->has_lines)
                pt_json_put_uint(&json, "line", block->opcodes[o].line);
            else
                pt_json_put_null(&json, "line");
            pt_json_close(&json, '}');
        }
        pt_json_close(&json, ']');
        pt_json_close(&json, '}');
    }
    pt_json_close(&json, ']');
    pt_header_line_json_close(&json);
    pt_buffer_release(&text);
    return status;
}

/* One line a line, and one an instruction, which has no times. */
static void print_csv(struct lines_report *self)
{
    static const char *const titles[] = {"event", "number", "hits", "self_ns", "total_ns"};
    struct pt_csv csv = {.screen = self->report->screen};
    pt_report_function_csv_titles(&csv, "");
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        pt_csv_text(&csv, titles[i]);
    pt_csv_line(&csv);
    for (size_t i = 0; i < self->shown && !pt_screen_gone(self->report->screen); i++) {
        const struct pt_lines_block *block = &self->blocks[i];
        const size_t line_count = block->has_lines ? block->line_count : 0;
        for (size_t n = 0; n < line_count + block->opcode_count; n++) {
            const bool is_line = n < line_count;
            const struct pt_line_time *time = is_line ? &block->lines[n] : &block->opcodes[n - line_count];
            pt_report_function_csv(&csv, &self->report->input->functions[block->function->function]);
            pt_csv_text(&csv, is_line ? "line" : "opcode");
            pt_csv_uint(&csv, time->place);
            pt_csv_uint(&csv, time->hits);
            if (is_line) {
                pt_csv_uint(&csv, time->self_ns);
                pt_csv_uint(&csv, time->total_ns);
            } else {
                pt_csv_empty(&csv);
                pt_csv_empty(&csv);
            }
            pt_csv_line(&csv);
        }
    }
}

/* --- For people -------------------------------------------------------------------------------------------------- */

static enum pt_status print_table(struct lines_report *self)
{
    struct pt_screen *screen = self->report->screen;
    char text[PT_UNITS_MAX];
    pt_header_line_print(self->report);
    for (size_t i = 0; i < self->shown && !pt_screen_gone(screen); i++) {
        PT_TRY(find_source(self, &self->blocks[i]));
        PT_TRY(pt_lines_table_print(self->report, &self->blocks[i]));
    }
    if (self->shown < self->count)
        pt_screen_printf(screen, "\n… %s more functions match (--top 0)\n",
                         pt_units_count(text, self->count - self->shown));
    return PT_OK;
}

enum pt_status pt_report_lines(struct pt_report *report)
{
    struct lines_report self = {.report = report};
    if (report->options->by != PT_BY_FUNCTION)
        return pt_error_set(&report->error, PT_MISUSE, PT_ERROR_NO_OFFSET,
                            "--by: lines are those of functions; choose threads with --tid, processes with --pid");
    enum pt_status status = read_lines(&self);
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
        status = print_json(&self);
        break;
    }
cleanup:
    pt_source_release(&self.source);
    pt_line_times_free(self.times);
    free(self.blocks);
    free(self.flags);
    return status;
}
