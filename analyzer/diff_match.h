/* Which function of the new traces is which of the base.
 *
 * A function is what its kind, module and qualified name say; never a line, nor a file. What is left over then is matched
 * by the hash of its code, then by its name alone: it was moved to another module, or renamed. Such a pair has to be the
 * only one that it could be, and is shown as what it is. */
#ifndef PT_DIFF_MATCH_H
#define PT_DIFF_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "input.h"
#include "status.h"

enum pt_diff_how {
    PT_DIFF_SAME,
    PT_DIFF_MOVED,   /* to another module */
    PT_DIFF_RENAMED, /* in its module, or on the way to another */
    PT_DIFF_MAPPED,  /* --map says so */
};

struct pt_diff_function {
    const struct pt_function *sides[2]; /* by enum pt_side: what it is there, NULL where there is none */
    enum pt_diff_how how;
    bool guess; /* nothing but the name says so: the code has changed, too */
};

/* Release with pt_diff_match_release. */
struct pt_diff_match {
    struct pt_diff_function *functions; /* [0] is the unknown one */
    size_t count;
    uint32_t *numbers[2]; /* by side, then by function of the input: the position in `functions` */
};

/* `base_count` traces of the input are the base. `maps`: texts OLD=NEW, names as reports show them. PT_MISUSE (no such
 * function; `error` says which), PT_NOMEM. */
PT_MUST_USE enum pt_status pt_diff_match_make(struct pt_diff_match *match, const struct pt_input *input,
                                              size_t base_count, const char *const *maps, size_t map_count,
                                              struct pt_error *error);
void pt_diff_match_release(struct pt_diff_match *match);

#endif
