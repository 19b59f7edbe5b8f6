/* info: everything about the recording itself. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "header_line.h"
#include "json.h"
#include "process_table.h"
#include "report.h"
#include "text.h"
#include "units.h"

/* --- Table ------------------------------------------------------------------------------------------------------ */

/* A name and, flush behind it, what the caller prints next. */
static void put_name(struct pt_screen *screen, const char *name)
{
    pt_screen_style(screen, PT_SCREEN_DIM);
    pt_screen_printf(screen, "  %-15s", name);
    pt_screen_style(screen, PT_SCREEN_PLAIN);
}

static void put_line(struct pt_screen *screen, const char *name, const char *text)
{
    if (!*text)
        return;
    put_name(screen, name);
    pt_screen_text(screen, text);
    pt_screen_put(screen, "\n");
}

static void put_title(struct pt_screen *screen, const char *title)
{
    pt_screen_style(screen, PT_SCREEN_HEAD);
    pt_screen_put(screen, title);
    pt_screen_style(screen, PT_SCREEN_PLAIN);
    pt_screen_put(screen, "\n");
}

static void print_program(struct pt_screen *screen, const struct pt_header *header)
{
    char text[64] = "";
    time_t started = (time_t)(header->started_ns / 1000000000);
    struct tm when;
    put_title(screen, "Program");
    put_line(screen, "program", header->program);
    if (header->argv_count > 0) {
        put_name(screen, "command line");
        for (size_t i = 0; i < header->argv_count; i++) {
            pt_screen_put(screen, i > 0 ? " " : "");
            pt_screen_text(screen, header->argv[i]);
        }
        pt_screen_put(screen, "\n");
    }
    put_line(screen, "executable", header->executable);
    put_name(screen, "interpreter");
    pt_screen_text(screen, header->implementation);
    pt_screen_put(screen, " ");
    pt_screen_text(screen, header->python);
    pt_screen_put(screen, "\n");
    put_name(screen, "system id");
    pt_screen_printf(screen, "%" PRIu64 "\n", header->pid);
    put_line(screen, "host", header->host);
    put_line(screen, "machine", header->machine);
    put_line(screen, "system", header->system);
    if (header->started_ns > 0 && localtime_r(&started, &when))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %z", &when);
    put_line(screen, "started", text);
}

/* What is subtracted by --compensate. */
static void print_costs(struct pt_screen *screen, const struct pt_cost costs[PT_COST_KINDS])
{
    static const char *const names[PT_COST_KINDS] = {
        [PT_COST_CALL] = "cost of a call",
        [PT_COST_C_CALL] = "of a C call",
        [PT_COST_RESUME] = "of a resume",
    };
    for (size_t kind = 0; kind < PT_COST_KINDS; kind++) {
        if (!pt_cost_is_measured(&costs[kind]))
            continue;
        put_name(screen, names[kind]);
        pt_screen_printf(screen, "%.1f ns of its own time, %.1f ns of its caller's\n",
                         (double)costs[kind].own_ps / 1000, (double)costs[kind].caller_ps / 1000);
    }
}

static void print_settings(struct pt_screen *screen, const struct pt_header *header)
{
    char text[PT_UNITS_MAX];
    put_title(screen, "Recorder");
    put_line(screen, "pytrace", header->recorder);
    put_line(screen, "hook", header->hook);
    put_name(screen, "clock");
    pt_screen_text(screen, header->clock);
    pt_screen_printf(screen, ", a tick is %.3f ns\n", (double)header->tick_ps / 1000);
    put_line(screen, "C calls", header->c_calls ? "recorded" : "not recorded");
    put_line(screen, "lines of", header->lines);
    put_line(screen, "opcodes of", header->opcodes);
    if (header->exceptions)
        put_line(screen, "exceptions", "recorded");
    put_line(screen, "children", header->children ? "recorded" : "not recorded");
    put_line(screen, "full ring", header->policy);
    put_line(screen, "ring size", pt_units_bytes(text, header->ring_size));
    put_line(screen, "max threads", pt_units_count(text, header->max_threads));
    put_line(screen, "flush interval", pt_units_time(text, (double)header->flush_interval_ns));
    put_line(screen, "max size", header->max_size ? pt_units_bytes(text, header->max_size) : "no limit");
    put_line(screen, "zstd level", pt_units_count(text, header->level));
    print_costs(screen, header->costs);
}

