/* Greenlets of one thread are to whoever takes steps what threads are: each has its own stack, and time passes for the
 * one that runs. So the sums over greenlets that take turns are those over the same calls, one greenlet after another. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "call_tree.h"
#include "edges.h"
#include "step_script.h"
#include "stream_filter.h"
#include "tally.h"

enum { GREENLETS = 5, FUNCTIONS = 4, SCRIPT_MAX = 400, SEEDS = 60 };

struct turns {
    char scripts[GREENLETS][SCRIPT_MAX];
    struct pt_step *apart[GREENLETS]; /* steps of each */
    size_t apart_count[GREENLETS];
    struct pt_step *together; /* the same, taking turns */
    size_t together_count;
};

/* All scripts as one: a random number of characters from one, then a switch to another. */
static void interleave(const struct turns *turns, unsigned seed, char *out)
{
    const char *at[GREENLETS];
    int left = GREENLETS, now = 0;
    for (int i = 0; i < GREENLETS; i++)
        at[i] = turns->scripts[i];
    while (left > 0) {
        seed = seed * 1103515245u + 12345u;
        for (unsigned some = seed >> 16 & 15; some > 0 && *at[now]; some--)
            *out++ = *at[now]++;
        if (out[-1] == '<' && *at[now] == '.') /* a stall is told as a whole */
            *out++ = *at[now]++;
        if (out[-1] == '.' && *at[now] == '>')
            *out++ = *at[now]++;
        left = 0;
        for (int i = 0; i < GREENLETS; i++)
            left += *at[i] != '\0';
        now = (int)((seed >> 20) % GREENLETS);
        *out++ = (char)('0' + now);
    }
    *out++ = '0';
    *out = '\0';
}

static void make_turns(struct turns *turns, unsigned seed)
{
    char together[GREENLETS * SCRIPT_MAX * 12] = "0";
    *turns = (struct turns){0};
    for (int i = 0; i < GREENLETS; i++) {
        step_script_random(turns->scripts[i], SCRIPT_MAX, seed * GREENLETS + (unsigned)i, FUNCTIONS);
        turns->apart[i] = step_script(turns->scripts[i], &turns->apart_count[i]);
    }
    interleave(turns, seed, together + 1);
    turns->together = step_script(together, &turns->together_count);
}

static void release_turns(struct turns *turns)
{
    for (int i = 0; i < GREENLETS; i++)
        free(turns->apart[i]);
    free(turns->together);
}

/* --- Tally -------------------------------------------------------------------------------------------------------- */

static void check_tally(const struct pt_tally *one, const struct pt_tally *other)
{
    for (size_t i = 0; i < FUNCTIONS; i++) {
        const struct pt_tally_entry *a = &one->entries[i], *b = &other->entries[i];
        cr_assert_eq(a->self, b->self);
        cr_assert_eq(a->total, b->total);
        cr_assert_eq(a->calls, b->calls);
        cr_assert_eq(a->primitive, b->primitive);
        cr_assert_eq(a->raised, b->raised);
        cr_assert_eq(a->recursion, b->recursion);
        cr_assert_eq(a->active, 0);
        cr_assert_eq(pt_histogram_quantile(&a->durations, 0.5), pt_histogram_quantile(&b->durations, 0.5));
    }
}

Test(greenlet_steps, tally)
{
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        struct turns turns;
        struct pt_tally apart, together;
        make_turns(&turns, seed);
        cr_assert_eq(pt_tally_init(&apart, FUNCTIONS, 1.0), PT_OK);
        cr_assert_eq(pt_tally_init(&together, FUNCTIONS, 1.0), PT_OK);
        for (int i = 0; i < GREENLETS; i++)
            cr_assert_eq(pt_tally_add(&apart, turns.apart[i], turns.apart_count[i]), PT_OK);
        cr_assert_eq(pt_tally_add(&together, turns.together, turns.together_count), PT_OK);
        check_tally(&together, &apart);
        pt_tally_release(&apart);
        pt_tally_release(&together);
        release_turns(&turns);
    }
}

