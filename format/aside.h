/* Greenlets: each has a stack of its own, and those of all but the one that runs are set aside (SPEC.md 5.5).
 *
 * Drain and readers keep them by these functions, as part of the thread's struct pt_stack. A switch costs the same
 * however deep the stacks are; an empty stack costs nothing while another one runs. */
#ifndef PT_ASIDE_H
#define PT_ASIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "stack.h"
#include "status.h"

/* What is set aside of one greenlet. */
struct pt_aside_stack {
    uint64_t greenlet;
    struct pt_stack_frame *frames; /* outermost first */
    size_t depth;
    size_t capacity;
    uint64_t unknown; /* as in struct pt_stack */
    uint64_t chunk;   /* the last one in which it ran */
    uint32_t next;    /* of the same bucket, or of the free ones */
};

void pt_aside_free(struct pt_aside *aside);

/* The frames of the greenlet that runs are set aside, and `greenlet` goes on with its own, which are none if nothing
 * was set aside of it; with room for one frame. Nothing happens if it is the one that runs. PT_NOMEM: `stack` is of no
 * use any more. */
PT_MUST_USE enum pt_status pt_aside_switch(struct pt_stack *stack, uint64_t greenlet);

/* False if the frames of the greenlet that runs would find no place any more: the next switch empties its stack, and
 * counts them as missing. */
bool pt_aside_has_place(const struct pt_stack *stack);

/* Nothing is open any more, in no greenlet; the same one runs. */
void pt_aside_forget(struct pt_stack *stack);

/* What is set aside of a greenlet; NULL if it is nothing, or if it is the one that runs. Valid until the next switch. */
const struct pt_aside_stack *pt_aside_find(const struct pt_stack *stack, uint64_t greenlet);

/* One stack after the other of those that are set aside, or NULL; `*at` is 0 before the first. Switches to the one
 * returned may happen meanwhile. */
const struct pt_aside_stack *pt_aside_next(const struct pt_stack *stack, uint32_t *at);

/* Another chunk begins. */
void pt_aside_begin_chunk(struct pt_stack *stack);

/* Whether `one`, which may be NULL, ran in the present chunk. */
bool pt_aside_ran(const struct pt_stack *stack, const struct pt_aside_stack *one);

/* Where the stack of the greenlet that runs is kept while others run: a number that is its own as long as anything of
 * it is open, below PT_ASIDE_MAX + 2. 0 for greenlet 0 before the first switch. */
uint32_t pt_aside_place(const struct pt_stack *stack);

#endif
