#include "header_line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "facts.h"
#include "units.h"

static uint64_t trace_wall_ns(const struct pt_trace *trace)
{
    return pt_trace_ns(trace, pt_trace_end_tick(trace));
}

/* How the process that started the recording ended; NULL while nobody knows. */
static const char *trace_ended(const struct pt_trace *trace)
{
    if (trace->has_end)
        return trace->end.reason;
    if (trace->process_count > 0 && trace->processes[0].serial != 0 && trace->processes[0].ended[0])
        return trace->processes[0].ended;
    return NULL;
}

static bool trace_complete(const struct pt_trace *trace, const struct pt_figures *figures)
{
    return pt_trace_complete(trace) && figures->bad_chunks == 0;
}

static uint64_t stalled_ns(const struct pt_trace *trace, const struct pt_figures *figures)
{
    uint64_t told = trace->has_end ? (uint64_t)((double)trace->end.stalled_ticks * pt_trace_tick_ns(trace)) : 0;
    return told > figures->stalled_ns ? told : figures->stalled_ns;
}

/* Not what passed on the wall, but what each thread had of a processor. */
static bool shows_cpu_time(const struct pt_trace *trace)
{
    return trace->has_header && strcmp(trace->header.clock, "cpu") == 0;
}

static void count_entities(const struct pt_trace *trace, uint64_t *processes, uint64_t *threads)
{
    *processes = *threads = 0;
    for (size_t i = 0; i < trace->process_count; i++)
        *processes += trace->processes[i].serial != 0;
    for (size_t i = 0; i < trace->thread_count; i++)
        *threads += trace->threads[i].meta.serial != 0;
}

static double cost_ns(const struct pt_cost *cost)
{
    return (double)(cost->own_ps + cost->caller_ps) / 1000;
}

/* --- What is wrong ---------------------------------------------------------------------------------------------- */

/* Where a warning goes: to somebody who takes it, to the screen, or to standard error. */
struct trouble_sink {
    void (*take)(void *context, const char *line);
    void *context;
    struct pt_screen *screen;
    const char *path;
};

__attribute__((format(printf, 2, 3))) static void tell(const struct trouble_sink *sink, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (sink->take) {
        sink->take(sink->context, line);
        return;
    }
    if (!sink->screen) {
        fprintf(stderr, "pytrace-analyze: %s: %s\n", sink->path, line);
        return;
    }
    struct pt_facts words = {.screen = sink->screen, .between = " ", .indent = 2};
    pt_facts_put(&words, PT_SCREEN_WARN, "!");
    pt_facts_words(&words, PT_SCREEN_WARN, line);
    pt_facts_end(&words);
}

static void tell_about_end(const struct trouble_sink *sink, const struct pt_trace *trace)
{
    char count[PT_UNITS_MAX];
    switch (trace->arena) {
    case PT_TRACE_ARENA_LIVE:
        tell(sink, "still being written: this is the trace as it stands now");
        break;
    case PT_TRACE_ARENA_SALVAGED:
        tell(sink, "no clean end; recovered %s events from the arena", pt_units_count(count, trace->recovered_events));
        break;
    case PT_TRACE_ARENA_NOT_FOUND:
        tell(sink, "no clean end, and the arena is gone: the last events may be missing");
        break;
    case PT_TRACE_ARENA_REFUSED:
        tell(sink, "no clean end; the arena was not used: %s", trace->arena_text);
        break;
    case PT_TRACE_ARENA_UNUSED:
        break;
    }
}

