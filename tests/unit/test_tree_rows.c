/* Which rows of a tree are shown, in which order, and what stands for the others. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "step_script.h"
#include "tree_rows.h"

static int compare_letters(void *context, uint32_t a, uint32_t b)
{
    (void)context;
    return a < b ? -1 : a > b;
}

/* The rows as text: letters with their depth, "+N" for N hidden ones, a "'" behind the last of its level. */
static void check_rows(const char *script, struct pt_tree_choice choice, const char *expected)
{
    struct pt_call_tree *tree;
    struct pt_tree_rows rows = {0};
    char text[256] = "";
    size_t count, used = 0;
    struct pt_step *steps = step_script(script, &count);

    choice.compare_names = compare_letters;
    cr_assert_eq(pt_call_tree_new(&tree, STEP_SCRIPT_FUNCTIONS, true), PT_OK);
    cr_assert_eq(pt_call_tree_begin(tree, PT_CALL_TREE_GROUP, 1.0), PT_OK);
    cr_assert_eq(pt_call_tree_add(tree, steps, count), PT_OK);
    pt_call_tree_finish(tree);
    cr_assert_eq(pt_tree_rows_choose(&rows, tree, &choice), PT_OK);
    for (size_t i = 0; i < rows.count; i++) {
        const struct pt_tree_row *row = &rows.rows[i];
        const char *last = row->last ? "'" : "";
        if (row->hidden)
            used += (size_t)snprintf(text + used, sizeof text - used, "+%u=%u%s ", row->hidden,
                                     (unsigned)row->hidden_ns, last);
        else
            used += (size_t)snprintf(text + used, sizeof text - used, "%c%u%s ",
                                     'a' + (int)tree->nodes[row->node].function, row->depth, last);
    }
    cr_assert_str_eq(text, expected);
    pt_tree_rows_release(&rows);
    pt_call_tree_free(tree);
    free(steps);
}

#define SCRIPT "ab.c...))d..)e.))f.)"

Test(tree_rows, the_greatest_total_comes_first)
{
    check_rows(SCRIPT, (struct pt_tree_choice){0}, "a0 b1 c2' d1 e1' f0' ");
}

Test(tree_rows, by_name)
{
    check_rows("b..)c.)a...)", (struct pt_tree_choice){.order = PT_TREE_BY_NAME}, "a0 b0 c0' ");
}

Test(tree_rows, by_calls)
{
    check_rows("b..)c.)c)a...)", (struct pt_tree_choice){.order = PT_TREE_BY_CALLS}, "c0 a0 b0' ");
}

Test(tree_rows, small_paths_have_a_row_together_where_they_matter)
{
    check_rows(SCRIPT, (struct pt_tree_choice){.min_ns = 3}, "a0' b1 c2' +2=3' ");
    check_rows(SCRIPT, (struct pt_tree_choice){.min_ns = 4}, "a0' b1' ");
}

Test(tree_rows, depth_cuts_and_says_so)
{
    check_rows(SCRIPT, (struct pt_tree_choice){.depth_max = 2}, "a0 b1 +1=3' d1 e1' f0' ");
    check_rows(SCRIPT, (struct pt_tree_choice){.depth_max = 1}, "a0 +3=7' f0' ");
}

Test(tree_rows, a_limit_keeps_the_greatest_and_they_hang_together)
{
    check_rows(SCRIPT, (struct pt_tree_choice){.row_max = 3}, "a0 b1 c2' +2=3' +1=1' ");
    check_rows("abc.)))", (struct pt_tree_choice){.row_max = 2}, "a0' b1' +1=1' ");
}

Test(tree_rows, an_empty_tree_has_none)
{
    check_rows("..", (struct pt_tree_choice){0}, "");
}
