/* The lines of a printed tree. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rails.h"

/* A small tree: depth, and whether the row is the last of its level. */
static const struct row {
    uint32_t depth;
    bool last;
} tree[] = {{0, false}, {1, false}, {2, true}, {3, true}, {1, true}, {2, true}, {0, true}, {1, true}};

/* Prints the rows of a tree, `*` for their text, into a file in memory. */
static void check_rails(const struct row *rows, size_t count, uint32_t deepest, size_t columns, const char *expected)
{
    int file = memfd_create("rails", 0);
    char text[1024];
    struct pt_rails rails;
    struct pt_screen *screen;
    struct pt_error error;

    cr_assert_eq(dup2(file, STDOUT_FILENO), STDOUT_FILENO);
    cr_assert_eq(pt_screen_open(&screen, &(struct pt_screen_settings){0}, &error), PT_OK);
    cr_assert_eq(pt_rails_init(&rails, deepest, columns), PT_OK);
    for (size_t i = 0; i < count; i++) {
        pt_rails_put(&rails, screen, rows[i].depth, rows[i].last);
        pt_screen_put(screen, "*\n");
    }
    pt_rails_release(&rails);
    cr_assert_eq(pt_screen_close(screen, true, &error), PT_OK);
    ssize_t size = pread(file, text, sizeof text - 1, 0);
    cr_assert_geq(size, 0);
    text[size] = '\0';
    cr_assert_str_eq(text, expected);
}

#define CHECK_TREE(columns, expected) check_rails(tree, sizeof tree / sizeof tree[0], 3, columns, expected)

Test(rails, branches_hang_together)
{
    CHECK_TREE(0, "*\n"
                  "├─ *\n"
                  "│  └─ *\n"
                  "│     └─ *\n"
                  "└─ *\n"
                  "   └─ *\n"
                  "*\n"
                  "└─ *\n");
}

Test(rails, little_room_makes_them_narrow)
{
    CHECK_TREE(6, "*\n"
                  "├ *\n"
                  "│ └ *\n"
                  "│   └ *\n"
                  "└ *\n"
                  "  └ *\n"
                  "*\n"
                  "└ *\n");
    CHECK_TREE(3, "*\n"
                  "├ *\n"
                  "│└ *\n"
                  "│ └ *\n"
                  "└ *\n"
                  " └ *\n"
                  "*\n"
                  "└ *\n");
}

Test(rails, no_room_leaves_the_innermost_and_says_how_many_went)
{
    static const struct row chain[] = {{0, true}, {1, true}, {2, true}, {3, true}, {4, true}};
    check_rails(chain, 5, 4, 2, "*\n└ *\n └ *\n+1  └ *\n+2  └ *\n");
}

Test(rails, the_columns_taken_are_told)
{
    struct pt_rails rails;
    struct pt_screen *screen;
    struct pt_error error;
    cr_assert_eq(pt_screen_open(&screen, &(struct pt_screen_settings){.output = "/dev/null"}, &error), PT_OK);
    cr_assert_eq(pt_rails_init(&rails, 100, 10), PT_OK);
    cr_assert_eq(pt_rails_put(&rails, screen, 0, true), 0);
    cr_assert_eq(pt_rails_put(&rails, screen, 5, true), 6);
    cr_assert_eq(pt_rails_put(&rails, screen, 100, true), strlen("+90 ") + 11);
    pt_rails_release(&rails);
    cr_assert_eq(pt_screen_close(screen, true, &error), PT_OK);
}
