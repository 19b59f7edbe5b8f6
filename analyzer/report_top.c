/* top: where the time went. */
#include <inttypes.h>
#include <string.h>

#include "csv.h"
#include "facts.h"
#include "grid.h"
#include "header_line.h"
#include "json.h"
#include "report.h"
#include "report_function.h"
#include "top_fields.h"
#include "top_rows.h"
#include "units.h"

#define COLUMNS_TABLE     "self,percent,cum,total,calls,mean,p50,p99,max,name"
#define COLUMNS_FUNCTIONS "kind,module,qualname,file,line,label,"
#define COLUMNS_FIGURES   "calls,primitive,raised,self,total,mean,p50,p90,p99,max,recursion"

#define HOT_PERCENT 10 /* a row with this share of the time is to catch the eye */

static const char *const titles[] = {"FUNCTION", "FILE", "MODULE", "THREAD", "PROCESS"};
static const char *const plurals[] = {"functions", "files", "modules", "threads", "processes"};

struct columns {
    const struct pt_top_field *fields[PT_TOP_FIELDS_MAX];
    size_t count;
};

/* The columns that a format has, or that --fields asks for. In a table, what +LIST appends stands before the name,
 * whose width varies. */
static enum pt_status choose_columns(struct columns *columns, struct pt_report *report)
{
    const struct pt_options *options = report->options;
    const char *base = COLUMNS_TABLE;
    if (options->format != PT_FORMAT_TABLE)
        base = options->by == PT_BY_FUNCTION ? COLUMNS_FUNCTIONS COLUMNS_FIGURES : "name," COLUMNS_FIGURES;
    PT_TRY(pt_top_fields_parse(columns->fields, &columns->count, "--fields", options->fields, base, &report->error));
    for (size_t i = 0; i < columns->count; i++)
        if (columns->fields[i]->of_functions && options->by != PT_BY_FUNCTION)
            return pt_error_set(&report->error, PT_MISUSE, PT_ERROR_NO_OFFSET,
                                "--fields: %s means something only by function", columns->fields[i]->name);
    const struct pt_top_field *name = pt_top_field_find("name", 4);
    for (size_t i = 0;
         options->format == PT_FORMAT_TABLE && options->fields && *options->fields == '+' && i + 1 < columns->count;
         i++) {
        if (columns->fields[i] == name) {
            columns->fields[i] = columns->fields[i + 1];
            columns->fields[i + 1] = name;
        }
    }
    return PT_OK;
}

/* --- Table ------------------------------------------------------------------------------------------------------ */

static void print_summary(const struct pt_report *report, const struct pt_top_rows *rows, size_t shown)
{
    struct pt_facts facts = {.screen = report->screen, .between = " · "};
    char text[PT_UNITS_MAX];
    char more[PT_UNITS_MAX];
    pt_facts_printf(&facts, "sorted by %s", report->options->sort ? report->options->sort : "self");
    pt_units_count(text, shown);
    pt_units_count(more, rows->total);
    if (rows->total == 0)
        pt_facts_printf(&facts, "no %s", plurals[rows->by]);
    else if (shown > 0 && rows->self_ns > 0)
        pt_facts_printf(&facts, "%s of %s %s = %.1f %% of self", text, more, plurals[rows->by],
                        100.0 * (double)rows->rows[shown - 1].cumulated_ns / (double)rows->self_ns);
    else
        pt_facts_printf(&facts, "%s of %s %s", text, more, plurals[rows->by]);
    if (report->input->thread_count > 1)
        pt_facts_printf(&facts, "%s in %s threads", pt_units_scaled(text, rows->self_ns, pt_units_scale(rows->self_ns)),
                        pt_units_count(more, report->input->thread_count));
    pt_facts_end(&facts);
}

static void add_cell(struct pt_grid *grid, const struct pt_top_field *field, const struct pt_top_row *row,
                     const struct pt_top_context *context)
{
    char cell[PT_TOP_CELL] = "–";
    enum pt_screen_style style = PT_SCREEN_PLAIN;
    if (field->text) {
        const char *text = field->text(row, context);
        if (text == row->name) /* made here, safe already */
            pt_grid_cell(grid, text, style);
        else
            pt_grid_text(grid, text);
        return;
    }
    if (row->timed || !field->of_calls) {
        if (field->print)
            field->print(cell, row, context);
        else
            pt_units_count(cell, field->number(row));
    }
    if (strcmp(field->name, "percent") == 0 && row->self_ns * 100 >= context->rows->self_ns * HOT_PERCENT &&
        row->self_ns > 0)
        style = PT_SCREEN_HOT;
    pt_grid_cell(grid, cell, style);
}

/* What a screen that is too narrow for all can do without, first to last. */
static void give_way(struct pt_grid *grid, const struct columns *columns)
{
    static const char *const order[] = {"cum", "p50", "p99", "mean", "max", "total"};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        for (size_t c = 0; c < columns->count; c++)
            if (strcmp(columns->fields[c]->name, order[i]) == 0)
                pt_grid_give_way(grid, c);
}