/* What the metadata alone tells. */
static void tell_troubles(const struct trouble_sink *sink, const struct pt_trace *trace)
{
    char count[PT_UNITS_MAX];
    char other[PT_UNITS_MAX];
    tell_about_end(sink, trace);
    if (!trace->has_header)
        tell(sink, "the header is damaged: program and settings are not known");
    if (trace->damage_count > 0)
        tell(sink, "damaged in %s place%s, %s not read (see the command check)",
             pt_units_count(count, trace->damage_count), trace->damage_count == 1 ? "" : "s",
             pt_units_bytes(other, trace->damage_bytes));
    if (trace->missing_blocks > 0)
        tell(sink, "%s block%s missing", pt_units_count(count, trace->missing_blocks),
             trace->missing_blocks == 1 ? "" : "s");
    if (trace->lost > 0 && !(sink->screen && trace->lost_known)) /* then the line above has told */
        tell(sink, "%s%s event%s lost", trace->lost_known ? "" : "at least ", pt_units_count(count, trace->lost),
             trace->lost == 1 ? " was" : "s were");
    if (trace->has_end && trace->end.unslotted_threads > 0)
        tell(sink, "%s thread%s found no free slot: %s events lost",
             pt_units_count(count, trace->end.unslotted_threads), trace->end.unslotted_threads == 1 ? "" : "s",
             pt_units_count(other, trace->end.unslotted_events));
}

void pt_header_line_warn(const struct pt_trace *trace)
{
    struct trouble_sink sink = {.path = trace->path};
    tell_troubles(&sink, trace);
}

/* --- The line --------------------------------------------------------------------------------------------------- */

static void put_verdict(struct pt_facts *facts, const struct pt_trace *trace, const struct pt_figures *figures)
{
    const char *ended = trace_ended(trace);
    bool complete = trace_complete(trace, figures);
    char lost[PT_UNITS_MAX] = "?";
    char text[128];
    if (trace->lost_known)
        pt_units_count(lost, trace->lost);
    snprintf(text, sizeof text, "%s%s, %s lost",
             ended && strcmp(ended, "killed") == 0  ? "killed, "
             : ended && strcmp(ended, "limit") == 0 ? "size limit reached, "
                                                    : "",
             complete                                  ? "complete"
             : trace->arena == PT_TRACE_ARENA_LIVE     ? "still being written"
             : trace->arena == PT_TRACE_ARENA_SALVAGED ? "salvaged"
                                                       : "incomplete",
             lost);
    pt_facts_put(facts, complete ? PT_SCREEN_GOOD : PT_SCREEN_WARN, text);
}

/* What every call is taken to have cost. */
static void put_compensation(struct pt_facts *facts, const struct pt_cost costs[PT_COST_KINDS])
{
    char call[PT_UNITS_MAX];
    char c_call[PT_UNITS_MAX];
    char text[128];
    snprintf(text, sizeof text, "compensated: %s a call", pt_units_time(call, cost_ns(&costs[PT_COST_CALL])));
    if (pt_cost_is_measured(&costs[PT_COST_C_CALL]))
        snprintf(text, sizeof text, "compensated: %s a call, %s a C call", call,
                 pt_units_time(c_call, cost_ns(&costs[PT_COST_C_CALL])));
    pt_facts_put(facts, PT_SCREEN_STRONG, text);
}

static void print_trace(const struct pt_report *report, const struct pt_trace *trace, const struct pt_figures *figures)
{
    struct pt_facts facts = {.screen = report->screen, .between = "  ", .indent = 2};
    const struct pt_header *header = &trace->header;
    char text[PT_UNITS_MAX];
    char more[PT_UNITS_MAX];
    uint64_t processes;
    uint64_t threads;
    uint64_t wall_ns = trace_wall_ns(trace);
    uint64_t count = report->replayed ? figures->calls : trace->events;
    count_entities(trace, &processes, &threads);

    pt_facts_put(&facts, PT_SCREEN_STRONG, trace->path);
    if (trace->has_header) {
        pt_facts_put(&facts, PT_SCREEN_PLAIN, header->program);
        pt_facts_printf(&facts, "%s %s", header->implementation, header->python);
    }
    pt_facts_put(&facts, PT_SCREEN_PLAIN, pt_units_scaled(text, wall_ns, pt_units_scale(wall_ns)));
    if (processes > 1)
        pt_facts_printf(&facts, "%s processes, %s thread%s", pt_units_count(text, processes),
                        pt_units_count(more, threads), threads == 1 ? "" : "s");
    else
        pt_facts_printf(&facts, "%s thread%s", pt_units_count(more, threads), threads == 1 ? "" : "s");
    pt_facts_printf(&facts, "%s %s%s", pt_units_count(text, count), report->replayed ? "call" : "event",
                    count == 1 ? "" : "s");
    if (shows_cpu_time(trace))
        pt_facts_put(&facts, PT_SCREEN_STRONG, "times are CPU time");
    if (report->options->compensate)
        put_compensation(&facts, header->costs);
    put_verdict(&facts, trace, figures);
    pt_facts_end(&facts);
}

