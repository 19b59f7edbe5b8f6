#include "analysis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"

static void must(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "analysis: %s\n", what);
        abort();
    }
}

void analysis_begin(struct analysis *analysis)
{
    *analysis = (struct analysis){0};
    trace_file_begin(&analysis->file);
    trace_file_header(&analysis->file);
    trace_file_process(&analysis->file, 1, 0, 0, PT_META_ABSENT);
    trace_file_thread(&analysis->file, 1, 1, PT_META_ABSENT);
    trace_file_names(&analysis->file, 1, 1, 9);
    trace_stream_begin(&analysis->stream, 1, TRACE_FILE_START_TICK);
}

void analysis_run(struct analysis *analysis, uint64_t end_tick, const char *arguments)
{
    char line[256];
    char *words[32] = {analysis->file.path};
    int count = 1;
    struct pt_error error = {.text = ""};
    struct pt_progress progress;
    struct pt_report report = {
        .options = &analysis->options,
        .input = &analysis->input,
        .progress = &progress,
        .figures = &analysis->figures,
    };
    if (analysis->stream.produced > analysis->stream.source.position)
        trace_stream_flush(&analysis->stream, &analysis->file);
    trace_stream_close(&analysis->stream, &analysis->file, end_tick);
    trace_file_end(&analysis->file, end_tick);

    snprintf(line, sizeof line, "%s", arguments);
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
        words[count++] = word;
    must(pt_options_parse(&analysis->options, count, words, &error) == PT_OK, error.text);
    must(pt_input_open(&analysis->input, &analysis->options, &error) == PT_OK, error.text);
    must(pt_view_make(&analysis->view, &analysis->flags, &analysis->options, &analysis->input, &error) == PT_OK,
         error.text);
    analysis->view.by = analysis->options.by;
    pt_progress_init(&progress, "reading", 1, false);
    must(pt_tally_read(&analysis->tally, &report, &analysis->view, 16) == PT_OK, "pt_tally_read");
}

const struct pt_tally_entry *analysis_entry(const struct analysis *analysis, uint32_t number)
{
    char name[16];
    if (analysis->options.by != PT_BY_FUNCTION)
        return &analysis->tally.entries[number];
    snprintf(name, sizeof name, "C.f%u", number);
    for (size_t i = 1; i < analysis->input.function_count; i++)
        if (strcmp(analysis->input.functions[i].qualname, name) == 0)
            return &analysis->tally.entries[i];
    must(0, "no such function");
    return NULL;
}

void analysis_release(struct analysis *analysis)
{
    pt_tally_release(&analysis->tally);
    free(analysis->flags);
    pt_input_release(&analysis->input);
    pt_options_release(&analysis->options);
    trace_stream_release(&analysis->stream);
    trace_file_release(&analysis->file);
}