static void count_chunks(const struct pt_trace *trace, uint64_t *chunks, uint64_t *bytes)
{
    *chunks = *bytes = 0;
    for (size_t i = 0; i < trace->thread_count; i++) {
        *chunks += trace->threads[i].chunk_count;
        for (size_t c = 0; c < trace->threads[i].chunk_count; c++)
            *bytes += trace->threads[i].chunks[c].size;
    }
}

static uint64_t count_functions(const struct pt_trace *trace)
{
    uint64_t count = 0;
    for (size_t i = 1; i < trace->function_count; i++)
        count += trace->functions[i].kind != PT_NAME_RAISE_SITE;
    return count;
}

static void print_contents(struct pt_screen *screen, const struct pt_trace *trace)
{
    char text[PT_UNITS_MAX];
    uint64_t chunks;
    uint64_t bytes;
    uint64_t wall_ns = pt_trace_ns(trace, pt_trace_end_tick(trace));
    count_chunks(trace, &chunks, &bytes);
    put_title(screen, "Contents");
    put_line(screen, "duration", pt_units_scaled(text, wall_ns, pt_units_scale(wall_ns)));
    put_name(screen, "events");
    pt_screen_put(screen, pt_units_count(text, trace->events));
    if (wall_ns > 0 && trace->events > 0)
        pt_screen_printf(screen, ", %s a second",
                         pt_units_count(text, (uint64_t)((double)trace->events * 1e9 / (double)wall_ns)));
    pt_screen_put(screen, "\n");
    put_line(screen, "functions", pt_units_count(text, count_functions(trace)));
    put_name(screen, "file");
    pt_screen_put(screen, pt_units_bytes(text, trace->file_size));
    if (trace->events > 0)
        pt_screen_printf(screen, ", %.2f bytes an event", (double)trace->file_size / (double)trace->events);
    pt_screen_printf(screen, ", %s blocks\n", pt_units_count(text, trace->block_count));
    put_name(screen, "chunks");
    pt_screen_put(screen, pt_units_count(text, chunks));
    pt_screen_printf(screen, ", %s compressed\n", pt_units_bytes(text, bytes));
    if (trace->unchecked_chunks > 0)
        put_line(screen, "checksums", "those of chunks were not verified (see the command check)");
    put_name(screen, "lost events");
    pt_screen_printf(screen, "%s%s\n",
                     trace->lost_known ? ""
                     : trace->lost > 0 ? "not known, at least "
                                       : "not known",
                     trace->lost_known || trace->lost > 0 ? pt_units_count(text, trace->lost) : "");
    if (trace->has_end)
        put_line(screen, "stalled", pt_units_time(text, (double)trace->end.stalled_ticks * pt_trace_tick_ns(trace)));
    if (trace->recovered_events > 0)
        put_line(screen, "recovered", pt_units_count(text, trace->recovered_events));
    put_line(screen, "ended", trace->has_end ? trace->end.reason : "no end in the file");
}

static void print_damage(struct pt_screen *screen, const struct pt_trace *trace)
{
    if (trace->damage_count == 0)
        return;
    put_title(screen, "Damage");
    for (size_t i = 0; i < trace->damage_count && !pt_screen_gone(screen); i++) {
        const struct pt_trace_damage *damage = &trace->damages[i];
        char place[48] = "";
        if (damage->offset != PT_ERROR_NO_OFFSET)
            snprintf(place, sizeof place, "byte %" PRIu64, damage->offset);
        put_name(screen, place);
        pt_screen_text(screen, damage->text);
        pt_screen_put(screen, "\n");
    }
}

/* --- JSON ------------------------------------------------------------------------------------------------------- */

static void write_notes(struct pt_json *json, char *const *notes, size_t count)
{
    pt_json_key(json, "notes");
    pt_json_open(json, '[', false);
    for (size_t i = 0; i < count; i++)
        pt_json_text(json, notes[i]);
    pt_json_close(json, ']');
}