/* What only reading the events has told. */
static void tell_figures(const struct trouble_sink *sink, const struct pt_trace *trace,
                         const struct pt_figures *figures)
{
    char count[PT_UNITS_MAX];
    uint64_t stalled = stalled_ns(trace, figures);
    if (figures->bad_chunks > 0)
        tell(sink, "%s chunk%s could not be decoded (see the command check)",
             pt_units_count(count, figures->bad_chunks), figures->bad_chunks == 1 ? "" : "s");
    if (stalled > 0)
        tell(sink, "threads %s %s for the recorder; this is nobody's self time",
             shows_cpu_time(trace) ? "waited, in CPU time," : "waited", pt_units_time(count, (double)stalled));
    if (figures->unmatched > 0)
        tell(sink, "%s lea%s without an enter", pt_units_count(count, figures->unmatched),
             figures->unmatched == 1 ? "ve" : "ves");
    if (figures->missing > 0)
        tell(sink, "%s enter%s without a leave", pt_units_count(count, figures->missing),
             figures->missing == 1 ? "" : "s");
}

/* The line itself tells how the process that started the recording ended. For children this is no trouble: those of
 * multiprocessing all end so. */
static void print_ends(struct pt_screen *screen, const struct pt_trace *trace)
{
    char count[PT_UNITS_MAX];
    uint64_t killed = 0;
    for (size_t i = 1; i < trace->process_count; i++)
        killed += trace->processes[i].serial != 0 && strcmp(trace->processes[i].ended, "killed") == 0;
    if (killed == 0)
        return;
    struct pt_facts words = {.screen = screen, .between = " ", .indent = 2};
    pt_facts_put(&words, PT_SCREEN_DIM, "note:");
    pt_facts_printf(&words, "%s child process%s ended by a signal, os._exit or exec", pt_units_count(count, killed),
                    killed == 1 ? "" : "es");
    pt_facts_end(&words);
}

/* `process` is what the notes are about; 0: the whole recording. */
static void print_notes(struct pt_screen *screen, uint64_t process, char *const *notes, size_t count)
{
    struct pt_facts words = {.screen = screen, .between = " ", .indent = 2};
    for (size_t i = 0; i < count; i++) {
        pt_facts_put(&words, PT_SCREEN_DIM, "note:");
        if (process > 0)
            pt_facts_printf(&words, "process %" PRIu64 ":", process);
        pt_facts_words(&words, PT_SCREEN_PLAIN, notes[i]);
        pt_facts_end(&words);
    }
}

void pt_header_line_print(const struct pt_report *report)
{
    for (size_t i = 0; i < report->input->trace_count; i++) {
        const struct pt_trace *trace = report->input->traces[i].trace;
        struct trouble_sink sink = {.screen = report->screen};
        print_trace(report, trace, &report->figures[i]);
        tell_troubles(&sink, trace);
        tell_figures(&sink, trace, &report->figures[i]);
        print_ends(report->screen, trace);
        print_notes(report->screen, 0, trace->header.notes, trace->header.note_count);
        for (size_t p = 0; p < trace->process_count; p++)
            print_notes(report->screen, trace->process_count > 1 ? p + 1 : 0, trace->processes[p].notes,
                        trace->processes[p].note_count);
    }
}

