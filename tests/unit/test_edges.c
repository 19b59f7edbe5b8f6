/* Callers and callees, against small cases, and against a model that looks at every single tick. */
#include <criterion/criterion.h>

#include "edges.h"
#include "step_script.h"

/* `chosen`: letters. */
static struct pt_edges *edges_of(const char *script, const char *chosen)
{
    struct pt_edges *edges;
    size_t count;
    struct pt_step *steps = step_script(script, &count);
    uint8_t flags[STEP_SCRIPT_FUNCTIONS] = {0};

    for (; *chosen; chosen++)
        flags[*chosen - 'a'] = PT_FILTER_MATCH;
    cr_assert_eq(pt_edges_new(&edges, flags, STEP_SCRIPT_FUNCTIONS), PT_OK);
    pt_edges_begin(edges, 1.0);
    cr_assert_eq(pt_edges_add(edges, steps, count), PT_OK);
    pt_edges_finish(edges);
    free(steps);
    return edges;
}

/* `other`: a letter, or '-' for nobody. */
static const struct pt_edge *edge(const struct pt_edge_list *list, uint32_t chosen, char other)
{
    static const struct pt_edge none;
    uint32_t function = other == '-' ? PT_EDGES_NOBODY : (uint32_t)(other - 'a');
    for (uint32_t i = 1; i < list->count; i++)
        if (list->edges[i].chosen == chosen && list->edges[i].other == function)
            return &list->edges[i];
    return &none;
}

static void check_edge(const struct pt_edge *edge, uint64_t calls, uint64_t ns)
{
    cr_assert_eq(edge->calls, calls);
    cr_assert_eq(edge->ns, ns);
}

Test(edges, time_is_split_among_callers_and_among_self_and_callees)
{
    struct pt_edges *edges = edges_of("a.c.d..))b.c...)d.).", "c");
    const struct pt_edges_function *c = &edges->functions[0];
    cr_assert_eq(edges->function_count, 1);
    cr_assert_eq(c->calls, 2);
    cr_assert_eq(c->self_ns, 4);
    cr_assert_eq(c->total_ns, 6);
    check_edge(edge(&edges->callers, 0, 'a'), 1, 3);
    check_edge(edge(&edges->callers, 0, 'b'), 1, 3);
    check_edge(edge(&edges->callees, 0, 'd'), 1, 2);
    pt_edges_free(edges);
}

Test(edges, an_outermost_function_is_called_by_nobody)
{
    struct pt_edges *edges = edges_of("a..)", "a");
    check_edge(edge(&edges->callers, 0, '-'), 1, 2);
    pt_edges_free(edges);
}

Test(edges, recursion_counts_calls_but_its_time_once)
{
    struct pt_edges *edges = edges_of("b.a.a.c.)).)).", "a");
    const struct pt_edges_function *a = &edges->functions[0];
    cr_assert_eq(a->calls, 2);
    cr_assert_eq(a->primitive, 1);
    cr_assert_eq(a->recursion, 2);
    cr_assert_eq(a->total_ns, 4);
    cr_assert_eq(a->self_ns, 3);
    check_edge(edge(&edges->callers, 0, 'b'), 1, 4);
    check_edge(edge(&edges->callers, 0, 'a'), 1, 0);
    check_edge(edge(&edges->callees, 0, 'a'), 1, 0);
    check_edge(edge(&edges->callees, 0, 'c'), 1, 1);
    pt_edges_free(edges);
}

Test(edges, indirect_recursion_gives_time_to_what_the_innermost_activation_runs)
{
    struct pt_edges *edges = edges_of("a.b.a.c.)).)).", "a");
    cr_assert_eq(edges->functions[0].self_ns, 2);
    cr_assert_eq(edges->functions[0].total_ns, 5);
    check_edge(edge(&edges->callees, 0, 'b'), 1, 2);
    check_edge(edge(&edges->callees, 0, 'c'), 1, 1);
    check_edge(edge(&edges->callers, 0, 'b'), 1, 0);
    pt_edges_free(edges);
}

Test(edges, a_stall_is_total_but_not_self_time)
{
    struct pt_edges *edges = edges_of("a.<..>.b<.>))", "a");
    cr_assert_eq(edges->functions[0].self_ns, 2);
    cr_assert_eq(edges->functions[0].other_ns, 2);
    cr_assert_eq(edges->functions[0].total_ns, 5);
    check_edge(edge(&edges->callees, 0, 'b'), 1, 1);
    pt_edges_free(edges);
}

/* --- The model -------------------------------------------------------------------------------------------------------- */

struct model {
    uint64_t self, total;
    uint64_t callers[STEP_SCRIPT_FUNCTIONS + 1];
    uint64_t callees[STEP_SCRIPT_FUNCTIONS];
};

/* Gives one tick away by the words of edges.h. */
static void model_tick(struct model *model, const char *stack, size_t depth, char chosen, bool paused)
{
    size_t outermost = 0, innermost = depth;
    while (outermost < depth && stack[outermost] != chosen)
        outermost++;
    if (outermost == depth)
        return;
    while (stack[innermost - 1] != chosen)
        innermost--;
    model->total++;
    model->callers[outermost ? stack[outermost - 1] - 'a' : STEP_SCRIPT_FUNCTIONS]++;
    if (innermost < depth)
        model->callees[stack[innermost] - 'a']++;
    else if (!paused)
        model->self++;
}

Test(edges, agree_with_a_model_that_looks_at_every_tick)
{
    for (unsigned seed = 1; seed <= 200; seed++) {
        char script[120];
        step_script_random(script, sizeof script, seed, 4);
        struct pt_edges *edges = edges_of(script, "abc");
        struct model models[3] = {0};
        char stack[120];
        size_t depth = 0;
        bool paused = false;

        for (const char *at = script; *at; at++) {
            if (isalpha((unsigned char)*at))
                stack[depth++] = (char)tolower((unsigned char)*at);
            else if (strchr(")!]", *at))
                depth--;
            else if (*at != '.')
                paused = *at == '<';
            for (int i = 0; i < 3 && *at == '.'; i++)
                model_tick(&models[i], stack, depth, (char)('a' + i), paused);
        }
        for (uint32_t i = 0; i < 3; i++) {
            cr_assert_eq(edges->functions[i].self_ns, models[i].self, "%s: self of %c", script, 'a' + (int)i);
            cr_assert_eq(edges->functions[i].total_ns, models[i].total, "%s: total of %c", script, 'a' + (int)i);
            cr_assert_eq(edge(&edges->callers, i, '-')->ns, models[i].callers[STEP_SCRIPT_FUNCTIONS]);
            for (int other = 0; other < 4; other++) {
                cr_assert_eq(edge(&edges->callers, i, (char)('a' + other))->ns, models[i].callers[other]);
                cr_assert_eq(edge(&edges->callees, i, (char)('a' + other))->ns, models[i].callees[other]);
            }
        }
        pt_edges_free(edges);
    }
}
