/* JSON and CSV, seen through the files that they end up in. */
#include <criterion/criterion.h>

#include "csv.h"
#include "json.h"
#include "output.h"

TestSuite(data_output, .init = output_begin, .fini = output_end);

static struct pt_screen *open_screen(void)
{
    return output_open((struct pt_screen_settings){.force = true, .data = true});
}

static void close_and_check(struct pt_screen *screen, const char *expected)
{
    struct pt_error error;
    cr_assert_eq(pt_screen_close(screen, true, &error), PT_OK, "%s", error.text);
    output_check(expected);
}

static void check_csv(const char *text, const char *expected)
{
    struct pt_csv csv = {.screen = open_screen()};
    pt_csv_text(&csv, text);
    close_and_check(csv.screen, expected);
}

static void check_json(const char *text, const char *expected)
{
    struct pt_json json;
    struct pt_screen *screen = open_screen();
    pt_json_init(&json, screen);
    pt_json_text(&json, text);
    close_and_check(screen, expected);
}

Test(data_output, csv_puts_commas_between_values_and_none_around_them)
{
    struct pt_csv csv = {.screen = open_screen()};
    pt_csv_text(&csv, "a");
    pt_csv_empty(&csv);
    pt_csv_uint(&csv, UINT64_MAX);
    pt_csv_line(&csv);
    pt_csv_empty(&csv);
    pt_csv_text(&csv, "b");
    pt_csv_line(&csv);
    close_and_check(csv.screen, "a,,18446744073709551615\n,b\n");
}

Test(data_output, csv_quotes_what_would_break_a_line_or_a_value)
{
    check_csv("plain text", "plain text");
    check_csv("a,b", "\"a,b\"");
    check_csv("a\nb\r", "\"a\nb\r\"");
    check_csv("say \"hi\"", "\"say \"\"hi\"\"\"");
}

Test(data_output, csv_is_utf8_whatever_the_text_is)
{
    check_csv("na\xC3\xAFve \xF0\x9F\x90\x8D", "na\xC3\xAFve \xF0\x9F\x90\x8D");
    check_csv("a\xFF\"b\xC3", "\"a\xEF\xBF\xBD\"\"b\xEF\xBF\xBD\"");
    check_csv("\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"); /* a surrogate */
}

Test(data_output, json_escapes_what_it_must)
{
    check_json("a\"b\\c\nd\te\x7F", "\"a\\\"b\\\\c\\nd\\u0009e\\u007f\"");
    check_json("na\xC3\xAFve \xF0\x9F\x90\x8D", "\"na\xC3\xAFve \xF0\x9F\x90\x8D\"");
    check_json("a\xFF\xC0\x80", "\"a\\ufffd\\ufffd\\ufffd\"");
}

Test(data_output, json_keeps_commas_and_nesting_right)
{
    struct pt_json json;
    struct pt_screen *screen = open_screen();
    pt_json_init(&json, screen);
    pt_json_open(&json, '{', false);
    pt_json_key(&json, "list");
    pt_json_open(&json, '[', false);
    pt_json_uint(&json, 0);
    pt_json_open(&json, '{', false);
    pt_json_close(&json, '}');
    pt_json_null(&json);
    pt_json_close(&json, ']');
    pt_json_put_bool(&json, "last", true);
    pt_json_close(&json, '}');
    pt_json_end(&json);
    close_and_check(screen, "{\"list\": [0, {}, null], \"last\": true}\n");
}
