/* The stack of open frames of one thread, and the rules by which entries change it (SPEC.md 5.5).
 *
 * The drain keeps one for keyframes, the analyzer keeps one to rebuild calls: both by these functions, so that they
 * agree. */
#ifndef PT_STACK_H
#define PT_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"
#include "status.h"

struct pt_stack_frame {
    uint32_t frame; /* 2 × id, plus 1 for a C function */
    uint32_t
        python; /* height of the innermost Python frame up to this one (the outermost frame has height 1); 0 if none */
    uint64_t entry_tick;
};

struct pt_aside;

/* All zero is empty. At most PT_STACK_DEPTH_MAX frames. Where a thread runs greenlets these are the frames of the one
 * that runs; those of the others are set aside (aside.h). */
struct pt_stack {
    struct pt_stack_frame *frames; /* outermost first */
    size_t depth;
    size_t capacity;
    uint64_t unknown;       /* frames below these of which only the number is known: what a keyframe left out */
    uint64_t unmatched;     /* leaves that closed nothing, so far */
    uint64_t missing;       /* frames closed without a leave of their own, so far */
    uint64_t greenlet;      /* the one that runs */
    struct pt_aside *aside; /* NULL before the first switch */
};

/* Makes room for one more frame at least. PT_NOMEM, also at PT_STACK_DEPTH_MAX. */
PT_MUST_USE enum pt_status pt_stack_grow(struct pt_stack *stack);

/* Nothing is open any more, in no greenlet, and number 0 runs: another thread begins. The counts go on. */
void pt_stack_clear(struct pt_stack *stack);
void pt_stack_release(struct pt_stack *stack);

/* PT_NOMEM. */
PT_MUST_USE static inline enum pt_status pt_stack_push(struct pt_stack *stack, uint32_t frame, uint64_t tick)
{
    if (__builtin_expect(stack->depth == stack->capacity, 0))
        PT_TRY(pt_stack_grow(stack));
    struct pt_stack_frame *top = &stack->frames[stack->depth++];
    top->frame = frame;
    top->entry_tick = tick;
    if ((frame & 1) == 0)
        top->python = (uint32_t)stack->depth;
    else
        top->python = stack->depth > 1 ? top[-1].python : 0;
    return PT_OK;
}

/* How many frames the leave `kind` (PT_KIND_RETURN … PT_KIND_CLOSE) with `id` closes on this stack: 0 for an unmatched
 * leave, 1, or more if C frames without a leave lie on top. Changes nothing, counts nothing. Constant time. */
size_t pt_stack_leaves(const struct pt_stack *stack, enum pt_kind kind, uint32_t id);

/* Pops what a leave closes, counting missing and unmatched leaves; returns the number of frames closed. */
size_t pt_stack_leave(struct pt_stack *stack, enum pt_kind kind, uint32_t id);

#endif
