/* Definitions through a journal, around its end and past its reader. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "journal.h"

enum { SIZE = PT_ARENA_JOURNAL_MIN };

struct fixture {
    struct pt_arena_process process;
    uint8_t journal[SIZE];
    uint8_t scratch[PT_JOURNAL_ENTRY_MAX];
    uint64_t position;
};

static struct fixture *new_fixture(void)
{
    struct fixture *fixture = aligned_alloc(64, (sizeof *fixture + 63) / 64 * 64);
    cr_assert(fixture);
    memset(fixture, 0, sizeof *fixture);
    return fixture;
}

static struct pt_text text(const char *data)
{
    return (struct pt_text){data, (uint32_t)strlen(data)};
}

static bool is_text(struct pt_text one, struct pt_text other)
{
    return one.size == other.size && (one.size == 0 || memcmp(one.data, other.data, one.size) == 0);
}

static int append(struct fixture *fixture, uint32_t id, const struct pt_name *name)
{
    return pt_journal_append(&fixture->process, fixture->journal, SIZE, id, name);
}

static enum pt_status read_next(struct fixture *fixture, uint32_t *id, struct pt_name *name)
{
    return pt_journal_read(fixture->journal, SIZE, &fixture->position, fixture->process.produced, fixture->scratch, id,
                           name);
}

Test(journal, a_definition_comes_out_as_it_went_in)
{
    struct fixture *fixture = new_fixture();
    const struct pt_name in = {PT_NAME_C,
                               42,
                               0x123456789ABCDEF0,
                               text("pkg.mod"),
                               text("Class.method"),
                               text(""),
                               text("<built-in method x>")};
    struct pt_name out;
    uint32_t id;
    cr_assert(append(fixture, 7, &in));
    cr_assert_eq(read_next(fixture, &id, &out), PT_OK);
    cr_assert_eq(id, 7);
    cr_assert_eq(out.kind, in.kind);
    cr_assert_eq(out.line, in.line);
    cr_assert_eq(out.hash, in.hash);
    cr_assert(is_text(out.module, in.module) && is_text(out.qualname, in.qualname) && is_text(out.file, in.file) &&
              is_text(out.label, in.label));
    cr_assert_eq(fixture->position, fixture->process.produced);
    free(fixture);
}

Test(journal, it_wraps_around)
{
    struct fixture *fixture = new_fixture();
    char long_text[3001];
    memset(long_text, 'x', sizeof long_text - 1);
    for (uint32_t i = 1; i < 1000; i++) {
        long_text[i * 3] = '\0'; /* lengths of all kinds */
        const struct pt_name in = {.line = i, .module = text("m"), .qualname = text(long_text), .file = text("f.py")};
        struct pt_name out;
        uint32_t id;
        cr_assert(append(fixture, i, &in));
        cr_assert_eq(read_next(fixture, &id, &out), PT_OK);
        cr_assert_eq(id, i);
        cr_assert_eq(out.line, i);
        cr_assert(is_text(out.qualname, in.qualname));
        cr_assert(is_text(out.file, in.file));
        fixture->process.consumed = fixture->position;
        long_text[i * 3] = 'x';
    }
    cr_assert_gt(fixture->position, 10 * SIZE);
    free(fixture);
}

Test(journal, a_full_one_takes_nothing_until_it_was_read)
{
    struct fixture *fixture = new_fixture();
    const struct pt_name in = {.module = text("module"), .qualname = text("function")};
    struct pt_name out;
    uint32_t id = 0;
    uint32_t count = 0;
    while (append(fixture, count + 1, &in))
        count++;
    const uint64_t produced = fixture->process.produced;
    cr_assert_leq(produced, SIZE);
    cr_assert_not(append(fixture, count + 1, &in));
    cr_assert_eq(fixture->process.produced, produced);

    cr_assert_eq(read_next(fixture, &id, &out), PT_OK);
    cr_assert_eq(id, 1);
    fixture->process.consumed = fixture->position;
    cr_assert(append(fixture, count + 1, &in));
    while (id < count + 1)
        cr_assert_eq(read_next(fixture, &id, &out), PT_OK);
    cr_assert_eq(fixture->position, fixture->process.produced);
    free(fixture);
}

