/* The rows of a comparison: a function or a call path each, with what it cost on either side.
 *
 * Times are nanoseconds of self time, and of one trace: where a side has several, the mean. For every row, and for
 * all of them together, delta = calls + speed, exactly. */
#ifndef PT_DIFF_ROWS_H
#define PT_DIFF_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diff_match.h"
#include "diff_paths.h"
#include "report.h"

/* What became of the number of calls. */
enum pt_diff_change {
    PT_DIFF_AS_BEFORE,
    PT_DIFF_MORE,
    PT_DIFF_FEWER,
    PT_DIFF_NEW,
    PT_DIFF_REMOVED,
    PT_DIFF_VARIES,  /* it differs among the traces of a side, and the sides overlap */
    PT_DIFF_UNKNOWN, /* events were lost, and they may be the difference */
};

/* What became of the time of a call. */
enum pt_diff_verdict {
    PT_DIFF_CANT_TELL,
    PT_DIFF_UNCHANGED,
    PT_DIFF_SLOWER,
    PT_DIFF_FASTER,
    PT_DIFF_NO_VERDICT, /* there is nothing to compare with */
};

#define PT_DIFF_ROW_TOTAL UINT32_MAX

struct pt_diff_row {
    uint32_t number;                  /* into pt_diff_match.functions, or of the path; PT_DIFF_ROW_TOTAL */
    uint32_t function;                /* the same, or the function at the end of the path */
    const struct pt_diff_cell *cells; /* by trace */
    enum pt_diff_change change;
    enum pt_diff_verdict verdict;
    bool calls_vary[2];  /* among the traces of the side */
    uint64_t calls[2];   /* of all traces of the side */
    uint64_t all_ns[2];  /* of all traces of the side */
    uint64_t self_ns[2]; /* of one trace */
    int64_t delta_ns;    /* new - base */
    int64_t calls_ns;    /* the part that comes from more calls, or fewer, each as dear as in the base */
    int64_t speed_ns;    /* the part that comes from dearer calls, or cheaper */
    double speed;        /* how much dearer a call has become: 0.05 is 5 %; NAN if there is none to compare with */
    double q;            /* the chance of a difference like this if there is none, all rows considered; NAN: unknown */
    double visible;      /* how great a change of speed would have been seen; INFINITY: none */
    double visible_ns;   /* the same as time */
};

/* Release with pt_diff_rows_release. */
struct pt_diff_rows {
    struct pt_diff_row *rows; /* those that ever ran, in no order */
    size_t count;
    struct pt_diff_row total;
    struct pt_diff_cell *cells; /* of functions, by number and trace; rows by path borrow those of the paths */
    uint64_t paths;             /* how many there are at all */
    uint64_t paths_changed;     /* of which the calls differ between the sides */
    uint64_t paths_unsure;      /* of which nobody can tell: they vary, or events were lost */
    bool lossy[2];              /* a trace of that side is not complete: its counts are the least that there were */
};

/* By function or, if the options say so, by path. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_diff_rows_make(struct pt_diff_rows *rows, const struct pt_report *report,
                                             const struct pt_diff_match *match, const struct pt_diff_paths *paths);
void pt_diff_rows_release(struct pt_diff_rows *rows);

/* Sorts by what --sort names: delta (default: the greatest change, whichever way), calls, speed, base, new, name.
 * PT_MISUSE, with report->error. */
PT_MUST_USE enum pt_status pt_diff_rows_sort(struct pt_diff_rows *rows, struct pt_report *report,
                                             const struct pt_diff_match *match);

#endif
