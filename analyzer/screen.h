/* Where results go: stdout, a pager in front of it, or a file; and what may be done there (colour, cutting lines).
 *
 * Reports write to a screen and never ask whether it worked: the first failure is kept, later writes do nothing, and
 * pt_screen_close tells. Long reports look at pt_screen_gone now and then. Not thread-safe. */
#ifndef PT_SCREEN_H
#define PT_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "status.h"

enum pt_screen_color { PT_SCREEN_COLOR_AUTO, PT_SCREEN_COLOR_ALWAYS, PT_SCREEN_COLOR_NEVER };

struct pt_screen_settings {
    const char *output; /* a file instead of stdout; NULL or "-" is stdout */
    bool force;         /* replace an existing output */
    bool data;          /* JSON, CSV, …: never coloured, never cut */
    bool no_pager;
    bool width_given;
    size_t width; /* if given: cut lines here, 0 never; else the terminal's width, or never where there is none */
    enum pt_screen_color color;
};

/* What a piece of a line means; the screen decides how that looks. */
enum pt_screen_style {
    PT_SCREEN_PLAIN,
    PT_SCREEN_STRONG, /* what the eye should find first */
    PT_SCREEN_DIM,    /* frames, units, what can be skipped */
    PT_SCREEN_HEAD,   /* column titles */
    PT_SCREEN_GOOD,
    PT_SCREEN_WARN, /* losses, damage, guesses */
    PT_SCREEN_HOT,  /* a great share of the time */
};

struct pt_screen;

/* PT_MISUSE: the output exists and `force` is not set. PT_IO: it cannot be created. PT_NOMEM. Sets SIGPIPE to be ignored: a closed
 * pipe is then a quiet end. A file is written beside its final name and appears there, whole, at pt_screen_close. */
PT_MUST_USE enum pt_status pt_screen_open(struct pt_screen **out, const struct pt_screen_settings *settings,
                                          struct pt_error *error);

/* Lines end with \n. In a line that is too wide the rest is replaced by "…". Untrusted text goes through
 * pt_screen_text, which makes it harmless, or is escaped before (text.h). */
void pt_screen_write(struct pt_screen *screen, const char *text, size_t size);
void pt_screen_put(struct pt_screen *screen, const char *text);
void pt_screen_text(struct pt_screen *screen, const char *text);
void pt_screen_printf(struct pt_screen *screen, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Bytes that are no lines of text. Only where settings.data is set. */
void pt_screen_bytes(struct pt_screen *screen, const void *bytes, size_t size);

/* The style of what follows, until the next call. Nothing where there is no colour. */
void pt_screen_style(struct pt_screen *screen, enum pt_screen_style style);

/* Columns of a line, 0 if lines are not cut. */
size_t pt_screen_width(const struct pt_screen *screen);
/* Results go to a terminal, a pager perhaps between. */
bool pt_screen_is_terminal(const struct pt_screen *screen);
/* Nobody reads any more, or a write failed: the rest need not be computed. */
bool pt_screen_gone(const struct pt_screen *screen);

/* Flushes, waits for the pager, moves the file to its name; frees the screen in any case. `complete` false: the run
 * failed or was interrupted; what was not written yet is dropped, and an output file removed. PT_IO: not everything could be written (disk full …); a
 * reader that went away is no error. NULL is allowed. */
PT_MUST_USE enum pt_status pt_screen_close(struct pt_screen *screen, bool complete, struct pt_error *error);

#endif
