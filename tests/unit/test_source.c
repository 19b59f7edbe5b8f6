/* Source is untrusted, and so is the path that leads to it. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source.h"

static char directory[] = "/tmp/pytrace-source-XXXXXX";
static char path[64];
static struct pt_source source;

static void begin(void)
{
    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/app.py", directory);
}

static void end(void)
{
    pt_source_release(&source);
    unlink(path);
    rmdir(directory);
}

static enum pt_status read_text(const char *text, size_t size)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(text, 1, size, file), size);
    fclose(file);
    return pt_source_read(&source, path);
}

static void assert_line(uint32_t number, const char *expected)
{
    size_t size;
    const char *line = pt_source_line(&source, number, &size);
    cr_assert_eq(size, strlen(expected), "line %u has %zu bytes", number, size);
    cr_assert_eq(memcmp(line, expected, size), 0);
}

TestSuite(source, .init = begin, .fini = end);

Test(source, lines_without_their_ends)
{
    const char text[] = "first\n\nthird\r\nlast";
    cr_assert_eq(read_text(text, strlen(text)), PT_OK);
    cr_assert_eq(source.line_count, 4);
    assert_line(1, "first");
    assert_line(2, "");
    assert_line(3, "third");
    assert_line(4, "last");
    assert_line(0, "");
    assert_line(5, "");
}

Test(source, an_empty_file_has_no_line)
{
    cr_assert_eq(read_text("", 0), PT_OK);
    cr_assert_eq(source.line_count, 0);
    assert_line(1, "");
}

Test(source, what_is_no_regular_file_is_not_read)
{
    cr_assert_eq(pt_source_read(&source, path), PT_IO, "there is none");
    cr_assert_eq(pt_source_read(&source, directory), PT_IO);
    cr_assert_eq(pt_source_read(&source, "/dev/zero"), PT_IO);
    cr_assert_eq(pt_source_read(&source, ""), PT_IO);
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert_eq(pt_source_read(&source, path), PT_IO, "and nobody waits for a writer");
}

Test(source, a_huge_file_is_not_read)
{
    int descriptor = open(path, O_CREAT | O_WRONLY, 0600);
    cr_assert_eq(ftruncate(descriptor, PT_SOURCE_SIZE_MAX + 1), 0);
    close(descriptor);
    cr_assert_eq(pt_source_read(&source, path), PT_IO);
}

static bool fits(const char *qualname, uint32_t line, uint32_t last)
{
    const struct pt_function function = {.qualname = qualname, .line = line};
    return pt_source_fits(&source, &function, last);
}

Test(source, it_fits_if_lines_and_name_are_there)
{
    const char text[] = "import os\n@decorated\ndef run(self):\n    pass\n";
    cr_assert_eq(read_text(text, strlen(text)), PT_OK);
    cr_assert(fits("Worker.run", 2, 4));
    cr_assert(fits("Worker.run", 3, 0));
    cr_assert(fits("<module>", 1, 4));
    cr_assert(fits("run.<locals>.<lambda>", 4, 4));
    cr_assert_not(fits("Worker.run", 1, 2), "the name stands further down");
    cr_assert_not(fits("Worker.run", 2, 5), "there is no line 5");
    cr_assert_not(fits("Worker.run", 9, 0));
    cr_assert_not(fits("Worker.walk", 2, 4));
    cr_assert_not(fits("<module>", 0, 4));
}
