#include "screen.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "buffer.h"
#include "interrupt.h"
#include "output_file.h"
#include "pager.h"
#include "text.h"

#define FLUSH_SIZE (64 * 1024)

/* Invariant: while lines are cut, bytes from `line` on in `pending` are the line that is being written; what stands before
 * it is finished. */
struct pt_screen {
    int fd;
    bool terminal;
    bool colored;
    bool paged;                  /* a pager is to be started before the first write */
    bool gone;                   /* the reader left, or `failure` tells why nothing can be written */
    enum pt_screen_style style;  /* in force where `pending` ends */
    enum pt_screen_style wanted; /* of the text to come */
    size_t width;
    struct pt_buffer pending;
    size_t line;
    struct pt_pager pager;
    bool to_file;
    struct pt_output_file file;
    enum pt_status status;
    struct pt_error failure;
};

static const char *const sequences[] = {
    [PT_SCREEN_PLAIN] = "\x1b[0m",  [PT_SCREEN_STRONG] = "\x1b[0;1m", [PT_SCREEN_DIM] = "\x1b[0;2m",
    [PT_SCREEN_HEAD] = "\x1b[0;1m", [PT_SCREEN_GOOD] = "\x1b[0;32m",  [PT_SCREEN_WARN] = "\x1b[0;33m",
    [PT_SCREEN_HOT] = "\x1b[0;31m",
};

/* --- Opening ------------------------------------------------------------------------------------------------------ */

static size_t terminal_width(int fd)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    long given = columns ? strtol(columns, NULL, 10) : 0;

    if (given > 0 && given < 10000)
        return (size_t)given;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

static bool wants_color(const struct pt_screen *screen, enum pt_screen_color choice)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    if (choice != PT_SCREEN_COLOR_AUTO)
        return choice == PT_SCREEN_COLOR_ALWAYS;
    return screen->terminal && !(no_color && no_color[0]) && terminal && strcmp(terminal, "dumb") != 0;
}

enum pt_status pt_screen_open(struct pt_screen **out, const struct pt_screen_settings *settings, struct pt_error *error)
{
    struct pt_screen *screen = calloc(1, sizeof *screen);

    if (!screen)
        return pt_error_set(error, PT_NOMEM, PT_ERROR_NO_OFFSET, "out of memory");
    screen->fd = STDOUT_FILENO;
    screen->to_file = settings->output && strcmp(settings->output, "-") != 0;
    if (screen->to_file) {
        enum pt_status status = pt_output_file_open(&screen->file, settings->output, settings->force, error);
        if (status != PT_OK) {
            free(screen);
            return status;
        }
        screen->fd = screen->file.fd;
    }
    signal(SIGPIPE, SIG_IGN);
    screen->terminal = !screen->to_file && isatty(screen->fd);
    screen->paged = screen->terminal && !settings->no_pager;
    if (!settings->data) {
        screen->colored = wants_color(screen, settings->color);
        screen->width = settings->width_given ? settings->width : screen->terminal ? terminal_width(screen->fd) : 0;
    }
    *out = screen;
    return PT_OK;
}

/* --- Writing ------------------------------------------------------------------------------------------------------ */

static void fail(struct pt_screen *screen, enum pt_status status)
{
    screen->gone = true;
    screen->pending.size = 0;
    screen->line = 0;
    if (status == PT_IO && errno != EPIPE)
        screen->status = pt_error_set_errno(&screen->failure, "cannot write",
                                            screen->to_file ? screen->file.path : "standard output");
    else if (status == PT_NOMEM)
        screen->status = pt_error_set(&screen->failure, PT_NOMEM, PT_ERROR_NO_OFFSET, "out of memory");
}

/* Hands the first `count` pending bytes to the system. */
static void flush(struct pt_screen *screen, size_t count)
{
    size_t done = 0;

    if (screen->paged) {
        screen->paged = false;
        if (pt_pager_start(&screen->pager))
            screen->fd = screen->pager.fd;
    }
    while (done < count) {
        ssize_t written = write(screen->fd, screen->pending.data + done, count - done);
        if (written < 0 && errno != EINTR) {
            fail(screen, PT_IO);
            return;
        }
        if (written > 0)
            done += (size_t)written;
        if (done < count && pt_interrupt_requested()) { /* nobody takes it, and nobody waits for it */
            fail(screen, PT_OK);
            return;
        }
    }
    memmove(screen->pending.data, screen->pending.data + count, screen->pending.size - count);
    screen->pending.size -= count;
    screen->line -= count;
}

