#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "options.h"

static struct pt_options options;
static struct pt_error error;

/* Parses words with single spaces between them. */
static enum pt_status parse(const char *line)
{
    static char copy[256];
    char *words[32];
    int count = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        words[count++] = word;
    error = (struct pt_error){.text = ""};
    return pt_options_parse(&options, count, words, &error);
}

#define ASSERT_COMMAND(line, command_name)                                                                             \
    do {                                                                                                               \
        cr_assert_eq(parse(line), PT_OK, "%s: %s", line, error.text);                                                  \
        cr_assert_str_eq(options.command->name, command_name);                                                         \
    } while (0)

#define ASSERT_WRONG(line, piece)                                                                                      \
    do {                                                                                                               \
        cr_assert_eq(parse(line), PT_MISUSE, "%s", line);                                                              \
        cr_assert(strstr(error.text, piece), "%s: %s", line, error.text);                                              \
        pt_options_release(&options);                                                                                  \
    } while (0)

Test(options, the_plain_form_is_top)
{
    ASSERT_COMMAND("/a.bin /b.bin --top 50", "top");
    cr_assert_eq(options.trace_count, 2);
    cr_assert_str_eq(options.traces[1], "/b.bin");
    cr_assert_eq(options.top, 50);
    pt_options_release(&options);
}

Test(options, values_may_be_joined)
{
    static const char *const lines[] = {"/a.bin -n5", "/a.bin -n 5", "/a.bin --top=5", "--top 5 /a.bin", "-qn5 /a.bin"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        ASSERT_COMMAND(lines[i], "top");
        cr_assert_eq(options.top, 5);
        cr_assert_eq(options.trace_count, 1);
        pt_options_release(&options);
    }
}

Test(options, an_operand_comes_before_the_traces)
{
    ASSERT_COMMAND("callers flush$ /a.bin", "callers");
    cr_assert_str_eq(options.operand, "flush$");
    cr_assert_eq(options.trace_count, 1);
    cr_assert_str_eq(options.traces[0], "/a.bin");
    pt_options_release(&options);
    ASSERT_WRONG("callers", "callers needs RE and a trace");
    ASSERT_WRONG("callers flush", "no trace given");
}

Test(options, everything_behind_two_dashes_is_an_operand)
{
    ASSERT_COMMAND("callees -- -x /a.bin", "callees");
    cr_assert_str_eq(options.operand, "-x");
    pt_options_release(&options);
}

Test(options, help_needs_no_trace)
{
    cr_assert_eq(parse("--help"), PT_OK);
    cr_assert(options.help);
    cr_assert_null(options.command);
    pt_options_release(&options);
    ASSERT_COMMAND("tree --help", "tree");
    pt_options_release(&options);
}

Test(options, ranges)
{
    cr_assert_eq(parse("/a.bin -r 1.5~50%"), PT_OK);
    cr_assert_eq(pt_bound_ns(&options.from, 4000000000, 0), 1500000000);
    cr_assert_eq(pt_bound_ns(&options.to, 4000000000, 0), 2000000000);
    pt_options_release(&options);
    cr_assert_eq(parse("/a.bin --range ~20ms"), PT_OK);
    cr_assert_eq(pt_bound_ns(&options.from, 1000, 7), 7);
    cr_assert_eq(pt_bound_ns(&options.to, 1000, 7), 20000000);
    pt_options_release(&options);
    ASSERT_WRONG("/a.bin -r 5", "a range is needed");
    ASSERT_WRONG("/a.bin -r ~", "a range is needed");
    ASSERT_WRONG("/a.bin -r 2~1", "the range is empty");
    ASSERT_WRONG("/a.bin -r 1~200%", "a range is needed");
}

Test(options, serial_numbers)
{
    cr_assert_eq(parse("/a.bin --tid 1,4-6"), PT_OK);
    static const bool chosen[] = {false, true, false, false, true, true, true, false};
    for (uint64_t serial = 0; serial < sizeof chosen / sizeof chosen[0]; serial++)
        cr_assert_eq(pt_serials_contain(&options.tids, serial), chosen[serial]);
    cr_assert(pt_serials_contain(&options.pids, 3));
    pt_options_release(&options);
    ASSERT_WRONG("/a.bin --tid 1,", "a number is needed");
    ASSERT_WRONG("/a.bin --tid 1;2", "a list of numbers");
}

Test(options, a_comparison_has_two_sides)
{
    ASSERT_COMMAND("diff /a.bin /b.bin", "diff");
    cr_assert_eq(options.base_count, 1);
    pt_options_release(&options);
    ASSERT_COMMAND("diff --new /n1 --base /b1 /b2 -n 5 /b3 --new /n2", "diff");
    static const char *const traces[] = {"/b1", "/b2", "/b3", "/n1", "/n2"};
    cr_assert_eq(options.trace_count, 5);
    cr_assert_eq(options.base_count, 3);
    for (size_t i = 0; i < 5; i++)
        cr_assert_str_eq(options.traces[i], traces[i]);
    pt_options_release(&options);
    ASSERT_WRONG("diff /a.bin", "two traces");
    ASSERT_WRONG("diff /a.bin /b.bin /c.bin", "two traces");
    ASSERT_WRONG("diff --base /a.bin", "behind --new");
    ASSERT_WRONG("diff --new /a.bin", "behind --base");
    ASSERT_WRONG("diff /a.bin --base /b.bin --new /c.bin", "'/a.bin' stands before --base");
    ASSERT_WRONG("top --base /b.bin", "for diff");
    ASSERT_WRONG("top --by path /b.bin", "for diff");
    ASSERT_WRONG("top --map a=b /b.bin", "for diff");
    ASSERT_WRONG("diff /a.bin /b.bin --map ab", "two functions are needed");
    ASSERT_WRONG("diff /a.bin /b.bin --by file", "by function or by path");
}

Test(options, mistakes_are_named)
{
    ASSERT_WRONG("/a.bin --tpo 5", "unknown option --tpo; did you mean --top?");
    ASSERT_WRONG("/a.bin -y", "unknown option -y");
    ASSERT_WRONG("/a.bin --top", "--top needs a value");
    ASSERT_WRONG("/a.bin --top five", "--top 'five': a number is needed");
    ASSERT_WRONG("/a.bin --top 99999999999999999999", "too great");
    ASSERT_WRONG("/a.bin --force=yes", "--force takes no value");
    ASSERT_WRONG("/a.bin --format xml", "choose table, csv or json");
    ASSERT_WRONG("/a.bin --py --c", "exclude each other");
    ASSERT_WRONG("thraeds /a.bin", "did you mean threads?");
    ASSERT_WRONG("", "no trace given");
    ASSERT_WRONG("top", "no trace given");
}
