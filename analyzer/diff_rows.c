#include "diff_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "diff_read.h"
#include "suggest.h"

/* How many traces there are, and where the new ones begin. */
struct traces {
    const struct pt_input *input;
    size_t from[3]; /* those of a side: from[side] to from[side + 1] */
};

static struct traces traces_of(const struct pt_report *report)
{
    return (struct traces){report->input, {0, report->options->base_count, report->input->trace_count}};
}

/* --- Calls ------------------------------------------------------------------------------------------------------ */

struct span {
    uint64_t least;
    uint64_t most;
};

static struct span calls_of(const struct pt_diff_cell *cells, const struct traces *traces, int side)
{
    struct span span = {UINT64_MAX, 0};
    for (size_t i = traces->from[side]; i < traces->from[side + 1]; i++) {
        span.least = cells[i].calls < span.least ? cells[i].calls : span.least;
        span.most = cells[i].calls > span.most ? cells[i].calls : span.most;
    }
    return span;
}

/* Where events were lost there may have been more calls, never fewer. `there`: the side has it at all. */
static enum pt_diff_change judge_calls(struct span base, struct span new, const bool there[2], const bool lossy[2])
{
    const bool base_lossy = lossy[PT_SIDE_BASE];
    const bool new_lossy = lossy[PT_SIDE_NEW];
    if (!there[PT_SIDE_BASE])
        return base_lossy ? PT_DIFF_UNKNOWN : PT_DIFF_NEW;
    if (!there[PT_SIDE_NEW])
        return new_lossy ? PT_DIFF_UNKNOWN : PT_DIFF_REMOVED;
    if (base.most < new.least)
        return base_lossy ? PT_DIFF_UNKNOWN : PT_DIFF_MORE;
    if (base.least > new.most)
        return new_lossy ? PT_DIFF_UNKNOWN : PT_DIFF_FEWER;
    if (base_lossy || new_lossy)
        return PT_DIFF_UNKNOWN;
    return base.least == base.most && new.least == new.most ? PT_DIFF_AS_BEFORE : PT_DIFF_VARIES;
}

static bool ran(const struct pt_diff_cell *cells, const struct traces *traces, int side)
{
    for (size_t i = traces->from[side]; i < traces->from[side + 1]; i++)
        if (cells[i].calls > 0 || cells[i].self_clock != 0)
            return true;
    return false;
}

/* --- Time ------------------------------------------------------------------------------------------------------- */

static int64_t divide(__int128 dividend, __int128 divisor)
{
    __int128 half = divisor / 2;
    return (int64_t)((dividend < 0 ? dividend - half : dividend + half) / divisor);
}

/* What the difference in calls alone would have cost: (calls of new - calls of base) × mean time of a call of the base,
 * all of one trace. */
static int64_t part_of_calls(const struct pt_diff_row *row, __int128 bases, __int128 news)
{
    const __int128 base_calls = row->calls[PT_SIDE_BASE];
    const __int128 new_calls = row->calls[PT_SIDE_NEW];
    const __int128 shares = bases * news * base_calls;
    if (shares == 0) /* frames that were open when recording began are no calls */
        return row->all_ns[PT_SIDE_BASE] == 0 && new_calls > 0 ? row->delta_ns : 0;
    return divide((__int128)row->all_ns[PT_SIDE_BASE] * (new_calls * bases - base_calls * news), shares);
}

static double speed_of(const struct pt_diff_row *row, size_t bases, size_t news)
{
    const bool calls = row->calls[PT_SIDE_BASE] > 0 && row->calls[PT_SIDE_NEW] > 0;
    const bool frames = row->calls[PT_SIDE_BASE] == 0 && row->calls[PT_SIDE_NEW] == 0;
    double base = (double)row->all_ns[PT_SIDE_BASE] / (double)(calls ? row->calls[PT_SIDE_BASE] : bases);
    double new = (double)row->all_ns[PT_SIDE_NEW] / (double)(calls ? row->calls[PT_SIDE_NEW] : news);
    return (calls || frames) && base > 0 ? new / base - 1 : NAN;
}

