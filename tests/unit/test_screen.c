/* Where results go, seen through the files that they end up in. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"

TestSuite(screen, .init = output_begin, .fini = output_end);

static void write_file(const char *text)
{
    FILE *file = fopen(output_path, "w");
    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

Test(screen, a_file_appears_whole_at_the_end)
{
    struct pt_screen *screen = output_open((struct pt_screen_settings){0});
    pt_screen_put(screen, "one\n");
    pt_screen_printf(screen, "%s %d\n", "two", 2);
    cr_assert_neq(access(output_path, F_OK), 0);
    cr_assert_eq(pt_screen_close(screen, true, NULL), PT_OK);
    output_check("one\ntwo 2\n");
}

Test(screen, a_run_that_failed_leaves_nothing)
{
    struct pt_screen *screen = output_open((struct pt_screen_settings){0});
    pt_screen_put(screen, "half\n");
    cr_assert_eq(pt_screen_close(screen, false, NULL), PT_OK);
    cr_assert_neq(access(output_path, F_OK), 0);
}

Test(screen, an_existing_file_is_kept_unless_forced)
{
    struct pt_screen *screen;
    struct pt_error error;
    struct pt_screen_settings settings = {.output = output_path};
    write_file("precious");
    cr_assert_eq(pt_screen_open(&screen, &settings, &error), PT_MISUSE);
    cr_assert_not_null(strstr(error.text, output_path));
    output_check("precious");

    screen = output_open((struct pt_screen_settings){.force = true});
    pt_screen_put(screen, "new");
    output_check("precious");
    cr_assert_eq(pt_screen_close(screen, true, NULL), PT_OK);
    output_check("new");
}

Test(screen, a_file_that_appears_meanwhile_is_kept)
{
    struct pt_screen *screen = output_open((struct pt_screen_settings){0});
    struct pt_error error;
    pt_screen_put(screen, "mine");
    write_file("theirs");
    cr_assert_eq(pt_screen_close(screen, true, &error), PT_MISUSE);
    output_check("theirs");
}

Test(screen, files_have_the_permissions_that_umask_says)
{
    struct stat status;
    umask(027);
    cr_assert_eq(pt_screen_close(output_open((struct pt_screen_settings){0}), true, NULL), PT_OK);
    cr_assert_eq(stat(output_path, &status), 0);
    cr_assert_eq(status.st_mode & 0777, 0640);
}

Test(screen, lines_are_cut_where_asked)
{
    struct pt_screen *screen = output_open((struct pt_screen_settings){.width_given = true, .width = 6});
    pt_screen_put(screen, "123456\n1234567\n日本語日本語\n");
    pt_screen_put(screen, "1234");
    pt_screen_put(screen, "5678\n");
    cr_assert_eq(pt_screen_close(screen, true, NULL), PT_OK);
    output_check("123456\n12345…\n日本…\n12345…\n");
}

Test(screen, colour_takes_no_columns_and_does_not_leak_out_of_a_cut_line)
{
    struct pt_screen *screen =
        output_open((struct pt_screen_settings){.width_given = true, .width = 4, .color = PT_SCREEN_COLOR_ALWAYS});
    pt_screen_style(screen, PT_SCREEN_HOT);
    pt_screen_put(screen, "12");
    pt_screen_style(screen, PT_SCREEN_PLAIN);
    pt_screen_put(screen, "34\n");
    pt_screen_put(screen, "12345");
    pt_screen_style(screen, PT_SCREEN_WARN);
    pt_screen_put(screen, "6");
    pt_screen_style(screen, PT_SCREEN_PLAIN);
    pt_screen_put(screen, "\n");
    cr_assert_eq(pt_screen_close(screen, true, NULL), PT_OK);
    output_check("\x1b[0;31m12\x1b[0m34\n123…\x1b[0m\n");
}

Test(screen, data_is_never_coloured_nor_cut)
{
    struct pt_screen *screen = output_open(
        (struct pt_screen_settings){.data = true, .width_given = true, .width = 4, .color = PT_SCREEN_COLOR_ALWAYS});
    pt_screen_style(screen, PT_SCREEN_HOT);
    pt_screen_put(screen, "123456789\n");
    cr_assert_eq(pt_screen_close(screen, true, NULL), PT_OK);
    output_check("123456789\n");
}

Test(screen, a_full_disk_is_told)
{
    struct pt_screen *screen;
    struct pt_error error;
    struct pt_screen_settings settings = {.output = "/dev/full"};
    cr_assert_eq(pt_screen_open(&screen, &settings, &error), PT_OK);
    pt_screen_put(screen, "text\n");
    cr_assert_eq(pt_screen_close(screen, true, &error), PT_IO);
    cr_assert_not_null(strstr(error.text, "/dev/full"));
}

Test(screen, a_reader_that_left_is_a_quiet_end)
{
    struct pt_screen *screen;
    struct pt_error error;
    struct pt_screen_settings settings = {0};
    char line[1000];
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
    close(ends[0]);
    cr_assert_eq(pt_screen_open(&screen, &settings, &error), PT_OK);
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < 1000 && !pt_screen_gone(screen); i++)
        pt_screen_write(screen, line, sizeof line);
    cr_assert(pt_screen_gone(screen));
    cr_assert_eq(pt_screen_close(screen, true, &error), PT_OK);
}

Test(screen, a_directory_that_is_not_there)
{
    struct pt_screen *screen;
    struct pt_error error;
    struct pt_screen_settings settings = {.output = "/nowhere/at/all/out.txt"};
    cr_assert_eq(pt_screen_open(&screen, &settings, &error), PT_IO);
    cr_assert_not_null(strstr(error.text, "/nowhere/at/all/out.txt"));
}
