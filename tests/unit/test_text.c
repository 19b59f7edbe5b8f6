/* What may come out of a trace and what of it reaches a terminal. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "text.h"

static void check_escape(const char *bytes, size_t size, const char *expected)
{
    struct pt_buffer out = {0};
    cr_assert_eq(pt_text_escape(&out, bytes, size), PT_OK);
    cr_assert_eq(out.size, strlen(expected), "'%s' → '%.*s'", expected, (int)out.size, (const char *)out.data);
    cr_assert_arr_eq(out.data, expected, out.size);
    pt_buffer_release(&out);
}

#define CHECK_ESCAPE(text, expected) check_escape(text, sizeof text - 1, expected)

Test(text, printable_text_is_unchanged)
{
    CHECK_ESCAPE("Encoder.<locals>.größe_日本_🐍", "Encoder.<locals>.größe_日本_🐍");
}

Test(text, controls_are_shown)
{
    CHECK_ESCAPE("a\x1b[31mb", "a\\x1b[31mb");
    CHECK_ESCAPE("\n\r\t\0\x7f", "\\x0a\\x0d\\x09\\x00\\x7f");
    CHECK_ESCAPE("\xc2\x9b"
                 "31m",
                 "\\x9b31m");
}

Test(text, what_is_no_utf8_is_shown_byte_by_byte)
{
    CHECK_ESCAPE("\xff\xfe", "\\xff\\xfe");
    CHECK_ESCAPE("\xc0\x80", "\\xc0\\x80");                   /* not the shortest form */
    CHECK_ESCAPE("\xed\xa0\x80", "\\xed\\xa0\\x80");          /* a surrogate */
    CHECK_ESCAPE("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* beyond U+10FFFF */
    CHECK_ESCAPE("\xe6\x97", "\\xe6\\x97");                   /* cut off */
}

Test(text, what_hides_or_reorders_text_is_shown)
{
    CHECK_ESCAPE("a\u202eb", "a\\u202eb");
    CHECK_ESCAPE("\ufeff\u2028", "\\ufeff\\u2028");
    CHECK_ESCAPE("\U000e0041", "\\U000e0041");
}

/* Whatever goes in, what comes out is well-formed and without controls: escaping it again changes nothing. */
Test(text, escaping_is_final)
{
    unsigned seed = 7;
    for (int round = 0; round < 2000; round++) {
        char bytes[40];
        struct pt_buffer once = {0}, twice = {0};
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1103515245u + 12345u;
            bytes[i] = (char)(seed >> 16);
        }
        cr_assert_eq(pt_text_escape(&once, bytes, sizeof bytes), PT_OK);
        cr_assert_eq(pt_text_escape(&twice, (const char *)once.data, once.size), PT_OK);
        cr_assert_eq(once.size, twice.size);
        cr_assert_arr_eq(once.data, twice.data, once.size);
        pt_buffer_release(&once);
        pt_buffer_release(&twice);
    }
}

Test(text, width_counts_columns)
{
    static const struct {
        const char *text;
        size_t width;
    } cases[] = {
        {"", 0},        {"abc", 3}, {"39.5 µs", 7}, {"日本", 4},
        {"e\u0301", 1}, {"🐍", 2},   {"├─ └─", 5},   {"\x1b[0;31mred\x1b[0m", 3},
        {"ｆ", 2},      {"↻ …", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert_eq(pt_text_width(cases[i].text, strlen(cases[i].text)), cases[i].width, "%s", cases[i].text);
}

Test(text, fit_never_splits_a_character_and_never_exceeds)
{
    const char text[] = "a日\x1b[1mb\u0301c";
    for (size_t columns = 0; columns < 8; columns++) {
        size_t bytes = pt_text_fit(text, strlen(text), columns);
        cr_assert_leq(pt_text_width(text, bytes), columns);
        cr_assert_neq((unsigned char)text[bytes] & 0xC0, 0x80);
    }
    cr_assert_eq(pt_text_fit(text, strlen(text), 2), 1);
    cr_assert_eq(pt_text_fit(text, strlen(text), 5), strlen(text));
}

static void check_function(struct pt_function function, enum pt_text_paths paths, const char *expected)
{
    struct pt_buffer out = {0};
    cr_assert_eq(pt_text_function(&out, &function, paths), PT_OK);
    cr_assert_eq(out.size, strlen(expected), "'%s' → '%.*s'", expected, (int)out.size, (const char *)out.data);
    cr_assert_arr_eq(out.data, expected, out.size);
    pt_buffer_release(&out);
}

Test(text, functions)
{
    struct pt_function python = {.kind = PT_NAME_PYTHON,
                                 .module = "json.encoder",
                                 .qualname = "Encoder.encode",
                                 .file = "/usr/lib/json/encoder.py",
                                 .line = 12,
                                 .label = "encoder.py:12(encode)"};
    struct pt_function compress = {
        .kind = PT_NAME_C, .module = "zlib", .qualname = "compress", .file = "", .label = "<built-in zlib.compress>"};
    struct pt_function append = {.kind = PT_NAME_C, .module = "builtins", .qualname = "list.append", .file = ""};
    struct pt_function homeless = {.kind = PT_NAME_PYTHON, .module = "", .qualname = "<lambda>", .file = ""};
    struct pt_function hostile = {.kind = PT_NAME_C, .module = "\x1b", .qualname = "\n", .file = ""};

    check_function(python, PT_TEXT_PATHS_MODULE, "json.encoder:Encoder.encode");
    check_function(python, PT_TEXT_PATHS_SHORT, "encoder.py:12 Encoder.encode");
    check_function(python, PT_TEXT_PATHS_FULL, "/usr/lib/json/encoder.py:12 Encoder.encode");
    check_function(compress, PT_TEXT_PATHS_FULL, "{zlib.compress}");
    check_function(append, PT_TEXT_PATHS_MODULE, "{list.append}");
    check_function(homeless, PT_TEXT_PATHS_SHORT, "<lambda>");
    check_function(hostile, PT_TEXT_PATHS_MODULE, "{\\x1b.\\x0a}");
}
