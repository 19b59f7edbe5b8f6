/* Verdicts where there are few traces: all that is known of chance is how much a run differs within itself.
 *
 * The time of each thread falls into blocks of equal length, side by side (calls that follow each other resemble each other,
 * so single calls would seem to know more than they do), and the blocks in which a function is called are dealt out to the sides
 * at random. That tells whether a run differs from the other; not whether the program does: single runs of one program
 * differ, too. So only a function that has become dearer or cheaper by more than PT_DIFF_DRIFT, and by as much more than
 * the others have, gets a verdict. */
#ifndef PT_DIFF_BLOCKS_H
#define PT_DIFF_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "diff_rows.h"
#include "stash.h"
#include "stream.h"

#define PT_DIFF_BLOCKS 32  /* a trace */
#define PT_DIFF_DRIFT  2.0 /* as dear as before, or as cheap: what may be chance between two runs */

/* Zeroed, then pt_diff_blocks_init; release with pt_diff_blocks_release. */
struct pt_diff_blocks {
    struct pt_diff_cell *cells; /* by function, trace and block */
    size_t trace_count;
    size_t trace;     /* what is read now */
    uint64_t first;   /* clock of the thread's first step */
    uint64_t span;    /* ticks of the thread */
    uint64_t clock;   /* of the last step */
    bool began;       /* the thread had a step */
    uint32_t *frames; /* open ones */
    size_t depth;
    size_t capacity;
    struct pt_stash stash;
};

PT_MUST_USE enum pt_status pt_diff_blocks_init(struct pt_diff_blocks *blocks, size_t functions, size_t trace_count);
void pt_diff_blocks_release(struct pt_diff_blocks *blocks);

/* The steps that follow are of another thread, of trace number `trace`. */
void pt_diff_blocks_begin(struct pt_diff_blocks *blocks, const struct pt_input_thread *thread, size_t trace);
PT_MUST_USE enum pt_status pt_diff_blocks_add(struct pt_diff_blocks *blocks, const struct pt_step *steps, size_t count);

/* Gives the rows, which are by function, their verdicts. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_diff_blocks_judge(const struct pt_diff_blocks *blocks, struct pt_diff_rows *rows,
                                                const struct pt_report *report);

#endif
