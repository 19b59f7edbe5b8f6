/* Which word is proposed for a mistyped one. */
#include <criterion/criterion.h>

#include "suggest.h"

static const char *const words[] = {"top", "tree", "callers", "callees", "threads", "info", "check", "dump"};

static const char *nearest(const char *typed)
{
    const char *word = pt_suggest_nearest(typed, words, sizeof words / sizeof words[0]);
    return word ? word : "";
}

Test(suggest, typing_errors_find_their_word)
{
    cr_assert_str_eq(nearest("tpo"), "top");
    cr_assert_str_eq(nearest("treee"), "tree");
    cr_assert_str_eq(nearest("theads"), "threads");
    cr_assert_str_eq(nearest("chekc"), "check");
    cr_assert_str_eq(nearest("calees"), "callees");
}

Test(suggest, a_beginning_finds_its_word)
{
    cr_assert_str_eq(nearest("thr"), "threads");
    cr_assert_str_eq(nearest("caller"), "callers");
}

Test(suggest, what_is_far_from_all_finds_nothing)
{
    cr_assert_str_eq(nearest("profile"), "");
    cr_assert_str_eq(nearest("x"), "");
    cr_assert_str_eq(nearest(""), "");
    cr_assert_str_eq(nearest("a-text-much-longer-than-any-option-could-ever-reasonably-be"), "");
}
