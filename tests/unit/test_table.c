/* The hash table and the capped memory under it. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "table.h"

Test(table, finds_what_was_added_and_nothing_else)
{
    struct pt_memory memory;
    struct pt_table table;
    pt_memory_init(&memory, 64 << 20);
    pt_table_init(&table);
    cr_expect_null(pt_table_find(&table, 0, NULL));
    for (uint64_t key = 0; key < 20000; key++)
        cr_assert_eq(pt_table_add(&table, &memory, key * 7919, key + 1), PT_OK);
    for (uint64_t key = 0; key < 20000; key++) {
        struct pt_table_entry *entry = pt_table_find(&table, key * 7919, NULL);
        cr_assert_not_null(entry);
        cr_expect_eq(entry->value, key + 1);
        cr_expect_null(pt_table_find(&table, key * 7919, entry));
        cr_expect_null(pt_table_find(&table, key * 7919 + 1, NULL));
    }
    cr_expect_eq(pt_table_add(&table, &memory, 1, 0), PT_MISUSE);
    pt_table_release(&table);
    pt_memory_release(&memory);
}

Test(table, keeps_all_entries_of_a_key)
{
    struct pt_memory memory;
    struct pt_table table;
    uint64_t sum = 0;
    pt_memory_init(&memory, 64 << 20);
    pt_table_init(&table);
    for (uint64_t value = 1; value <= 100; value++) {
        cr_assert_eq(pt_table_add(&table, &memory, 42, value), PT_OK);
        cr_assert_eq(pt_table_add(&table, &memory, value, 1000), PT_OK);
    }
    for (struct pt_table_entry *entry = NULL; (entry = pt_table_find(&table, 42, entry));)
        sum += entry->value;
    cr_expect_eq(sum, 5050 + 1000);
    pt_table_release(&table);
    pt_memory_release(&memory);
}

Test(table, keys_of_bytes_differ_with_every_byte)
{
    struct pt_table table;
    uint8_t bytes[40] = {0};
    pt_table_init(&table);
    uint64_t key = pt_table_key(&table, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] ^= 1;
        cr_expect_neq(pt_table_key(&table, bytes, sizeof bytes), key, "byte %zu", i);
        bytes[i] ^= 1;
        cr_expect_neq(pt_table_key(&table, bytes, i), key, "length %zu", i);
    }
    cr_expect_eq(pt_table_key(&table, bytes, sizeof bytes), key);
    pt_table_release(&table);
}

Test(memory, cap_holds)
{
    struct pt_memory memory;
    struct pt_table table;
    pt_memory_init(&memory, 10000);
    cr_expect_null(pt_memory_take(&memory, 10001));
    cr_expect_eq(pt_memory_charge(&memory, 9000), PT_OK);
    cr_expect_eq(pt_memory_charge(&memory, 1001), PT_NOMEM);
    cr_expect_null(pt_memory_grow(&memory, NULL, 0, 1001, 1));
    pt_table_init(&table);
    cr_expect_eq(pt_table_add(&table, &memory, 1, 1), PT_NOMEM, "a table of 64 entries takes 1,024 bytes");
    cr_expect_null(pt_memory_grow(&memory, NULL, 0, SIZE_MAX / 2, 8));
    cr_expect_eq(memory.left, 1000);
    pt_table_release(&table);
    pt_memory_release(&memory);
}

Test(memory, pieces_are_aligned_and_stay)
{
    struct pt_memory memory;
    char *pieces[1000];
    pt_memory_init(&memory, 64 << 20);
    for (size_t i = 0; i < 1000; i++) {
        pieces[i] = pt_memory_take(&memory, i + 1);
        cr_assert_not_null(pieces[i]);
        cr_expect_eq((uintptr_t)pieces[i] % 8, 0);
        memset(pieces[i], (int)(i & 0x7F), i + 1);
    }
    for (size_t i = 0; i < 1000; i++)
        cr_expect(pieces[i][0] == (char)(i & 0x7F) && pieces[i][i] == (char)(i & 0x7F));
    cr_expect_not_null(pt_memory_take(&memory, 1 << 20), "larger than a page");
    pt_memory_release(&memory);
}

Test(memory, arrays_grow_and_may_be_shortened)
{
    struct pt_memory memory;
    uint32_t *array = NULL;
    size_t count = 0;
    pt_memory_init(&memory, 64 << 20);
    for (uint32_t round = 0; round < 50; round++) {
        for (uint32_t i = 0; i < 100; i++) {
            uint32_t *grown = pt_memory_grow(&memory, array, count, 1, sizeof *array);
            cr_assert_not_null(grown);
            array = grown;
            array[count++] = round;
        }
        count -= 37;
    }
    for (size_t i = 1; i < count; i++)
        cr_expect_leq(array[i - 1], array[i]);
    free(array);
    pt_memory_release(&memory);
}
