/* Patterns over functions. */
#include <criterion/criterion.h>
#include <string.h>

#include "filter.h"

static const struct pt_function encode = {
    .kind = PT_NAME_PYTHON,
    .module = "json.encoder",
    .qualname = "Encoder.encode",
    .file = "/srv/app/json/encoder.py",
    .line = 12,
    .label = "/srv/app/json/encoder.py:12(encode)",
};
static const struct pt_function compress = {
    .kind = PT_NAME_C,
    .module = "zlib",
    .qualname = "compress",
    .file = "",
    .label = "<built-in method zlib.compress>",
};

static bool matches(enum pt_filter_bit bit, const char *pattern, const struct pt_function *function)
{
    struct pt_filter *filter;
    struct pt_error error;
    unsigned bits;
    cr_assert_eq(pt_filter_new(&filter), PT_OK);
    cr_assert_eq(pt_filter_add(filter, bit, "--option", pattern, &error), PT_OK);
    cr_assert_eq(pt_filter_bits(filter), bit);
    cr_assert_eq(pt_filter_match(filter, function, &bits), PT_OK);
    cr_assert(bits == 0 || bits == bit);
    pt_filter_free(filter);
    return bits != 0;
}

Test(filter, names_as_they_are_shown)
{
    cr_assert(matches(PT_FILTER_FOCUS, "^json.encoder:Encoder", &encode));
    cr_assert(matches(PT_FILTER_MATCH, "^\\{zlib\\.compress\\}$", &compress));
}

Test(filter, the_qualified_name_alone_can_be_anchored)
{
    cr_assert(matches(PT_FILTER_MATCH, "^Encoder\\.encode$", &encode));
    cr_assert(matches(PT_FILTER_MATCH, "^compress$", &compress));
    cr_assert_not(matches(PT_FILTER_MATCH, "^encode$", &encode));
}

Test(filter, extended_expressions)
{
    cr_assert(matches(PT_FILTER_HIDE, "(en|de)code", &encode));
    cr_assert_not(matches(PT_FILTER_HIDE, "(en|de)code", &compress));
}

Test(filter, files_and_labels_count_but_not_for_the_operand)
{
    cr_assert(matches(PT_FILTER_IGNORE, "/srv/app/", &encode));
    cr_assert(matches(PT_FILTER_IGNORE, "encoder.py:12", &encode));
    cr_assert_not(matches(PT_FILTER_MATCH, "/srv/app/", &encode));
    cr_assert(matches(PT_FILTER_MATCH, "built-in method zlib", &compress));
}

Test(filter, several_patterns)
{
    struct pt_filter *filter;
    struct pt_error error;
    unsigned bits;
    cr_assert_eq(pt_filter_new(&filter), PT_OK);
    cr_assert_eq(pt_filter_bits(filter), 0);
    cr_assert_eq(pt_filter_match(filter, &encode, &bits), PT_OK);
    cr_assert_eq(bits, 0);
    cr_assert_eq(pt_filter_add(filter, PT_FILTER_FOCUS, "--focus", "zlib", &error), PT_OK);
    cr_assert_eq(pt_filter_add(filter, PT_FILTER_FOCUS, "--focus", "json", &error), PT_OK);
    cr_assert_eq(pt_filter_add(filter, PT_FILTER_ROOT, "--root", "Encoder", &error), PT_OK);
    cr_assert_eq(pt_filter_match(filter, &encode, &bits), PT_OK);
    cr_assert_eq(bits, PT_FILTER_FOCUS | PT_FILTER_ROOT);
    cr_assert_eq(pt_filter_match(filter, &compress, &bits), PT_OK);
    cr_assert_eq(bits, PT_FILTER_FOCUS);
    pt_filter_free(filter);
}

Test(filter, a_bad_expression_is_named)
{
    struct pt_filter *filter;
    struct pt_error error;
    cr_assert_eq(pt_filter_new(&filter), PT_OK);
    cr_assert_eq(pt_filter_add(filter, PT_FILTER_FOCUS, "--focus", "a(", &error), PT_MISUSE);
    cr_assert_not_null(strstr(error.text, "--focus 'a('"));
    cr_assert_eq(pt_filter_bits(filter), 0);
    pt_filter_free(filter);
}