static void fill_row(struct pt_diff_row *row, const struct traces *traces, const bool there[2], const bool lossy[2])
{
    const struct span base = calls_of(row->cells, traces, PT_SIDE_BASE);
    const struct span new = calls_of(row->cells, traces, PT_SIDE_NEW);
    const size_t counts[2] = {traces->from[1], traces->from[2] - traces->from[1]};
    for (int side = 0; side < 2 && counts[side] > 0; side++) {
        for (size_t i = traces->from[side]; i < traces->from[side + 1]; i++) {
            row->calls[side] += row->cells[i].calls;
            row->all_ns[side] += pt_stream_ns(row->cells[i].self_clock, traces->input->traces[i].clock_ns);
        }
        row->self_ns[side] = (row->all_ns[side] + counts[side] / 2) / counts[side];
    }
    row->calls_vary[PT_SIDE_BASE] = base.least != base.most;
    row->calls_vary[PT_SIDE_NEW] = new.least != new.most;
    row->change = judge_calls(base, new, there, lossy);
    row->delta_ns = (int64_t)row->self_ns[PT_SIDE_NEW] - (int64_t)row->self_ns[PT_SIDE_BASE];
    row->calls_ns = part_of_calls(row, (__int128)counts[PT_SIDE_BASE], (__int128)counts[PT_SIDE_NEW]);
    row->speed_ns = row->delta_ns - row->calls_ns;
    row->speed = speed_of(row, counts[PT_SIDE_BASE], counts[PT_SIDE_NEW]);
    row->verdict = isnan(row->speed) ? PT_DIFF_NO_VERDICT : PT_DIFF_CANT_TELL;
    row->q = NAN;
    row->visible = row->visible_ns = INFINITY;
}

static void add_to_total(struct pt_diff_row *total, const struct pt_diff_row *row)
{
    for (int side = 0; side < 2; side++) {
        total->calls[side] += row->calls[side];
        total->all_ns[side] += row->all_ns[side];
        total->self_ns[side] += row->self_ns[side];
    }
    total->delta_ns += row->delta_ns;
    total->calls_ns += row->calls_ns;
    total->speed_ns += row->speed_ns;
}

/* --- Rows ------------------------------------------------------------------------------------------------------- */

static void count_paths(struct pt_diff_rows *rows, const struct pt_diff_paths *paths, const struct traces *traces)
{
    rows->paths = paths->count - 1;
    for (uint32_t i = 1; i < paths->count; i++) {
        const struct pt_diff_cell *cells = pt_diff_paths_cells(paths, i);
        const bool there[2] = {ran(cells, traces, PT_SIDE_BASE), ran(cells, traces, PT_SIDE_NEW)};
        enum pt_diff_change change = judge_calls(calls_of(cells, traces, PT_SIDE_BASE),
                                                 calls_of(cells, traces, PT_SIDE_NEW), there, rows->lossy);
        if (change == PT_DIFF_VARIES || change == PT_DIFF_UNKNOWN)
            rows->paths_unsure++;
        else
            rows->paths_changed += change != PT_DIFF_AS_BEFORE;
    }
}

static enum pt_status sum_functions(struct pt_diff_rows *rows, const struct pt_diff_paths *paths, size_t functions)
{
    const size_t traces = paths->trace_count;
    rows->cells = calloc(functions * traces, sizeof *rows->cells);
    if (!rows->cells)
        return PT_NOMEM;
    for (uint32_t i = 1; i < paths->count; i++) {
        const struct pt_diff_cell *cells = pt_diff_paths_cells(paths, i);
        for (size_t t = 0; t < traces; t++) {
            struct pt_diff_cell *sum = &rows->cells[paths->paths[i].function * traces + t];
            sum->calls += cells[t].calls;
            sum->self_clock += cells[t].self_clock;
        }
    }
    return PT_OK;
}

static void make_rows(struct pt_diff_rows *rows, const struct traces *traces, const struct pt_diff_match *match,
                      const struct pt_diff_paths *paths, bool by_path)
{
    const size_t count = by_path ? paths->count : match->count;
    for (uint32_t i = by_path ? 1 : 0; i < count; i++) {
        struct pt_diff_row *row = &rows->rows[rows->count];
        *row = (struct pt_diff_row){.number = i, .function = by_path ? paths->paths[i].function : i};
        row->cells = by_path ? pt_diff_paths_cells(paths, i) : &rows->cells[i * paths->trace_count];
        bool there[2] = {ran(row->cells, traces, PT_SIDE_BASE), ran(row->cells, traces, PT_SIDE_NEW)};
        if (!there[PT_SIDE_BASE] && !there[PT_SIDE_NEW])
            continue; /* whatever was asked for does not hold it */
        for (int side = 0; side < 2 && !by_path; side++)
            there[side] = match->functions[i].sides[side] != NULL;
        fill_row(row, traces, there, rows->lossy);
        add_to_total(&rows->total, row);
        rows->count++;
    }
    rows->total.number = rows->total.function = PT_DIFF_ROW_TOTAL;
    rows->total.speed = rows->total.q = NAN;
    rows->total.visible = rows->total.visible_ns = INFINITY;
}

