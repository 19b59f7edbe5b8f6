/* What a comparison says before its rows. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "diff.h"
#include "diff_read.h"
#include "diff_replicates.h"
#include "facts.h"
#include "header_line.h"
#include "text.h"
#include "units.h"

#define PATH_MAX_FRAMES 8 /* of a path: the innermost ones */
#define THREADS_MAX     5 /* threads of which a line is printed */

static void print_sides(const struct pt_diff *diff, uint64_t scale)
{
    const struct pt_report *report = diff->report;
    const struct pt_diff_row *total = &diff->rows.total;
    struct pt_facts facts = {.screen = report->screen, .between = "  ", .indent = 2};
    const size_t from[3] = {0, report->options->base_count, report->input->trace_count};
    const struct pt_trace *first = report->input->traces[0].trace;
    const bool several = report->input->trace_count > 2; /* of which the header lines are left out */
    char text[PT_UNITS_MAX];
    for (int side = 0; side < 2; side++) {
        size_t count = from[side + 1] - from[side];
        pt_facts_put(&facts, PT_SCREEN_STRONG, side == 0 ? "A" : "→ B");
        if (count == 1)
            pt_facts_put(&facts, PT_SCREEN_PLAIN, report->input->traces[from[side]].trace->path);
        else
            pt_facts_printf(&facts, "%s traces", pt_units_count(text, count));
        pt_facts_put(&facts, PT_SCREEN_PLAIN, pt_units_scaled(text, total->self_ns[side], scale));
    }
    pt_facts_put(&facts, PT_SCREEN_STRONG, pt_units_signed(text, total->delta_ns, scale));
    if (total->self_ns[PT_SIDE_BASE] > 0)
        pt_facts_printf(&facts, "(%+.1f %%)", 100.0 * (double)total->delta_ns / (double)total->self_ns[PT_SIDE_BASE]);
    if (diff->settings.count == 0)
        pt_facts_put(&facts, PT_SCREEN_PLAIN, "same settings");
    if (several && first->has_header && strcmp(first->header.clock, "cpu") == 0)
        pt_facts_put(&facts, PT_SCREEN_STRONG, "times are CPU time");
    if (several && report->options->compensate)
        pt_facts_put(&facts, PT_SCREEN_PLAIN, "compensated");
    pt_facts_end(&facts);
}

static void print_settings(const struct pt_diff *diff)
{
    for (size_t i = 0; i < diff->settings.count; i++) {
        const struct pt_diff_difference *difference = &diff->settings.differences[i];
        enum pt_screen_style style = difference->serious ? PT_SCREEN_WARN : PT_SCREEN_PLAIN;
        struct pt_facts words = {.screen = diff->report->screen, .between = " ", .indent = 2};
        pt_facts_put(&words, difference->serious ? PT_SCREEN_WARN : PT_SCREEN_DIM, difference->serious ? "!" : "note:");
        pt_facts_words(&words, style, difference->text);
        pt_facts_end(&words);
    }
}

static void print_structure(const struct pt_diff *diff)
{
    const struct pt_diff_rows *rows = &diff->rows;
    struct pt_facts facts = {.screen = diff->report->screen, .between = " ", .indent = 2};
    char text[PT_UNITS_MAX];
    char more[PT_UNITS_MAX];
    pt_units_count(more, rows->paths);
    if (rows->paths_changed == 0 && rows->paths_unsure == 0)
        pt_facts_printf(&facts, "Structure identical: each of %s paths has as many calls as before", more);
    else if (rows->paths_changed > 0)
        pt_facts_printf(&facts, "Structure: %s of %s paths have more calls or fewer",
                        pt_units_count(text, rows->paths_changed), more);
    if (rows->paths_unsure > 0)
        pt_facts_printf(&facts,
                        rows->lossy[0] || rows->lossy[1] ? "%s%s of %s paths are not known: events were lost"
                                                         : "%s%s of %s paths vary from run to run",
                        rows->paths_changed > 0 ? "· " : "Structure: ", pt_units_count(text, rows->paths_unsure), more);
    pt_facts_end(&facts);
}

/* --- The first calls that differ -------------------------------------------------------------------------------- */

static enum pt_status append(struct pt_buffer *out, const char *text)
{
    return pt_buffer_append(out, text, strlen(text));
}

/* "A main>walk>Cache.get": modules would take the room that the path needs. */
static enum pt_status append_path(struct pt_buffer *out, const struct pt_diff *diff,
                                  const struct pt_diff_divergence *found, int side)
{
    const size_t depth = found->depths[side];
    const size_t from = depth > PATH_MAX_FRAMES ? depth - PATH_MAX_FRAMES : 0;
    PT_TRY(append(out, side == PT_SIDE_BASE ? "A " : "B "));
    if (depth == 0)
        return append(out, "makes no call any more");
    if (from > 0)
        PT_TRY(append(out, "…"));
    for (size_t i = from; i < depth; i++) {
        const struct pt_function *function = &diff->report->input->functions[found->paths[side][i]];
        if (i > 0)
            PT_TRY(append(out, ">"));
        if (function->kind == PT_NAME_C)
            PT_TRY(pt_text_function(out, function, PT_TEXT_PATHS_MODULE));
        else
            PT_TRY(pt_text_escape(out, function->qualname, strlen(function->qualname)));
    }
    return PT_OK;
}

