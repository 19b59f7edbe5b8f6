#include <criterion/criterion.h>

#include "histogram.h"

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int compare_numbers(const void *a, const void *b)
{
    const uint64_t *left = a;
    const uint64_t *right = b;
    return (*left > *right) - (*left < *right);
}

Test(histogram, empty)
{
    struct pt_histogram histogram = {0};
    cr_assert_eq(pt_histogram_quantile(&histogram, 0.5), 0);
    pt_histogram_release(&histogram);
}

Test(histogram, buckets_follow_each_other)
{
    uint32_t before = pt_histogram_bucket(0);
    for (uint64_t value = 1; value < 100000; value++) {
        uint32_t bucket = pt_histogram_bucket(value);
        cr_assert(bucket == before || bucket == before + 1, "at %lu", value);
        before = bucket;
    }
    cr_assert_lt(pt_histogram_bucket(UINT64_MAX), 60u << PT_HISTOGRAM_BITS);
}

Test(histogram, small_values_are_exact)
{
    struct pt_histogram histogram = {0};
    for (uint64_t value = 1; value <= 60; value++)
        cr_assert_eq(pt_histogram_add(&histogram, value), PT_OK);
    cr_assert_eq(pt_histogram_quantile(&histogram, 0.5), 30);
    cr_assert_eq(pt_histogram_quantile(&histogram, 1.0), 60);
    cr_assert_eq(pt_histogram_quantile(&histogram, 0.0), 1);
    pt_histogram_release(&histogram);
}

Test(histogram, quantiles_are_within_the_stated_error)
{
    enum { COUNT = 20000 };
    static uint64_t values[COUNT];
    static const double shares[] = {0.01, 0.5, 0.9, 0.99, 0.999};
    uint64_t state = 42;
    for (unsigned bits = 8; bits <= 56; bits += 6) {
        struct pt_histogram histogram = {0};
        for (size_t i = 0; i < COUNT; i++) {
            values[i] = next_random(&state) >> (64 - bits);
            cr_assert_eq(pt_histogram_add(&histogram, values[i]), PT_OK);
        }
        qsort(values, COUNT, sizeof values[0], compare_numbers);
        for (size_t s = 0; s < sizeof shares / sizeof shares[0]; s++) {
            double exact = (double)values[(size_t)(shares[s] * COUNT + 0.9999999) - 1];
            double told = (double)pt_histogram_quantile(&histogram, shares[s]);
            cr_assert(told >= exact * (1 - 1.0 / 64) - 1 && told <= exact * (1 + 1.0 / 64) + 1, "share %f: %f for %f",
                      shares[s], told, exact);
        }
        cr_assert_eq(histogram.least, values[0]);
        cr_assert_eq(histogram.greatest, values[COUNT - 1]);
        pt_histogram_release(&histogram);
    }
}

Test(histogram, quantiles_stay_between_the_extremes)
{
    struct pt_histogram histogram = {0};
    cr_assert_eq(pt_histogram_add(&histogram, 1000003), PT_OK);
    cr_assert_eq(pt_histogram_quantile(&histogram, 0.5), 1000003);
    pt_histogram_release(&histogram);
}

Test(histogram, merging_is_exact_for_equal_units)
{
    struct pt_histogram parts[2] = {0};
    struct pt_histogram whole = {0};
    uint64_t state = 7;
    for (size_t i = 0; i < 5000; i++) {
        uint64_t value = next_random(&state) >> (20 + i % 40);
        cr_assert_eq(pt_histogram_add(&parts[i % 2], value), PT_OK);
        cr_assert_eq(pt_histogram_add(&whole, value), PT_OK);
    }
    cr_assert_eq(pt_histogram_merge(&parts[0], &parts[1], 1.0), PT_OK);
    cr_assert_eq(parts[0].count, whole.count);
    cr_assert_eq(parts[0].least, whole.least);
    cr_assert_eq(parts[0].greatest, whole.greatest);
    for (unsigned percent = 0; percent <= 100; percent++)
        cr_assert_eq(pt_histogram_quantile(&parts[0], percent / 100.0), pt_histogram_quantile(&whole, percent / 100.0));
    pt_histogram_release(&parts[0]);
    pt_histogram_release(&parts[1]);
    pt_histogram_release(&whole);
}

Test(histogram, merging_scales)
{
    struct pt_histogram into = {0};
    struct pt_histogram from = {0};
    cr_assert_eq(pt_histogram_add(&from, 1000), PT_OK);
    cr_assert_eq(pt_histogram_merge(&into, &from, 2.0), PT_OK);
    cr_assert_eq(into.least, 2000);
    cr_assert_eq(into.greatest, 2000);
    cr_assert_eq(pt_histogram_quantile(&into, 0.5), 2000);
    pt_histogram_release(&into);
    pt_histogram_release(&from);
}
