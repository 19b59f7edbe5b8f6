/* pytrace-analyze: answers questions about what pytrace recorded. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "header_line.h"
#include "help.h"
#include "input.h"
#include "interrupt.h"
#include "options.h"
#include "progress.h"
#include "report.h"
#include "screen.h"
#include "view.h"

#define EXIT_FOUND   1
#define EXIT_TROUBLE 2

static void complain(const struct pt_error *error)
{
    fprintf(stderr, "pytrace-analyze: %s", error->text);
    if (error->offset != PT_ERROR_NO_OFFSET)
        fprintf(stderr, " (at byte %llu)", (unsigned long long)error->offset);
    fputc('\n', stderr);
}

/* Will whoever types this see what the header line tells? */
static bool shows_header(const struct pt_options *options, const struct pt_screen *screen)
{
    return options->command->headed && options->format == PT_FORMAT_TABLE && pt_screen_is_terminal(screen);
}

/* Opens, reads, reports. Returns the status of whatever went wrong first. */
static enum pt_status run(const struct pt_options *options, bool *found, struct pt_error *error)
{
    struct pt_input input = {0};
    struct pt_progress progress;
    struct pt_screen *screen = NULL;
    uint8_t *flags = NULL;
    struct pt_report report = {.options = options, .input = &input, .progress = &progress};
    bool complete = false;

    enum pt_status status = pt_input_open(&input, options, error);
    if (status != PT_OK)
        goto cleanup;
    status = pt_view_make(&report.view, &flags, options, &input, error);
    if (status != PT_OK)
        goto cleanup;
    status = pt_screen_open(&screen, &options->screen, error);
    if (status != PT_OK)
        goto cleanup;
    if (!options->quiet && !shows_header(options, screen))
        for (size_t i = 0; i < input.trace_count; i++)
            pt_header_line_warn(input.traces[i].trace);
    report.figures = calloc(input.trace_count + 1, sizeof *report.figures);
    if (!report.figures) {
        status = PT_NOMEM;
        goto cleanup;
    }
    pt_progress_init(&progress, "reading", input.events, !options->no_progress && !options->quiet);
    report.screen = screen;
    status = options->command->run(&report);
    pt_progress_finish(&progress);
    if (status == PT_OK)
        complete = true;
    else
        *error = report.error;
    *found = report.found;
cleanup:
    if (screen) {
        enum pt_status closed = pt_screen_close(screen, complete, status == PT_OK ? error : NULL);
        status = status == PT_OK ? closed : status;
    }
    free(report.figures);
    free(flags);
    pt_input_release(&input);
    return status;
}

/* --help and --version go to standard output like any result. */
static enum pt_status explain(const struct pt_options *options, struct pt_error *error)
{
    struct pt_screen *screen;
    PT_TRY(pt_screen_open(&screen, &options->screen, error));
    if (options->help)
        pt_help_print(screen, options->command ? options->command->name : NULL);
    else
        pt_screen_put(screen, "pytrace-analyze " PYTRACE_VERSION "\n");
    return pt_screen_close(screen, true, error);
}

int main(int argc, char **argv)
{
    struct pt_options options;
    struct pt_error error = {.offset = PT_ERROR_NO_OFFSET};
    bool found = false;

    setlocale(LC_CTYPE, "");
    pt_interrupt_catch();
    enum pt_status status = pt_options_parse(&options, argc - 1, argv + 1, &error);
    if (status == PT_OK)
        status = options.help || options.version ? explain(&options, &error) : run(&options, &found, &error);
    pt_options_release(&options);

    if (pt_interrupt_requested())
        return pt_interrupt_exit_status();
    if (status != PT_OK) {
        if (error.text[0] == '\0')
            pt_error_set(&error, status, PT_ERROR_NO_OFFSET, "%s", pt_status_name(status));
        complain(&error);
        return EXIT_TROUBLE;
    }
    return found ? EXIT_FOUND : EXIT_SUCCESS;
}