static void put_thread(struct pt_facts *facts, const struct pt_diff_divergence *found)
{
    const struct pt_input_thread *thread = found->threads.sides[found->threads.sides[0] ? 0 : 1];
    const struct pt_trace *trace = thread->origin->trace;
    const char *name = thread->thread->meta.name;
    if (trace->process_count > 1)
        pt_facts_printf(facts, "process %" PRIu64, thread->pid);
    if (*name)
        pt_facts_put(facts, PT_SCREEN_PLAIN, name);
    else
        pt_facts_printf(facts, "thread %" PRIu64, thread->tid);
}

static enum pt_status print_divergence(const struct pt_diff *diff, const struct pt_diff_divergence *found)
{
    struct pt_facts facts = {.screen = diff->report->screen, .between = "  ", .indent = 2};
    char text[PT_UNITS_MAX];
    pt_units_count(text, found->calls + (found->course == PT_DIFF_COURSE_DIFFERS));
    pt_facts_put(&facts, PT_SCREEN_STRONG, "First divergence:");
    put_thread(&facts, found);
    if (found->course == PT_DIFF_COURSE_ONE_SIDE) {
        pt_facts_printf(&facts, "only in %s", found->threads.sides[PT_SIDE_BASE] ? "A" : "B");
    } else if (found->course == PT_DIFF_COURSE_UNKNOWN) {
        pt_facts_printf(&facts, "not known: %s calls are the same, then events were lost", text);
    } else {
        pt_facts_printf(&facts, "call #%s", text);
        if (found->calls < found->base_calls)
            pt_facts_printf(&facts, "(%.1f %%)", 100.0 * (double)(found->calls + 1) / (double)found->base_calls);
        for (int side = 0; side < 2; side++) {
            struct pt_buffer path = {0};
            enum pt_status status = append_path(&path, diff, found, side);
            if (status == PT_OK)
                status = pt_buffer_append(&path, "", 1);
            if (status == PT_OK)
                pt_facts_safe(&facts, PT_SCREEN_PLAIN, (const char *)path.data);
            pt_buffer_release(&path);
            PT_TRY(status);
        }
    }
    pt_facts_end(&facts);
    return PT_OK;
}

static enum pt_status print_divergences(const struct pt_diff *diff)
{
    const struct pt_diff_divergences *all = &diff->divergences;
    struct pt_facts facts = {.screen = diff->report->screen, .between = " ", .indent = 2};
    char text[PT_UNITS_MAX];
    size_t same = 0;
    size_t printed = 0;
    for (size_t i = 0; i < all->count; i++) {
        same += all->threads[i].course == PT_DIFF_COURSE_SAME;
        if (all->threads[i].course != PT_DIFF_COURSE_SAME && printed < THREADS_MAX) {
            PT_TRY(print_divergence(diff, &all->threads[i]));
            printed++;
        }
    }
    if (same == all->count && same > 0)
        pt_facts_put(&facts, PT_SCREEN_GOOD,
                     same == 1 ? "The same calls in the same order"
                               : "The same calls in the same order, in every thread");
    else if (all->count - same > printed)
        pt_facts_printf(&facts, "  … and %s threads more", pt_units_count(text, all->count - same - printed));
    if (facts.column > 0)
        pt_facts_end(&facts);
    return PT_OK;
}

static bool has_trouble(const struct pt_trace *trace, const struct pt_figures *figures)
{
    return !pt_trace_complete(trace) || figures->bad_chunks > 0 || figures->stalled_ns > 0 || figures->unmatched > 0 ||
           figures->missing > 0 || trace->header.note_count > 0;
}

/* Of many traces, those of which there is something to be said. */
static void print_headers(const struct pt_diff *diff)
{
    const struct pt_report *report = diff->report;
    const size_t count = report->input->trace_count;
    for (size_t i = 0; i < count; i++) {
        struct pt_input input = pt_diff_only(report->input, i);
        struct pt_report part = *report;
        part.input = &input;
        part.figures = &report->figures[i];
        if (count == 2 || has_trouble(input.traces->trace, part.figures))
            pt_header_line_print(&part);
    }
}

enum pt_status pt_diff_summary_print(const struct pt_diff *diff, uint64_t scale)
{
    print_headers(diff);
    print_sides(diff, scale);
    print_settings(diff);
    print_structure(diff);
    return print_divergences(diff);
}

void pt_diff_summary_print_end(const struct pt_diff *diff)
{
    const struct pt_options *options = diff->report->options;
    const size_t news = diff->report->input->trace_count - options->base_count;
    struct pt_facts words = {.screen = diff->report->screen, .between = " ", .indent = 2};
    if (diff->rows.lossy[0] || diff->rows.lossy[1])
        pt_facts_words(&words, PT_SCREEN_DIM,
                       "Where events were lost nobody knows whose time that was: no verdict on speed.");
    else if (!pt_diff_replicates_suffice(options->base_count, news))
        pt_facts_words(
            &words, PT_SCREEN_DIM,
            "So few traces cannot tell a change of speed from a run that differs by chance, unless it is by "
            "more than a factor of 2; record four a side or more, taking turns: --base A1 A2 … --new B1 B2 …");
    if (words.column > 0)
        pt_facts_end(&words);
    for (size_t i = 0; i < diff->conditions.count; i++) {
        pt_facts_put(&words, PT_SCREEN_WARN, "Failed:");
        pt_facts_put(&words, PT_SCREEN_WARN, diff->conditions.list[i].text);
        pt_facts_end(&words);
    }
}
