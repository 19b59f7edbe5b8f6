#include "stack.h"

#include <stdlib.h>

#include "aside.h"

enum pt_status pt_stack_grow(struct pt_stack *stack)
{
    if (stack->capacity >= PT_STACK_DEPTH_MAX)
        return PT_NOMEM;
    size_t capacity = stack->capacity ? 2 * stack->capacity : 16;
    struct pt_stack_frame *frames = realloc(stack->frames, capacity * sizeof *frames);
    if (!frames)
        return PT_NOMEM;
    if (!stack->frames)
        frames[0] = (struct pt_stack_frame){0}; /* looked at even while the stack is empty */
    stack->frames = frames;
    stack->capacity = capacity;
    return PT_OK;
}

void pt_stack_clear(struct pt_stack *stack)
{
    pt_aside_free(stack->aside);
    stack->aside = NULL;
    stack->greenlet = 0;
    stack->depth = 0;
    stack->unknown = 0;
}

void pt_stack_release(struct pt_stack *stack)
{
    pt_aside_free(stack->aside);
    free(stack->frames);
    *stack = (struct pt_stack){0};
}

size_t pt_stack_leaves(const struct pt_stack *stack, enum pt_kind kind, uint32_t id)
{
    if (stack->depth == 0)
        return 0;
    /* A frame knows the innermost Python frame at or below it: searching for it here would let a stream of
     * C calls and unmatched unwinds cost the square of its length. */
    const struct pt_stack_frame *top = &stack->frames[stack->depth - 1];
    switch (kind) {
    case PT_KIND_UNWIND:
        if (top->python == 0 || stack->frames[top->python - 1].frame != id << 1)
            return 0;
        return stack->depth - top->python + 1;
    case PT_KIND_RETURN:
    case PT_KIND_YIELD:
        return top->python == 0 ? 0 : stack->depth - top->python + 1;
    case PT_KIND_C_RETURN:
    case PT_KIND_C_RAISE:
        return top->frame & 1;
    case PT_KIND_CLOSE:
        return 1;
    default:
        return 0;
    }
}

size_t pt_stack_leave(struct pt_stack *stack, enum pt_kind kind, uint32_t id)
{
    size_t closed = pt_stack_leaves(stack, kind, id);
    if (closed > 0)
        stack->missing += closed - 1;
    else if (stack->depth == 0 && stack->unknown > 0)
        stack->unknown--;
    else
        stack->unmatched++;
    stack->depth -= closed;
    return closed;
}