enum pt_status pt_diff_rows_make(struct pt_diff_rows *rows, const struct pt_report *report,
                                 const struct pt_diff_match *match, const struct pt_diff_paths *paths)
{
    const struct traces traces = traces_of(report);
    const bool by_path = report->options->by == PT_BY_PATH;
    *rows = (struct pt_diff_rows){0};
    for (size_t i = 0; i < traces.input->trace_count; i++)
        if (!pt_trace_complete(traces.input->traces[i].trace) || report->figures[i].bad_chunks > 0)
            rows->lossy[pt_diff_side(report, i)] = true;
    count_paths(rows, paths, &traces);
    if (!by_path)
        PT_TRY(sum_functions(rows, paths, match->count));
    rows->rows = calloc(by_path ? paths->count : match->count, sizeof *rows->rows);
    if (!rows->rows)
        return PT_NOMEM;
    make_rows(rows, &traces, match, paths, by_path);
    return PT_OK;
}

void pt_diff_rows_release(struct pt_diff_rows *rows)
{
    free(rows->rows);
    free(rows->cells);
    *rows = (struct pt_diff_rows){0};
}

/* --- Order ------------------------------------------------------------------------------------------------------ */

enum key { BY_DELTA, BY_CALLS, BY_SPEED, BY_BASE, BY_NEW, BY_NAME };

struct order {
    enum key key;
    const struct pt_diff_match *match;
};

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

static uint64_t key_of(const struct pt_diff_row *row, enum key key)
{
    switch (key) {
    case BY_CALLS:
        return magnitude(row->calls_ns);
    case BY_SPEED:
        return magnitude(row->speed_ns);
    case BY_BASE:
        return row->self_ns[PT_SIDE_BASE];
    case BY_NEW:
        return row->self_ns[PT_SIDE_NEW];
    case BY_NAME:
        return 0;
    case BY_DELTA:
        break;
    }
    return magnitude(row->delta_ns);
}

static const struct pt_function *shown(const struct pt_diff_match *match, uint32_t number)
{
    const struct pt_diff_function *function = &match->functions[number];
    return function->sides[PT_SIDE_NEW] ? function->sides[PT_SIDE_NEW] : function->sides[PT_SIDE_BASE];
}

static int compare_rows(const void *a, const void *b, void *context)
{
    const struct order *order = context;
    const struct pt_diff_row *left = a;
    const struct pt_diff_row *right = b;
    uint64_t l = key_of(left, order->key);
    uint64_t r = key_of(right, order->key);
    if (l != r)
        return l < r ? 1 : -1;
    const struct pt_function *x = shown(order->match, left->function);
    const struct pt_function *y = shown(order->match, right->function);
    int way = strcmp(x->module, y->module);
    way = way ? way : strcmp(x->qualname, y->qualname);
    return way ? way : (left->number > right->number) - (left->number < right->number);
}

enum pt_status pt_diff_rows_sort(struct pt_diff_rows *rows, struct pt_report *report, const struct pt_diff_match *match)
{
    static const char *const words[] = {"delta", "calls", "speed", "base", "new", "name"};
    const size_t count = sizeof words / sizeof words[0];
    const char *sort = report->options->sort ? report->options->sort : words[0];
    struct order order = {.match = match};
    size_t key = 0;
    while (key < count && strcmp(sort, words[key]) != 0)
        key++;
    if (key == count) {
        const char *nearest = pt_suggest_nearest(sort, words, count);
        return pt_error_set(&report->error, PT_MISUSE, PT_ERROR_NO_OFFSET,
                            "--sort %.40s: a comparison is sorted by delta, calls, speed, base, new or name%s%s%s",
                            sort, nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
    }
    order.key = (enum key)key;
    if (rows->count > 0)
        qsort_r(rows->rows, rows->count, sizeof *rows->rows, compare_rows, &order);
    return PT_OK;
}