static enum pt_status print_table(const struct pt_report *report, const struct pt_top_rows *rows, size_t shown,
                                  const struct columns *columns)
{
    struct pt_grid grid = {0};
    struct pt_top_context context = {.input = report->input, .rows = rows};
    uint64_t greatest = 0;
    for (size_t i = 0; i < shown; i++)
        greatest = rows->rows[i].total_ns > greatest ? rows->rows[i].total_ns : greatest;
    context.scale = pt_units_scale(greatest);

    pt_header_line_print(report);
    print_summary(report, rows, shown);
    if (shown == 0)
        return PT_OK;
    for (size_t i = 0; i < columns->count; i++) {
        const struct pt_top_field *field = columns->fields[i];
        bool name = strcmp(field->name, "name") == 0;
        pt_grid_column(&grid, name ? titles[rows->by] : field->title, field->left, field->close ? 1 : 2);
    }
    if (!report->options->fields)
        give_way(&grid, columns);
    for (size_t i = 0; i < shown; i++)
        for (size_t c = 0; c < columns->count; c++)
            add_cell(&grid, columns->fields[c], &rows->rows[i], &context);
    enum pt_status status = pt_grid_print(&grid, report->screen);
    pt_grid_release(&grid);
    return status;
}

/* --- CSV -------------------------------------------------------------------------------------------------------- */

static void write_csv(const struct pt_report *report, const struct pt_top_rows *rows, size_t shown,
                      const struct columns *columns)
{
    struct pt_csv csv = {.screen = report->screen};
    struct pt_top_context context = {.input = report->input, .rows = rows};
    for (size_t c = 0; c < columns->count; c++)
        pt_csv_text(&csv, columns->fields[c]->key ? columns->fields[c]->key : columns->fields[c]->name);
    pt_csv_line(&csv);
    for (size_t i = 0; i < shown && !pt_screen_gone(report->screen); i++) {
        const struct pt_top_row *row = &rows->rows[i];
        for (size_t c = 0; c < columns->count; c++) {
            const struct pt_top_field *field = columns->fields[c];
            char cell[PT_TOP_CELL];
            if (field->text) {
                pt_csv_text(&csv, field->text(row, &context));
            } else if (!row->timed && field->of_calls) {
                pt_csv_empty(&csv);
            } else if (!field->key) {
                field->print(cell, row, &context); /* a share: it has no unit of its own */
                pt_csv_text(&csv, cell);
            } else {
                pt_csv_uint(&csv, field->number(row));
            }
        }
        pt_csv_line(&csv);
    }
}

/* --- JSON ------------------------------------------------------------------------------------------------------- */

static void write_identity(struct pt_json *json, const struct pt_report *report, const struct pt_top_rows *rows,
                           const struct pt_top_row *row)
{
    switch (rows->by) {
    case PT_BY_FUNCTION:
        pt_report_function_json(json, &report->input->functions[row->number]);
        break;
    case PT_BY_FILE:
        pt_json_put_text(json, "file", rows->groups[row->number]);
        break;
    case PT_BY_MODULE:
        pt_json_put_text(json, "module", rows->groups[row->number]);
        break;
    case PT_BY_THREAD:
        pt_json_put_uint(json, "tid", row->number);
        pt_json_put_text(json, "name", row->name);
        break;
    case PT_BY_PATH:
        break;
    case PT_BY_PROCESS:
        pt_json_put_uint(json, "pid", row->number);
        pt_json_put_text(json, "name", row->name);
        break;
    }
}

/* Times of calls, where there were calls whose duration is known. */
static void put_timed(struct pt_json *json, const char *key, const struct pt_top_row *row, uint64_t value)
{
    if (row->timed)
        pt_json_put_uint(json, key, value);
    else
        pt_json_put_null(json, key);
}

static void write_json(const struct pt_report *report, const struct pt_top_rows *rows, size_t shown)
{
    struct pt_json json;
    pt_header_line_json_open(&json, report);
    pt_json_key(&json, plurals[rows->by]);
    pt_json_open(&json, '[', true);
    for (size_t i = 0; i < shown && !pt_screen_gone(report->screen); i++) {
        const struct pt_top_row *row = &rows->rows[i];
        pt_json_open(&json, '{', false);
        write_identity(&json, report, rows, row);
        pt_json_put_uint(&json, "calls", row->calls);
        pt_json_put_uint(&json, "primitive", row->primitive);
        pt_json_put_uint(&json, "raised", row->raised);
        if (rows->exceptions)
            pt_json_put_uint(&json, "exceptions", row->exceptions);
        else
            pt_json_put_null(&json, "exceptions");
        pt_json_put_uint(&json, "self_ns", row->self_ns);
        pt_json_put_uint(&json, "total_ns", row->total_ns);
        put_timed(&json, "mean_ns", row, row->mean_ns);
        put_timed(&json, "p50_ns", row, row->p50_ns);
        put_timed(&json, "p90_ns", row, row->p90_ns);
        put_timed(&json, "p99_ns", row, row->p99_ns);
        put_timed(&json, "max_ns", row, row->max_ns);
        pt_json_put_uint(&json, "recursion", row->recursion);
        pt_json_close(&json, '}');
    }
    pt_json_close(&json, ']');
    pt_header_line_json_close(&json);
}

enum pt_status pt_report_top(struct pt_report *report)
{
    struct pt_top_rows rows;
    struct columns columns;
    PT_TRY(choose_columns(&columns, report)); /* a mistake is told before the events are read */
    enum pt_status status = pt_top_rows_make(&rows, report);
    uint64_t most = report->options->top;
    size_t shown = most > 0 && most < rows.count ? (size_t)most : rows.count;
    if (status != PT_OK)
        goto cleanup;
    switch (report->options->format) {
    case PT_FORMAT_TABLE:
        status = print_table(report, &rows, shown, &columns);
        break;
    case PT_FORMAT_CSV:
        write_csv(report, &rows, shown, &columns);
        break;
    case PT_FORMAT_JSON:
        write_json(report, &rows, shown);
        break;
    }
cleanup:
    pt_top_rows_release(&rows);
    return status;
}