static void write_header(struct pt_json *json, const struct pt_header *header)
{
    pt_json_open(json, '{', true);
    pt_json_put_text(json, "recorder", header->recorder);
    pt_json_put_text(json, "implementation", header->implementation);
    pt_json_put_text(json, "hook", header->hook);
    pt_json_key(json, "argv");
    pt_json_open(json, '[', false);
    for (size_t i = 0; i < header->argv_count; i++)
        pt_json_text(json, header->argv[i]);
    pt_json_close(json, ']');
    pt_json_put_text(json, "executable", header->executable);
    pt_json_put_text(json, "host", header->host);
    pt_json_put_text(json, "machine", header->machine);
    pt_json_put_text(json, "system", header->system);
    pt_json_put_uint(json, "started_ns", header->started_ns);
    pt_json_put_uint(json, "tick_ps", header->tick_ps);
    pt_json_put_text(json, "lines", header->lines);
    pt_json_put_text(json, "opcodes", header->opcodes);
    pt_json_put_bool(json, "exceptions", header->exceptions);
    pt_json_put_text(json, "policy", header->policy);
    pt_json_put_bool(json, "children", header->children);
    pt_json_put_uint(json, "ring_size", header->ring_size);
    pt_json_put_uint(json, "max_threads", header->max_threads);
    pt_json_put_uint(json, "flush_interval_ns", header->flush_interval_ns);
    pt_json_put_uint(json, "max_size", header->max_size);
    pt_json_put_uint(json, "level", header->level);
    write_notes(json, header->notes, header->note_count);
    pt_json_close(json, '}');
}

static void write_contents(struct pt_json *json, const struct pt_trace *trace)
{
    uint64_t chunks;
    uint64_t bytes;
    count_chunks(trace, &chunks, &bytes);
    pt_json_open(json, '{', false);
    pt_json_put_uint(json, "file_size", trace->file_size);
    pt_json_put_uint(json, "blocks", trace->block_count);
    pt_json_put_uint(json, "chunks", chunks);
    pt_json_put_uint(json, "chunk_bytes", bytes);
    pt_json_put_uint(json, "functions", count_functions(trace));
    pt_json_put_uint(json, "unchecked_chunks", trace->unchecked_chunks);
    pt_json_put_uint(json, "damaged_places", trace->damage_count);
    pt_json_put_uint(json, "damaged_bytes", trace->damage_bytes);
    pt_json_put_uint(json, "missing_blocks", trace->missing_blocks);
    pt_json_close(json, '}');
}

/* "trace" is what every report has; "recordings" holds the rest, one a trace. */
static enum pt_status write_json(const struct pt_report *report)
{
    enum pt_status status = PT_OK;
    struct pt_json json;
    pt_header_line_json_open(&json, report);
    pt_json_key(&json, "recordings");
    pt_json_open(&json, '[', true);
    for (size_t i = 0; i < report->input->trace_count && status == PT_OK; i++) {
        const struct pt_trace *trace = report->input->traces[i].trace;
        pt_json_open(&json, '{', true);
        pt_json_key(&json, "header");
        if (trace->has_header)
            write_header(&json, &trace->header);
        else
            pt_json_null(&json);
        pt_json_key(&json, "contents");
        write_contents(&json, trace);
        pt_json_key(&json, "processes");
        status = pt_process_table_json(&json, &report->input->traces[i], report->options);
        pt_json_close(&json, '}');
    }
    pt_json_close(&json, ']');
    pt_header_line_json_close(&json);
    return status;
}

enum pt_status pt_report_info(struct pt_report *report)
{
    if (report->options->format == PT_FORMAT_CSV)
        return pt_error_set(&report->error, PT_MISUSE, PT_ERROR_NO_OFFSET, "info is no table: choose --format json");
    if (report->options->format == PT_FORMAT_JSON)
        return write_json(report);
    pt_header_line_print(report);
    for (size_t i = 0; i < report->input->trace_count; i++) {
        const struct pt_trace *trace = report->input->traces[i].trace;
        pt_screen_put(report->screen, "\n");
        if (trace->has_header) {
            print_program(report->screen, &trace->header);
            print_settings(report->screen, &trace->header);
        }
        print_contents(report->screen, trace);
        put_title(report->screen, "Processes");
        PT_TRY(pt_process_table_print(report->screen, &report->input->traces[i], report->options));
        print_damage(report->screen, trace);
    }
    return PT_OK;
}
