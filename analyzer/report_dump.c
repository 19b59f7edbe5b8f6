/* dump: every record, one a line, as it was written. For whoever debugs the recorder, and for comparing event by event.
 * */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "chunk.h"
#include "csv.h"
#include "interrupt.h"
#include "json.h"
#include "record.h"
#include "report.h"
#include "text.h"
#include "varint.h"

#define NO_FRAME UINT32_MAX

struct dump {
    struct pt_report *report;
    const struct pt_input_thread *thread;
    struct pt_stack stack;
    struct pt_chunk chunk;
    char **names;    /* by function of the input: as tables show it; made when first needed */
    uint64_t left;   /* lines that may still be printed */
    uint64_t before; /* tick of the entry before */
    bool limited;
};

/* One line of the dump. */
struct line {
    uint64_t tick;
    const char *kind;
    uint32_t frame;     /* 2 × id, plus 1 for C; NO_FRAME if there is none */
    const char *figure; /* name of what `value` is; NULL if there is none */
    uint64_t value;
    const char *type; /* of an exception; NULL for everything else */
};

static const char *const kind_names[32] = {
    [PT_KIND_START] = "start",     [PT_KIND_RESUME] = "resume",       [PT_KIND_THROW] = "throw",
    [PT_KIND_C_CALL] = "c_call",   [PT_KIND_OPEN] = "open",           [PT_KIND_RETURN] = "return",
    [PT_KIND_YIELD] = "yield",     [PT_KIND_UNWIND] = "unwind",       [PT_KIND_C_RETURN] = "c_return",
    [PT_KIND_C_RAISE] = "c_raise", [PT_KIND_CLOSE] = "close",         [PT_KIND_LINE] = "line",
    [PT_KIND_OPCODE] = "opcode",   [PT_KIND_EXCEPTION] = "exception",
};

static uint32_t function_of_id(const struct dump *dump, uint32_t id)
{
    const struct pt_input_thread *thread = dump->thread;
    return thread->origin->functions[pt_trace_function(thread->origin->trace, thread->thread->meta.process, id)];
}

static uint32_t function_of(const struct dump *dump, uint32_t frame)
{
    return function_of_id(dump, frame >> 1);
}

/* --- Filters ---------------------------------------------------------------------------------------------------- */

/* Whether the filters let a line through: its own function, and the stack that it stands on. */
static bool wanted(const struct dump *dump, const struct line *line)
{
    const struct pt_stream_view *view = &dump->report->view;
    const struct pt_options *options = dump->report->options;
    const struct pt_input_trace *origin = dump->thread->origin;
    if (line->tick < origin->from_tick || line->tick >= origin->to_tick)
        return false;
    if (line->frame != NO_FRAME) {
        uint32_t function = function_of(dump, line->frame);
        bool c = dump->report->input->functions[function].kind == PT_NAME_C;
        if (options->kinds != PT_KINDS_ALL && c != (options->kinds == PT_KINDS_C))
            return false;
        if (view->filters && view->flags[function] & PT_FILTER_HIDE)
            return false;
    }
    if (!(view->filters & (PT_FILTER_FOCUS | PT_FILTER_IGNORE | PT_FILTER_ROOT)))
        return true;
    unsigned met = 0;
    for (size_t i = 0; i < dump->stack.depth; i++)
        met |= view->flags[function_of(dump, dump->stack.frames[i].frame)];
    return !(met & PT_FILTER_IGNORE) && !(view->filters & ~met & (PT_FILTER_FOCUS | PT_FILTER_ROOT));
}

/* --- Lines ------------------------------------------------------------------------------------------------------ */

static enum pt_status name_of(struct dump *dump, uint32_t function, const char **out)
{
    if (!dump->names[function]) {
        struct pt_buffer text = {0};
        enum pt_status status =
            pt_text_function(&text, &dump->report->input->functions[function], dump->report->options->paths);
        if (status == PT_OK)
            status = pt_buffer_append(&text, "", 1);
        if (status != PT_OK) {
            pt_buffer_release(&text);
            return status;
        }
        dump->names[function] = (char *)text.data;
    }
    *out = dump->names[function];
    return PT_OK;
}

static void write_json(const struct dump *dump, const struct line *line, uint64_t t_ns,
                       const struct pt_function *function)
{
    struct pt_json json;
    pt_json_init(&json, dump->report->screen);
    pt_json_open(&json, '{', false);
    pt_json_put_uint(&json, "t_ns", t_ns);
    pt_json_put_uint(&json, "tid", dump->thread->tid);
    pt_json_put_text(&json, "kind", line->kind);
    pt_json_put_text(&json, "module", function ? function->module : "");
    pt_json_put_text(&json, "name", function ? function->qualname : "");
    if (line->type)
        pt_json_put_text(&json, "type", line->type);
    if (line->figure)
        pt_json_put_uint(&json, line->figure, line->value);
    pt_json_close(&json, '}');
    pt_json_end(&json);
}

