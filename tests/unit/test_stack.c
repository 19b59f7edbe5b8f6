/* The rules of SPEC.md 5.5, against a model that searches where pt_stack remembers. */
#include <criterion/criterion.h>

#include "record.h"
#include "stack.h"

static uint32_t python(uint32_t id)
{
    return (uint32_t)pt_record_frame(id, 0);
}

static uint32_t c(uint32_t id)
{
    return (uint32_t)pt_record_frame(id, 1);
}

static void push_all(struct pt_stack *stack, const uint32_t *frames, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(pt_stack_push(stack, frames[i], i), PT_OK);
}

Test(stack, a_return_closes_the_innermost_python_frame_and_c_frames_above_it)
{
    struct pt_stack stack = {0};
    push_all(&stack, (uint32_t[]){python(1), python(2), c(3), c(4)}, 4);
    cr_assert_eq(pt_stack_leave(&stack, PT_KIND_RETURN, 0), 3);
    cr_assert_eq(stack.depth, 1);
    cr_assert_eq(stack.missing, 2);
    cr_assert_eq(stack.unmatched, 0);
    pt_stack_release(&stack);
}

Test(stack, a_return_without_a_python_frame_changes_nothing)
{
    struct pt_stack stack = {0};
    cr_assert_eq(pt_stack_leave(&stack, PT_KIND_YIELD, 0), 0);
    push_all(&stack, (uint32_t[]){c(3), c(4)}, 2);
    cr_assert_eq(pt_stack_leave(&stack, PT_KIND_RETURN, 0), 0);
    cr_assert_eq(stack.depth, 2);
    cr_assert_eq(stack.unmatched, 2);
    pt_stack_release(&stack);
}

Test(stack, an_unwind_closes_only_the_function_that_it_names)
{
    struct pt_stack stack = {0};
    push_all(&stack, (uint32_t[]){python(1), c(3)}, 2);
    cr_assert_eq(pt_stack_leave(&stack, PT_KIND_UNWIND, 2), 0, "function 2 never started");
    cr_assert_eq(stack.depth, 2);
    cr_assert_eq(pt_stack_leave(&stack, PT_KIND_UNWIND, 1), 2);
    cr_assert_eq(stack.depth, 0);
    pt_stack_release(&stack);
}

Test(stack, a_c_leave_needs_a_c_frame_on_top)
{
    struct pt_stack stack = {0};
    push_all(&stack, (uint32_t[]){c(3), python(1)}, 2);
    cr_assert_eq(pt_stack_leave(&stack, PT_KIND_C_RETURN, 0), 0);
    cr_assert_eq(pt_stack_leave(&stack, PT_KIND_RETURN, 0), 1);
    cr_assert_eq(pt_stack_leave(&stack, PT_KIND_C_RAISE, 0), 1);
    cr_assert_eq(stack.depth, 0);
    pt_stack_release(&stack);
}

Test(stack, close_takes_whatever_is_on_top)
{
    struct pt_stack stack = {0};
    push_all(&stack, (uint32_t[]){python(1), c(3)}, 2);
    cr_assert_eq(pt_stack_leave(&stack, PT_KIND_CLOSE, 0), 1);
    cr_assert_eq(pt_stack_leave(&stack, PT_KIND_CLOSE, 0), 1);
    cr_assert_eq(pt_stack_leave(&stack, PT_KIND_CLOSE, 0), 0);
    cr_assert_eq(stack.unmatched, 1);
    pt_stack_release(&stack);
}

Test(stack, it_grows_to_its_cap_and_no_further)
{
    struct pt_stack stack = {0};
    for (size_t i = 0; i < PT_STACK_DEPTH_MAX; i++)
        cr_assert_eq(pt_stack_push(&stack, c(1), i), PT_OK);
    cr_assert_eq(pt_stack_push(&stack, c(1), 0), PT_NOMEM);
    cr_assert_eq(stack.depth, PT_STACK_DEPTH_MAX);
    pt_stack_release(&stack);
}