Test(journal, long_texts_are_cut_between_characters)
{
    struct fixture *fixture = new_fixture();
    char in_text[PT_JOURNAL_STRING_MAX + 8];
    for (size_t offset = 0; offset < 4; offset++) {
        /* A four-byte character across the cap, at each of its bytes. */
        memset(in_text, 'a', sizeof in_text);
        memcpy(in_text + PT_JOURNAL_STRING_MAX - offset, "\xF0\x9F\x90\x8D", 4);
        const struct pt_name in = {.qualname = {in_text, sizeof in_text}};
        struct pt_name out;
        uint32_t id;
        cr_assert(append(fixture, 1, &in));
        cr_assert_eq(read_next(fixture, &id, &out), PT_OK);
        cr_assert_eq(out.qualname.size, PT_JOURNAL_STRING_MAX - offset);
        fixture->process.consumed = fixture->position;
    }
    free(fixture);
}

Test(journal, the_longest_definition_fits)
{
    struct fixture *fixture = new_fixture();
    static char long_text[2 * PT_JOURNAL_STRING_MAX];
    memset(long_text, 'x', sizeof long_text);
    const struct pt_text most = {long_text, sizeof long_text};
    const struct pt_name in = {.module = most, .qualname = most, .file = most, .label = most};
    struct pt_name out;
    uint32_t id;
    cr_assert(append(fixture, 1, &in));
    cr_assert_eq(fixture->process.produced, PT_JOURNAL_ENTRY_MAX);
    cr_assert_eq(read_next(fixture, &id, &out), PT_OK);
    cr_assert_eq(out.label.size, PT_JOURNAL_STRING_MAX);
    free(fixture);
}

/* Each damage is one write into a good definition. */
static void refuses(unsigned offset, unsigned size, uint32_t value)
{
    struct fixture *fixture = new_fixture();
    const struct pt_name in = {.module = text("module"), .qualname = text("function")};
    struct pt_name out;
    uint32_t id;
    cr_assert(append(fixture, 1, &in));
    if (size == 2)
        pt_bytes_store16(fixture->journal + offset, (uint16_t)value);
    else
        pt_bytes_store32(fixture->journal + offset, value);
    cr_assert_eq(read_next(fixture, &id, &out), PT_CORRUPT);
    cr_assert_eq(fixture->position, 0);
    free(fixture);
}

Test(journal, damage_is_refused)
{
    refuses(PT_JOURNAL_OFF_LENGTH, 4, 0);
    refuses(PT_JOURNAL_OFF_LENGTH, 4, 40);
    refuses(PT_JOURNAL_OFF_LENGTH, 4, 56);
    refuses(PT_JOURNAL_OFF_LENGTH, 4, UINT32_MAX);
    refuses(PT_JOURNAL_OFF_KIND, 2, 3);
    refuses(PT_JOURNAL_OFF_MODULE_LEN, 2, 60000);
    refuses(PT_JOURNAL_OFF_LABEL_LEN, 2, 9);
    refuses(PT_JOURNAL_OFF_RESERVED, 2, 1);
}

Test(journal, positions_that_contradict_each_other_are_refused)
{
    struct fixture *fixture = new_fixture();
    const struct pt_name in = {.module = text("module"), .qualname = text("function")};
    struct pt_name out;
    uint32_t id;
    cr_assert(append(fixture, 1, &in));
    const uint64_t produced = fixture->process.produced;
    fixture->process.produced = produced - 8; /* ends within the definition */
    cr_assert_eq(read_next(fixture, &id, &out), PT_CORRUPT);
    fixture->process.produced = SIZE + 8; /* more than the journal holds */
    cr_assert_eq(read_next(fixture, &id, &out), PT_CORRUPT);
    fixture->process.produced = produced;
    fixture->position = produced + 8; /* the reader is ahead */
    cr_assert_eq(read_next(fixture, &id, &out), PT_CORRUPT);
    free(fixture);
}