static void write_csv(const struct dump *dump, const struct line *line, uint64_t t_ns,
                      const struct pt_function *function)
{
    struct pt_csv csv = {.screen = dump->report->screen};
    pt_csv_uint(&csv, t_ns);
    pt_csv_uint(&csv, dump->thread->tid);
    pt_csv_text(&csv, line->kind);
    pt_csv_text(&csv, function ? function->module : "");
    pt_csv_text(&csv, function ? function->qualname : "");
    if (line->figure)
        pt_csv_uint(&csv, line->value);
    else
        pt_csv_empty(&csv);
    pt_csv_text(&csv, line->type ? line->type : "");
    pt_csv_line(&csv);
}

static enum pt_status print_line(struct dump *dump, const struct line *line)
{
    struct pt_screen *screen = dump->report->screen;
    const struct pt_input *input = dump->report->input;
    if (dump->left == 0 || !wanted(dump, line))
        return PT_OK;
    dump->left -= dump->limited;
    uint32_t number = line->frame == NO_FRAME ? 0 : function_of(dump, line->frame);
    const struct pt_function *function = line->frame == NO_FRAME ? NULL : &input->functions[number];
    uint64_t t_ns = pt_trace_ns(dump->thread->origin->trace, line->tick);
    const char *name = "";
    switch (dump->report->options->format) {
    case PT_FORMAT_JSON:
        write_json(dump, line, t_ns, function);
        break;
    case PT_FORMAT_CSV:
        write_csv(dump, line, t_ns, function);
        break;
    case PT_FORMAT_TABLE:
        if (function)
            PT_TRY(name_of(dump, number, &name));
        pt_screen_printf(screen, "%4" PRIu64 ".%09" PRIu64 "  tid %-3" PRIu64 " %-9s %s", t_ns / 1000000000,
                         t_ns % 1000000000, dump->thread->tid, line->kind, name);
        if (line->type) {
            pt_screen_put(screen, " ");
            pt_screen_text(screen, line->type);
        }
        if (line->figure)
            pt_screen_printf(screen, "%s%s %" PRIu64, function ? " " : "", line->figure, line->value);
        pt_screen_put(screen, "\n");
        break;
    }
    return PT_OK;
}

/* --- Entries ---------------------------------------------------------------------------------------------------- */

/* The frame that a leave is about: the last one that it closes, or what it says itself. */
static uint32_t left_frame(const struct dump *dump, const struct pt_chunk_entry *entry)
{
    size_t count = pt_stack_leaves(&dump->stack, entry->kind, entry->id);
    if (count > 0)
        return dump->stack.frames[dump->stack.depth - count].frame;
    return entry->kind == PT_KIND_UNWIND ? entry->id << 1 : NO_FRAME;
}

static enum pt_status dump_control(struct dump *dump, const struct pt_chunk_entry *entry)
{
    struct line line = {
        .tick = entry->tick, .frame = NO_FRAME, .kind = "control", .figure = "subtype", .value = entry->id};
    const uint8_t *at = entry->arguments;
    const uint8_t *end = at + entry->argument_bytes;
    struct pt_chunk_lost lost;
    uint64_t ticks;
    switch (entry->id) {
    case PT_CONTROL_LOST:
        if (pt_chunk_lost_decode(&lost, at, entry->argument_bytes) != PT_OK)
            return PT_CORRUPT;
        line.kind = "lost";
        line.figure = "count";
        line.value = lost.count;
        break;
    case PT_CONTROL_STALL:
    case PT_CONTROL_BACKSTEP:
        if (pt_varint_decode(&at, end, &ticks) != PT_OK)
            return PT_CORRUPT;
        line.kind = entry->id == PT_CONTROL_STALL ? "stall" : "backstep";
        line.figure = "ns";
        line.value = (uint64_t)((double)ticks * dump->thread->origin->tick_ns + 0.5);
        break;
    case PT_CONTROL_SWITCH:
        if (pt_varint_decode(&at, end, &line.value) != PT_OK)
            return PT_CORRUPT;
        line.kind = "switch";
        line.figure = "greenlet";
        break;
    case PT_CONTROL_MARK:
        line.kind = "mark";
        line.figure = NULL;
        break;
    case PT_CONTROL_FORGET:
        line.kind = "forget";
        line.figure = NULL;
        break;
    default:
        break;
    }
    return print_line(dump, &line);
}

