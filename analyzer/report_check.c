/* check: whether a trace is pristine, and if not, what is wrong and where. */
#include <inttypes.h>
#include <string.h>

#include "check.h"
#include "csv.h"
#include "json.h"
#include "report.h"
#include "text.h"
#include "units.h"

struct finding_sink {
    struct pt_report *report;
    const struct pt_trace *trace;
    struct pt_json *json;
};

static void take_finding(void *context, uint64_t offset, const char *text)
{
    const struct finding_sink *sink = context;
    struct pt_screen *screen = sink->report->screen;
    struct pt_csv csv = {.screen = screen};
    switch (sink->report->options->format) {
    case PT_FORMAT_JSON:
        pt_json_open(sink->json, '{', false);
        pt_json_put_text(sink->json, "file", sink->trace->path);
        if (offset == PT_ERROR_NO_OFFSET)
            pt_json_put_null(sink->json, "offset");
        else
            pt_json_put_uint(sink->json, "offset", offset);
        pt_json_put_text(sink->json, "text", text);
        pt_json_close(sink->json, '}');
        break;
    case PT_FORMAT_CSV:
        pt_csv_text(&csv, sink->trace->path);
        if (offset == PT_ERROR_NO_OFFSET)
            pt_csv_empty(&csv);
        else
            pt_csv_uint(&csv, offset);
        pt_csv_text(&csv, text);
        pt_csv_line(&csv);
        break;
    case PT_FORMAT_TABLE:
        pt_screen_text(screen, sink->trace->path);
        if (offset != PT_ERROR_NO_OFFSET)
            pt_screen_printf(screen, ": byte %" PRIu64, offset);
        pt_screen_style(screen, PT_SCREEN_WARN);
        pt_screen_put(screen, ": ");
        pt_screen_text(screen, text);
        pt_screen_style(screen, PT_SCREEN_PLAIN);
        pt_screen_put(screen, "\n");
        break;
    }
}

static void print_verdict(struct pt_screen *screen, const struct pt_trace *trace, uint64_t findings)
{
    char text[PT_UNITS_MAX];
    char more[PT_UNITS_MAX];
    pt_screen_text(screen, trace->path);
    pt_screen_style(screen, findings == 0 ? PT_SCREEN_GOOD : PT_SCREEN_WARN);
    if (findings == 0)
        pt_screen_printf(screen, ": pristine: %s blocks, %s events", pt_units_count(text, trace->block_count),
                         pt_units_count(more, trace->events));
    else
        pt_screen_printf(screen, ": %s finding%s", pt_units_count(text, findings), findings == 1 ? "" : "s");
    pt_screen_style(screen, PT_SCREEN_PLAIN);
    pt_screen_put(screen, "\n");
}

enum pt_status pt_report_check(struct pt_report *report)
{
    const enum pt_output_format format = report->options->format;
    uint64_t all = 0;
    struct pt_json json;
    pt_json_init(&json, report->screen);
    if (format == PT_FORMAT_JSON) {
        pt_json_open(&json, '{', true);
        pt_json_put_uint(&json, "schema", 1);
        pt_json_key(&json, "findings");
        pt_json_open(&json, '[', true);
    } else if (format == PT_FORMAT_CSV) {
        pt_screen_put(report->screen, "file,offset,text\n");
    }
    for (size_t i = 0; i < report->input->trace_count; i++) {
        const struct pt_trace *trace = report->input->traces[i].trace;
        struct finding_sink sink = {.report = report, .trace = trace, .json = &json};
        uint64_t findings = 0;
        PT_TRY(pt_check(trace, take_finding, &sink, &findings));
        if (format == PT_FORMAT_TABLE)
            print_verdict(report->screen, trace, findings);
        all += findings;
    }
    if (format == PT_FORMAT_JSON) {
        pt_json_close(&json, ']');
        pt_json_put_bool(&json, "pristine", all == 0);
        pt_json_close(&json, '}');
        pt_json_end(&json);
    }
    report->found = all > 0;
    return PT_OK;
}
