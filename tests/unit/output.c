#include "output.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char output_path[64];
static char directory[] = "/tmp/pytrace-output-XXXXXX";

void output_begin(void)
{
    cr_assert_not_null(mkdtemp(directory));
    snprintf(output_path, sizeof output_path, "%s/out", directory);
}

void output_end(void)
{
    unlink(output_path);
    cr_assert_eq(rmdir(directory), 0);
}

struct pt_screen *output_open(struct pt_screen_settings settings)
{
    struct pt_screen *screen;
    struct pt_error error;
    settings.output = output_path;
    cr_assert_eq(pt_screen_open(&screen, &settings, &error), PT_OK, "%s", error.text);
    return screen;
}

void output_check(const char *expected)
{
    char text[512];
    FILE *file = fopen(output_path, "r");
    cr_assert_not_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    cr_assert_str_eq(text, expected);
}