Test(greenlet_steps, a_call_lasts_as_long_as_its_greenlet_runs)
{
    struct pt_tally tally;
    size_t count;
    struct pt_step *steps = step_script("a..1b.c...0.1..)0.)1.)0", &count);
    cr_assert_eq(pt_tally_init(&tally, 3, 1.0), PT_OK);
    cr_assert_eq(pt_tally_add(&tally, steps, count), PT_OK);
    cr_expect_eq(tally.entries[0].total, 4);
    cr_expect_eq(tally.entries[1].total, 7);
    cr_expect_eq(tally.entries[1].self, 2);
    cr_expect_eq(tally.entries[2].total, 5);
    pt_tally_release(&tally);
    free(steps);
}

/* --- Call tree ---------------------------------------------------------------------------------------------------- */

static void check_children(const struct pt_call_tree *one, uint32_t a, const struct pt_call_tree *other, uint32_t b)
{
    for (uint32_t i = one->nodes[a].first_child; i; i = one->nodes[i].next_sibling) {
        uint32_t k = other->nodes[b].first_child;
        while (k && other->nodes[k].function != one->nodes[i].function)
            k = other->nodes[k].next_sibling;
        cr_assert(k, "a path is missing");
        cr_assert_eq(one->nodes[i].calls, other->nodes[k].calls);
        cr_assert_eq(one->nodes[i].primitive, other->nodes[k].primitive);
        cr_assert_eq(one->nodes[i].raised, other->nodes[k].raised);
        cr_assert_eq(one->nodes[i].recursion, other->nodes[k].recursion);
        cr_assert_eq(one->nodes[i].self_ns, other->nodes[k].self_ns);
        cr_assert_eq(one->nodes[i].other_ns, other->nodes[k].other_ns);
        cr_assert_eq(one->nodes[i].total_ns, other->nodes[k].total_ns);
        check_children(one, i, other, k);
    }
}

static void check_tree(unsigned seed, bool collapse)
{
    struct turns turns;
    struct pt_call_tree *apart, *together;
    make_turns(&turns, seed);
    cr_assert_eq(pt_call_tree_new(&apart, FUNCTIONS, collapse), PT_OK);
    cr_assert_eq(pt_call_tree_new(&together, FUNCTIONS, collapse), PT_OK);
    for (int i = 0; i < GREENLETS; i++) {
        cr_assert_eq(pt_call_tree_begin(apart, 3, 1.0), PT_OK);
        cr_assert_eq(pt_call_tree_add(apart, turns.apart[i], turns.apart_count[i]), PT_OK);
    }
    cr_assert_eq(pt_call_tree_begin(together, 3, 1.0), PT_OK);
    cr_assert_eq(pt_call_tree_add(together, turns.together, turns.together_count), PT_OK);
    pt_call_tree_finish(apart);
    pt_call_tree_finish(together);
    cr_assert_eq(together->count, apart->count);
    check_children(together, 0, apart, 0);
    pt_call_tree_free(apart);
    pt_call_tree_free(together);
    release_turns(&turns);
}

Test(greenlet_steps, call_tree)
{
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        check_tree(seed, true);
        check_tree(seed, false);
    }
}

/* --- Edges -------------------------------------------------------------------------------------------------------- */

static void check_list(const struct pt_edge_list *one, const struct pt_edge_list *other)
{
    cr_assert_eq(one->count, other->count);
    for (uint32_t i = 1; i < one->count; i++) {
        uint32_t k = 1;
        while (k < other->count &&
               (one->edges[i].chosen != other->edges[k].chosen || one->edges[i].other != other->edges[k].other))
            k++;
        cr_assert_lt(k, other->count, "an edge is missing");
        cr_assert_eq(one->edges[i].calls, other->edges[k].calls);
        cr_assert_eq(one->edges[i].ns, other->edges[k].ns);
    }
}

