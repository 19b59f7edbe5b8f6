/* A directory of one's own for a test, and what to expect of texts. */
#ifndef PT_TEST_PLACE_H
#define PT_TEST_PLACE_H

#define expect_text(actual, expected) cr_expect(strcmp((actual), (expected)) == 0, "it is: %s", (actual))

struct place {
    char directory[64];
    char trace[96]; /* a path in it, of no file yet */
};

void place_make(struct place *place);
void place_remove(const struct place *place); /* with the plain files in it */

void place_remove_arena(const char *directory);

#endif
