/* Greenlets for whoever takes steps: what was kept about the frames of one is put by while others run (PT_STEP_SWITCH).
 */
#ifndef PT_STASH_H
#define PT_STASH_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

/* What a taker of steps keeps about the open frames of a greenlet: an array from malloc, or NULL, and what else it
 * likes. All zero when a greenlet runs for the first time. */
struct pt_stash_stack {
    void *frames;
    size_t depth;
    size_t capacity;
    size_t mark;    /* the owner's */
    uint64_t clock; /* when it was put by */
};

/* Zeroed is empty. */
struct pt_stash {
    struct pt_stash_stack *stacks; /* by place */
    size_t count;
    uint32_t place; /* of the greenlet that runs: what is there means nothing */
};

/* Frees all that was put by. What the greenlet that runs has is its owner's. */
void pt_stash_release(struct pt_stash *stash);

/* Puts `*stack` by, at `clock`, and replaces it by what was kept at `place`. `*away`: how long that lay there. PT_NOMEM:
 * nothing has changed. */
PT_MUST_USE enum pt_status pt_stash_switch(struct pt_stash *stash, uint32_t place, uint64_t clock,
                                           struct pt_stash_stack *stack, uint64_t *away);

#endif
