/* The command line, parsed: one grammar for every command.
 *
 * The table of options is public so that help and suggestions are made from what is really parsed. */
#ifndef PT_OPTIONS_H
#define PT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "screen.h"
#include "status.h"
#include "text.h"

struct pt_command;

enum pt_by { PT_BY_FUNCTION, PT_BY_FILE, PT_BY_MODULE, PT_BY_THREAD, PT_BY_PROCESS, PT_BY_PATH /* diff only */ };
enum pt_kinds { PT_KINDS_ALL, PT_KINDS_PYTHON, PT_KINDS_C };
enum pt_side { PT_SIDE_BASE, PT_SIDE_NEW, PT_SIDE_NONE };
enum pt_output_format { PT_FORMAT_TABLE, PT_FORMAT_CSV, PT_FORMAT_JSON };

/* One end of a range. */
enum pt_bound_unit { PT_BOUND_NONE, PT_BOUND_NS, PT_BOUND_PERCENT };
struct pt_bound {
    enum pt_bound_unit unit;
    double value; /* nanoseconds from the start of the trace, or percent of it */
};

/* A list of serial numbers and spans of them, as in `--tid 1,4-6`. */
struct pt_serials {
    struct pt_serials_span {
        uint64_t first;
        uint64_t last;
    } * spans;
    size_t count; /* 0: no choice was made, everything counts */
};

/* Texts are borrowed from argv. Release with pt_options_release. */
struct pt_options {
    const struct pt_command *command;
    const char *operand; /* of commands that take one, else NULL */
    const char **traces; /* at least one */
    size_t trace_count;
    size_t base_count;   /* of diff: so many of the traces are the base, those behind them are what is new */
    enum pt_side side;   /* of the traces that follow on the command line */
    enum pt_side *sides; /* by trace, while parsing */

    bool help;    /* --help: of `command`, or of the program where that is NULL. Nothing else is checked then */
    bool version; /* --version */

    uint64_t top;       /* rows; 0 is all */
    bool top_given;     /* trees have no such limit of their own */
    const char *sort;   /* NULL: the command's own order */
    const char *fields; /* NULL: the command's own columns; a leading + appends */
    enum pt_by by;
    bool by_given;
    enum pt_kinds kinds;

    const char *focus; /* extended regular expressions, NULL where not given */
    const char *ignore;
    const char *hide;
    const char *root;
    uint64_t depth; /* of trees; 0 is all */
    struct pt_bound from;
    struct pt_bound to;
    struct pt_serials tids;
    struct pt_serials pids;
    double min_time_ns;
    double min_percent; /* negative: the command's own */
    enum pt_text_paths paths;
    bool no_collapse;
    bool compensate;

    const char **maps; /* of diff: OLD=NEW, functions that are the same for whoever asks */
    size_t map_count;
    const char *fail_on; /* of diff: what is to give exit status 1 */

    enum pt_output_format format;
    struct pt_screen_settings screen;
    bool no_progress;
    bool quiet;
    unsigned jobs; /* threads that analyse; 0: as many as there are processors */
};

/* One option as it is parsed and explained. */
struct pt_option {
    char letter;          /* 0 if it has only a long name */
    const char *name;     /* without the dashes */
    const char *argument; /* what stands for it in help; NULL for a flag */
    const char *text;     /* one line of help */
    /* Stores what was given (`value` is NULL for a flag). PT_MISUSE, with error->text the reason alone. */
    enum pt_status (*store)(struct pt_options *options, const char *value, struct pt_error *error);
};

extern const struct pt_option pt_option_table[];
extern const size_t pt_option_count;

/* Parses the arguments behind the program's name. PT_MISUSE with a one-line message that names the option, and the
 * nearest one where a name is unknown; PT_NOMEM. Release in any case. */
PT_MUST_USE enum pt_status pt_options_parse(struct pt_options *options, int argc, char *const *argv,
                                            struct pt_error *error);
void pt_options_release(struct pt_options *options);

/* Whether a serial number was chosen. */
bool pt_serials_contain(const struct pt_serials *serials, uint64_t serial);

/* A bound as nanoseconds of a trace that is `wall_ns` long; `otherwise` if it was not given. */
uint64_t pt_bound_ns(const struct pt_bound *bound, uint64_t wall_ns, uint64_t otherwise);

#endif