Test(greenlet_steps, edges)
{
    const uint8_t flags[FUNCTIONS] = {PT_FILTER_MATCH, 0, PT_FILTER_MATCH, 0};
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        struct turns turns;
        struct pt_edges *apart, *together;
        make_turns(&turns, seed);
        cr_assert_eq(pt_edges_new(&apart, flags, FUNCTIONS), PT_OK);
        cr_assert_eq(pt_edges_new(&together, flags, FUNCTIONS), PT_OK);
        for (int i = 0; i < GREENLETS; i++) {
            pt_edges_begin(apart, 1.0);
            cr_assert_eq(pt_edges_add(apart, turns.apart[i], turns.apart_count[i]), PT_OK);
        }
        pt_edges_begin(together, 1.0);
        cr_assert_eq(pt_edges_add(together, turns.together, turns.together_count), PT_OK);
        pt_edges_finish(apart);
        pt_edges_finish(together);
        for (uint32_t i = 0; i < together->function_count; i++) {
            cr_assert_eq(together->functions[i].calls, apart->functions[i].calls);
            cr_assert_eq(together->functions[i].primitive, apart->functions[i].primitive);
            cr_assert_eq(together->functions[i].recursion, apart->functions[i].recursion);
            cr_assert_eq(together->functions[i].self_ns, apart->functions[i].self_ns);
            cr_assert_eq(together->functions[i].other_ns, apart->functions[i].other_ns);
            cr_assert_eq(together->functions[i].total_ns, apart->functions[i].total_ns);
        }
        check_list(&together->callers, &apart->callers);
        check_list(&together->callees, &apart->callees);
        pt_edges_free(apart);
        pt_edges_free(together);
        release_turns(&turns);
    }
}

/* --- Filters ------------------------------------------------------------------------------------------------------ */

/* What a filter lets through, summed up. */
static void filtered(const struct pt_stream_view *view, uint64_t from, uint64_t to, const struct pt_step *steps,
                     size_t count, struct pt_tally *tally)
{
    struct pt_stream_filter filter = {0};
    const struct pt_input_trace origin = {.from_tick = from, .to_tick = to};
    pt_stream_filter_begin(&filter, view, &origin);
    cr_assert_eq(pt_stream_filter_run(&filter, steps, count), PT_OK);
    cr_assert_eq(pt_tally_add(tally, filter.steps, filter.step_count), PT_OK);
    cr_assert_eq(tally->depth, 0);
    pt_stream_filter_release(&filter);
}

Test(greenlet_steps, filters)
{
    const uint8_t flags[FUNCTIONS] = {PT_FILTER_FOCUS, PT_FILTER_IGNORE, PT_FILTER_HIDE | PT_FILTER_ROOT, 0};
    const unsigned kinds[] = {0,
                              PT_FILTER_FOCUS,
                              PT_FILTER_IGNORE,
                              PT_FILTER_HIDE,
                              PT_FILTER_ROOT,
                              PT_FILTER_FOCUS | PT_FILTER_IGNORE | PT_FILTER_HIDE};
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        const struct pt_stream_view view = {.filters = kinds[seed % 6], .flags = flags};
        struct turns turns;
        struct pt_tally apart, together;
        make_turns(&turns, seed);
        cr_assert_eq(pt_tally_init(&apart, FUNCTIONS, 1.0), PT_OK);
        cr_assert_eq(pt_tally_init(&together, FUNCTIONS, 1.0), PT_OK);
        for (int i = 0; i < GREENLETS; i++)
            filtered(&view, 0, UINT64_MAX, turns.apart[i], turns.apart_count[i], &apart);
        filtered(&view, 0, UINT64_MAX, turns.together, turns.together_count, &together);
        check_tally(&together, &apart);
        pt_tally_release(&apart);
        pt_tally_release(&together);
        release_turns(&turns);
    }
}

Test(greenlet_steps, a_range_closes_the_frames_of_all_greenlets)
{
    const struct pt_stream_view view = {0};
    struct pt_tally tally;
    size_t count;
    struct pt_step *steps = step_script("a..1b..2c..1..)2..)0..)0", &count); /* from tick 1000 on */
    cr_assert_eq(pt_tally_init(&tally, 3, 1.0), PT_OK);
    filtered(&view, 1001, 1005, steps, count, &tally);
    cr_expect_eq(tally.entries[0].total, 1);
    cr_expect_eq(tally.entries[1].total, 2);
    cr_expect_eq(tally.entries[2].total, 1);
    cr_expect_eq(tally.entries[0].active + tally.entries[1].active + tally.entries[2].active, 0);
    pt_tally_release(&tally);
    free(steps);
}