static bool append(struct pt_screen *screen, const char *text, size_t size)
{
    if (screen->gone)
        return false;
    if (pt_buffer_append(&screen->pending, text, size) != PT_OK) {
        fail(screen, PT_NOMEM);
        return false;
    }
    return true;
}

/* A style is written only when text follows that has it. */
static bool apply_style(struct pt_screen *screen)
{
    const char *sequence = sequences[screen->wanted];
    if (screen->style == screen->wanted)
        return true;
    screen->style = screen->wanted;
    return append(screen, sequence, strlen(sequence));
}

/* Shortens the line just written if it is too wide, and ends it. */
static void end_line(struct pt_screen *screen)
{
    if (!apply_style(screen))
        return;
    const char *line = (const char *)screen->pending.data + screen->line;
    size_t size = screen->pending.size - screen->line;

    if (screen->width && pt_text_fit(line, size, screen->width) < size) {
        screen->pending.size = screen->line + pt_text_fit(line, size, screen->width - 1);
        append(screen, "…", strlen("…"));
        /* What was cut off may have held a change of style. */
        if (screen->colored) {
            const char *sequence = sequences[screen->style];
            append(screen, sequence, strlen(sequence));
        }
    }
    if (!append(screen, "\n", 1))
        return;
    screen->line = screen->pending.size;
    if (screen->line >= FLUSH_SIZE)
        flush(screen, screen->line);
}

void pt_screen_write(struct pt_screen *screen, const char *text, size_t size)
{
    while (size && !screen->gone) {
        const char *newline = memchr(text, '\n', size);
        size_t part = newline ? (size_t)(newline - text) : size;
        if (part && !(apply_style(screen) && append(screen, text, part)))
            return;
        if (!newline)
            return;
        end_line(screen);
        text += part + 1;
        size -= part + 1;
    }
}

void pt_screen_put(struct pt_screen *screen, const char *text)
{
    pt_screen_write(screen, text, strlen(text));
}

void pt_screen_bytes(struct pt_screen *screen, const void *bytes, size_t size)
{
    if (!append(screen, bytes, size))
        return;
    screen->line = screen->pending.size;
    if (screen->line >= FLUSH_SIZE)
        flush(screen, screen->line);
}

void pt_screen_text(struct pt_screen *screen, const char *text)
{
    struct pt_buffer escaped = {0};
    if (pt_text_escape(&escaped, text, strlen(text)) == PT_OK)
        pt_screen_write(screen, (const char *)escaped.data, escaped.size);
    else
        fail(screen, PT_NOMEM);
    pt_buffer_release(&escaped);
}

void pt_screen_printf(struct pt_screen *screen, const char *format, ...)
{
    char few[256];
    char *text = few;
    va_list arguments;

    if (screen->gone)
        return;
    va_start(arguments, format);
    int length = vsnprintf(few, sizeof few, format, arguments);
    va_end(arguments);
    if (length >= (int)sizeof few) {
        va_start(arguments, format);
        length = vasprintf(&text, format, arguments);
        va_end(arguments);
    }
    if (length < 0) {
        fail(screen, PT_NOMEM);
        return;
    }
    pt_screen_write(screen, text, (size_t)length);
    if (text != few)
        free(text);
}

void pt_screen_style(struct pt_screen *screen, enum pt_screen_style style)
{
    if (screen->colored)
        screen->wanted = style;
}

size_t pt_screen_width(const struct pt_screen *screen)
{
    return screen->width;
}

bool pt_screen_is_terminal(const struct pt_screen *screen)
{
    return screen->terminal;
}

bool pt_screen_gone(const struct pt_screen *screen)
{
    return screen->gone;
}

/* --- Closing ------------------------------------------------------------------------------------------------------ */

enum pt_status pt_screen_close(struct pt_screen *screen, bool complete, struct pt_error *error)
{
    enum pt_status status;

    if (!screen)
        return PT_OK;
    if (complete && !screen->gone && apply_style(screen) && screen->pending.size)
        flush(screen, screen->pending.size);
    pt_pager_finish(&screen->pager);
    status = screen->status;
    if (status != PT_OK && error)
        *error = screen->failure;
    if (screen->to_file) {
        enum pt_status closed =
            pt_output_file_close(&screen->file, complete && status == PT_OK, status == PT_OK ? error : NULL);
        status = status == PT_OK ? closed : status;
    }
    pt_buffer_release(&screen->pending);
    free(screen);
    return status;
}