void pt_header_line_tell(const struct pt_report *report, void (*take)(void *context, const char *line), void *context)
{
    const struct trouble_sink sink = {.take = take, .context = context};
    for (size_t i = 0; i < report->input->trace_count; i++) {
        const struct pt_trace *trace = report->input->traces[i].trace;
        tell_troubles(&sink, trace);
        tell_figures(&sink, trace, &report->figures[i]);
        for (size_t note = 0; note < trace->header.note_count; note++)
            tell(&sink, "note: %s", trace->header.notes[note]);
        for (size_t p = 0; p < trace->process_count; p++)
            for (size_t note = 0; note < trace->processes[p].note_count; note++)
                tell(&sink, "note: process %zu: %s", p + 1, trace->processes[p].notes[note]);
    }
}

/* --- JSON ------------------------------------------------------------------------------------------------------- */

static void write_costs(struct pt_json *json, const struct pt_cost costs[PT_COST_KINDS])
{
    static const char *const keys[PT_COST_KINDS] = {
        [PT_COST_CALL] = "call", [PT_COST_C_CALL] = "c_call", [PT_COST_RESUME] = "resume"};
    pt_json_key(json, "costs");
    pt_json_open(json, '{', false);
    for (size_t kind = 0; kind < PT_COST_KINDS; kind++) {
        if (!pt_cost_is_measured(&costs[kind]))
            continue;
        pt_json_key(json, keys[kind]);
        pt_json_open(json, '{', false);
        pt_json_put_uint(json, "own_ps", costs[kind].own_ps);
        pt_json_put_uint(json, "caller_ps", costs[kind].caller_ps);
        pt_json_close(json, '}');
    }
    pt_json_close(json, '}');
}

static void write_trace(struct pt_json *json, const struct pt_report *report, size_t index)
{
    const struct pt_trace *trace = report->input->traces[index].trace;
    const struct pt_figures *figures = &report->figures[index];
    const struct pt_header *header = &trace->header;
    const char *ended = trace_ended(trace);
    uint64_t processes;
    uint64_t threads;
    count_entities(trace, &processes, &threads);

    pt_json_open(json, '{', false);
    pt_json_put_text(json, "file", trace->path);
    pt_json_put_text(json, "program", trace->has_header ? header->program : "");
    pt_json_put_text(json, "python", trace->has_header ? header->python : "");
    pt_json_put_uint(json, "pid", header->pid);
    pt_json_put_text(json, "clock", trace->has_header ? header->clock : "");
    pt_json_put_uint(json, "wall_ns", trace_wall_ns(trace));
    pt_json_put_uint(json, "processes", processes);
    pt_json_put_uint(json, "threads", threads);
    pt_json_put_uint(json, "events", trace->events);
    if (report->replayed)
        pt_json_put_uint(json, "calls", figures->calls);
    else
        pt_json_put_null(json, "calls");
    if (trace->lost_known)
        pt_json_put_uint(json, "lost", trace->lost);
    else
        pt_json_put_null(json, "lost");
    pt_json_put_uint(json, "stalled_ns", stalled_ns(trace, figures));
    pt_json_put_uint(json, "recovered", trace->recovered_events);
    pt_json_put_bool(json, "complete", trace_complete(trace, figures));
    if (ended)
        pt_json_put_text(json, "ended", ended);
    else
        pt_json_put_null(json, "ended");
    pt_json_put_bool(json, "c_calls", header->c_calls);
    pt_json_put_bool(json, "exceptions", header->exceptions);
    write_costs(json, header->costs);
    pt_json_put_bool(json, "compensated", report->options->compensate);
    pt_json_close(json, '}');
}

void pt_header_line_json_open(struct pt_json *json, const struct pt_report *report)
{
    size_t count = report->input->trace_count;
    pt_json_init(json, report->screen);
    pt_json_open(json, '{', true);
    pt_json_put_uint(json, "schema", 1);
    pt_json_key(json, count == 1 ? "trace" : "traces");
    if (count > 1)
        pt_json_open(json, '[', true);
    for (size_t i = 0; i < count; i++)
        write_trace(json, report, i);
    if (count > 1)
        pt_json_close(json, ']');
}

void pt_header_line_json_close(struct pt_json *json)
{
    pt_json_close(json, '}');
    pt_json_end(json);
}