/* A line, an instruction or an exception in the innermost Python frame. */
static enum pt_status dump_inner(struct dump *dump, const struct pt_chunk_entry *entry)
{
    const struct pt_stack *stack = &dump->stack;
    const uint32_t python = stack->depth > 0 ? stack->frames[stack->depth - 1].python : 0;
    struct line line = {
        .tick = entry->tick,
        .kind = kind_names[entry->kind],
        .frame = python > 0 ? stack->frames[python - 1].frame : NO_FRAME,
        .figure = entry->kind == PT_KIND_OPCODE ? "offset" : "line",
        .value = entry->id,
    };
    if (entry->kind == PT_KIND_EXCEPTION) {
        const struct pt_function *site = &dump->report->input->functions[function_of_id(dump, entry->id)];
        bool known = site->kind == PT_NAME_RAISE_SITE;
        line.type = known ? site->label : "?";
        line.value = known ? site->line : 0;
    }
    return print_line(dump, &line);
}

static enum pt_status dump_entry(struct dump *dump, const struct pt_chunk_entry *entry)
{
    if (entry->kind == PT_KIND_CONTROL) {
        PT_TRY(dump_control(dump, entry));
        return pt_chunk_entry_apply(entry, &dump->stack);
    }
    if (pt_record_is_inner(entry->kind))
        return dump_inner(dump, entry);
    struct line line = {.tick = entry->tick, .kind = kind_names[entry->kind]};
    if (entry->kind <= PT_KIND_OPEN) {
        PT_TRY(pt_chunk_entry_apply(entry, &dump->stack));
        line.frame = (uint32_t)pt_record_frame(entry->id, entry->kind == PT_KIND_C_CALL);
        return print_line(dump, &line);
    }
    line.frame = left_frame(dump, entry);
    PT_TRY(print_line(dump, &line));
    return pt_chunk_entry_apply(entry, &dump->stack);
}

/* What stood before a gap says nothing about what follows: that stands on the next keyframe. */
static enum pt_status begin_chunk(struct dump *dump, bool gap)
{
    struct line line = {.tick = dump->chunk.info.first_tick, .kind = "gap", .frame = NO_FRAME};
    bool agrees;
    if (gap) {
        pt_stack_clear(&dump->stack);
        PT_TRY(print_line(dump, &line));
    }
    return pt_chunk_begin(&dump->chunk, &dump->stack, &agrees);
}

static enum pt_status dump_chunk(struct dump *dump, const struct pt_trace_chunk *from, bool *broken)
{
    struct pt_chunk_cursor cursor;
    struct pt_chunk_entry entry;
    enum pt_status status = pt_trace_chunk_decode(dump->thread->origin->trace, from, &dump->chunk);
    if (status == PT_NOMEM)
        return PT_NOMEM;
    bool gap = from->gap_before || *broken;
    *broken = status != PT_OK;
    if (*broken) {
        dump->report->figures[dump->thread->origin - dump->report->input->traces].bad_chunks++;
        return PT_OK;
    }
    PT_TRY(begin_chunk(dump, gap));
    pt_chunk_cursor_init(&cursor, &dump->chunk);
    while (dump->left > 0 && pt_chunk_cursor_next(&cursor, &entry)) {
        status = dump_entry(dump, &entry);
        if (status != PT_OK) {
            *broken = status == PT_CORRUPT;
            return *broken ? PT_OK : status;
        }
    }
    return PT_OK;
}

static enum pt_status dump_thread(struct dump *dump, const struct pt_input_thread *thread)
{
    bool broken = false;
    dump->thread = thread;
    pt_stack_clear(&dump->stack);
    for (size_t i = 0; i < thread->thread->chunk_count && dump->left > 0; i++) {
        const struct pt_trace_chunk *chunk = &thread->thread->chunks[i];
        PT_TRY(dump_chunk(dump, chunk, &broken));
        pt_progress_step(dump->report->progress, chunk->info.events);
        if (pt_interrupt_requested())
            return PT_END;
        if (pt_screen_gone(dump->report->screen))
            return PT_OK;
    }
    return PT_OK;
}

enum pt_status pt_report_dump(struct pt_report *report)
{
    const struct pt_options *options = report->options;
    struct dump dump = {.report = report, .left = UINT64_MAX, .limited = options->top_given && options->top > 0};
    enum pt_status status = PT_OK;
    if (dump.limited)
        dump.left = options->top;
    dump.names = calloc(report->input->function_count, sizeof *dump.names);
    if (!dump.names)
        return PT_NOMEM;
    if (options->format == PT_FORMAT_CSV)
        pt_screen_put(report->screen, "t_ns,tid,kind,module,name,value,type\n");
    for (size_t i = 0; i < report->input->thread_count && status == PT_OK; i++)
        status = dump_thread(&dump, &report->input->threads[i]);
    for (size_t i = 0; i < report->input->function_count; i++)
        free(dump.names[i]);
    free(dump.names);
    pt_stack_release(&dump.stack);
    pt_chunk_release(&dump.chunk);
    return status;
}
