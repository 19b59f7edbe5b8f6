/* The call tree, against small cases that one can check by eye, and against a model that looks at every single tick. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "call_tree.h"
#include "step_script.h"

static struct pt_call_tree *tree_of(const char *script, bool collapse)
{
    struct pt_call_tree *tree;
    size_t count;
    struct pt_step *steps = step_script(script, &count);
    cr_assert_eq(pt_call_tree_new(&tree, STEP_SCRIPT_FUNCTIONS, collapse), PT_OK);
    cr_assert_eq(pt_call_tree_begin(tree, PT_CALL_TREE_GROUP, 1.0), PT_OK);
    cr_assert_eq(pt_call_tree_add(tree, steps, count), PT_OK);
    pt_call_tree_finish(tree);
    free(steps);
    return tree;
}

/* The node at the end of a path of letters; the test fails if there is none. */
static const struct pt_call_node *node_at(const struct pt_call_tree *tree, const char *path)
{
    uint32_t node = 0;
    for (; *path; path++) {
        uint32_t child = tree->nodes[node].first_child;
        while (child && tree->nodes[child].function != (uint32_t)(*path - 'a'))
            child = tree->nodes[child].next_sibling;
        cr_assert(child, "no path ends with %s", path);
        node = child;
    }
    return &tree->nodes[node];
}

Test(call_tree, self_and_total_of_nested_calls)
{
    struct pt_call_tree *tree = tree_of("a.b..)b.!...)", true);
    const struct pt_call_node *a = node_at(tree, "a"), *b = node_at(tree, "ab");
    cr_assert_eq(a->calls, 1);
    cr_assert_eq(a->self_ns, 4);
    cr_assert_eq(a->total_ns, 7);
    cr_assert_eq(b->calls, 2);
    cr_assert_eq(b->raised, 1);
    cr_assert_eq(b->self_ns, 3);
    cr_assert_eq(tree->count, 3);
    pt_call_tree_free(tree);
}

Test(call_tree, an_opened_frame_has_time_but_no_call)
{
    struct pt_call_tree *tree = tree_of("A.b.).]", true);
    cr_assert_eq(node_at(tree, "a")->calls, 0);
    cr_assert_eq(node_at(tree, "a")->primitive, 0);
    cr_assert_eq(node_at(tree, "a")->total_ns, 3);
    pt_call_tree_free(tree);
}

Test(call_tree, a_stall_is_total_but_not_self_time)
{
    struct pt_call_tree *tree = tree_of("a.<...>.)", true);
    cr_assert_eq(node_at(tree, "a")->self_ns, 2);
    cr_assert_eq(node_at(tree, "a")->total_ns, 5);
    pt_call_tree_free(tree);
}

Test(call_tree, direct_recursion_folds_into_one_node)
{
    struct pt_call_tree *tree = tree_of("a.a.a.b.))))a)", true);
    const struct pt_call_node *a = node_at(tree, "a");
    cr_assert_eq(a->calls, 4);
    cr_assert_eq(a->primitive, 2);
    cr_assert_eq(a->recursion, 3);
    cr_assert_eq(a->self_ns, 3);
    cr_assert_eq(node_at(tree, "ab")->total_ns, 1);
    cr_assert_eq(tree->count, 3);
    pt_call_tree_free(tree);
}

Test(call_tree, indirect_recursion_folds_into_the_outermost_activation)
{
    struct pt_call_tree *tree = tree_of("a.b.a.c.)))).", true);
    cr_assert_eq(node_at(tree, "a")->self_ns, 2);
    cr_assert_eq(node_at(tree, "ab")->total_ns, 1);
    cr_assert_eq(node_at(tree, "ac")->total_ns, 1);
    cr_assert_eq(node_at(tree, "a")->total_ns, 4);
    pt_call_tree_free(tree);
}

Test(call_tree, without_collapsing_every_level_is_a_node)
{
    struct pt_call_tree *tree = tree_of("a.a.a.)))", false);
    cr_assert_eq(node_at(tree, "aaa")->calls, 1);
    cr_assert_eq(node_at(tree, "aaa")->total_ns, 1);
    cr_assert_eq(node_at(tree, "a")->total_ns, 3);
    cr_assert_eq(node_at(tree, "a")->recursion, 1);
    pt_call_tree_free(tree);
}

Test(call_tree, threads_share_paths_unless_they_are_groups_and_ticks_differ_in_length)
{
    struct pt_call_tree *tree;
    size_t count;
    struct pt_step *steps = step_script("a..)", &count);
    cr_assert_eq(pt_call_tree_new(&tree, STEP_SCRIPT_FUNCTIONS, true), PT_OK);
    for (int thread = 0; thread < 2; thread++) {
        cr_assert_eq(pt_call_tree_begin(tree, PT_CALL_TREE_GROUP, thread ? 10.0 : 1.0), PT_OK);
        cr_assert_eq(pt_call_tree_add(tree, steps, count), PT_OK);
    }
    cr_assert_eq(pt_call_tree_begin(tree, 7, 1.0), PT_OK);
    cr_assert_eq(pt_call_tree_add(tree, steps, count), PT_OK);
    pt_call_tree_finish(tree);
    cr_assert_eq(node_at(tree, "a")->calls, 2);
    cr_assert_eq(node_at(tree, "a")->total_ns, 22);
    cr_assert_eq(tree->count, 4);
    cr_assert_eq(tree->nodes[2].function, PT_CALL_TREE_GROUP | 7);
    cr_assert_eq(tree->nodes[2].total_ns, 2);
    free(steps);
    pt_call_tree_free(tree);
}

Test(call_tree, a_million_levels_are_no_deeper_a_problem_than_one)
{
    enum { LEVELS = 1000000 };
    struct pt_step *steps = calloc(2 * LEVELS, sizeof *steps);
    struct pt_call_tree *tree;
    cr_assert_not_null(steps);
    for (uint64_t i = 0; i < 2 * LEVELS; i++)
        steps[i] = (struct pt_step){.clock = i, .function = i & 1, .kind = i < LEVELS ? PT_STEP_CALL : PT_STEP_LEAVE};
    cr_assert_eq(pt_call_tree_new(&tree, STEP_SCRIPT_FUNCTIONS, false), PT_OK);
    cr_assert_eq(pt_call_tree_begin(tree, PT_CALL_TREE_GROUP, 1.0), PT_OK);
    cr_assert_eq(pt_call_tree_add(tree, steps, 2 * LEVELS), PT_OK);
    pt_call_tree_finish(tree);
    cr_assert_eq(tree->count, LEVELS + 1);
    cr_assert_eq(tree->nodes[0].total_ns, 2 * LEVELS - 1);
    pt_call_tree_free(tree);
    free(steps);
}

/* --- The model -------------------------------------------------------------------------------------------------------- */

/* The path to which a moment belongs, by the words of call_tree.h: each frame is a step down, but for one whose function stands further out. */
static void path_of(const char *stack, size_t depth, char *path)
{
    char paths[64][64];
    for (size_t i = 0; i < depth; i++) {
        size_t outer = 0;
        while (stack[outer] != stack[i])
            outer++;
        if (outer < i)
            strcpy(paths[i], paths[outer]);
        else
            snprintf(paths[i], sizeof paths[i], "%.60s%c", i ? paths[i - 1] : "", stack[i]);
    }
    strcpy(path, paths[depth - 1]);
}

Test(call_tree, agrees_with_a_model_that_looks_at_every_tick)
{
    for (unsigned seed = 1; seed <= 200; seed++) {
        char script[60];
        step_script_random(script, sizeof script, seed, 4);
        struct pt_call_tree *tree = tree_of(script, true);
        uint64_t ticks = 0;
        char stack[64];
        size_t depth = 0;
        bool paused = false;

        for (const char *at = script; *at; at++) {
            char path[64];
            if (isalpha((unsigned char)*at))
                stack[depth++] = (char)tolower((unsigned char)*at);
            else if (strchr(")!]", *at))
                depth--;
            else if (*at != '.')
                paused = *at == '<';
            if (depth == 0 || paused || *at != '.')
                continue;
            path_of(stack, depth, path);
            struct pt_call_node *node = (struct pt_call_node *)(uintptr_t)node_at(tree, path);
            cr_assert_gt(node->self_ns, 0, "%s: too little time at %s", script, path);
            node->self_ns--;
            ticks++;
        }
        for (uint32_t i = 0; i < tree->count; i++)
            cr_assert_eq(tree->nodes[i].self_ns, 0, "%s: too much time at node %u", script, i);
        cr_assert_geq(tree->nodes[0].total_ns, ticks);
        pt_call_tree_free(tree);
    }
}
