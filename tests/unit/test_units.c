#include <criterion/criterion.h>

#include "units.h"

Test(units, time_has_three_digits)
{
    static const struct {
        double ns;
        const char *text;
    } cases[] = {
        {0, "0 ns"},          {12, "12 ns"},          {999, "999 ns"},         {1000, "1.00 µs"},  {9994, "9.99 µs"},
        {9996, "10.0 µs"},    {39500, "39.5 µs"},     {99960, "100 µs"},       {212000, "212 µs"}, {999600, "1.00 ms"},
        {9410000, "9.41 ms"}, {1904000000, "1.90 s"}, {61000000000, "61.0 s"}, {1e12, "1000 s"},
    };
    char text[PT_UNITS_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert_str_eq(pt_units_time(text, cases[i].ns), cases[i].text);
}

Test(units, a_column_has_one_unit)
{
    char text[PT_UNITS_MAX];
    cr_assert_str_eq(pt_units_scaled(text, 1904000000, 1000000000), "1.904 s");
    cr_assert_str_eq(pt_units_scaled(text, 388000000, pt_units_scale(4812000000)), "0.388 s");
    cr_assert_str_eq(pt_units_scaled(text, 12345, pt_units_scale(4200000)), "0.012 ms");
    cr_assert_str_eq(pt_units_scaled(text, 12345, pt_units_scale(42000)), "12.345 µs");
}

Test(units, counts_have_separators)
{
    char text[PT_UNITS_MAX];
    cr_assert_str_eq(pt_units_count(text, 0), "0");
    cr_assert_str_eq(pt_units_count(text, 999), "999");
    cr_assert_str_eq(pt_units_count(text, 1000), "1,000");
    cr_assert_str_eq(pt_units_count(text, 2580828), "2,580,828");
    cr_assert_str_eq(pt_units_count(text, UINT64_MAX), "18,446,744,073,709,551,615");
}

Test(units, bytes)
{
    char text[PT_UNITS_MAX];
    cr_assert_str_eq(pt_units_bytes(text, 812), "812 bytes");
    cr_assert_str_eq(pt_units_bytes(text, 1024), "1.00 KiB");
    cr_assert_str_eq(pt_units_bytes(text, 1048575), "1.00 MiB");
    cr_assert_str_eq(pt_units_bytes(text, 1268776), "1.21 MiB");
}

Test(units, times_are_read)
{
    static const struct {
        const char *text;
        double ns;
    } cases[] = {{"1.5", 1.5e9}, {"1.5s", 1.5e9}, {"20ms", 2e7}, {"3 us", 3e3}, {"3µs", 3e3}, {"70ns", 70}, {"0", 0}};
    static const char *const bad[] = {"", "s", "1x", "-1s", "nan", "inf", "1 s s", "ms"};
    double ns;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(pt_units_parse_time(cases[i].text, &ns), PT_OK, "%s", cases[i].text);
        cr_assert_float_eq(ns, cases[i].ns, 1e-3, "%s", cases[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(pt_units_parse_time(bad[i], &ns), PT_MISUSE, "%s", bad[i]);
}
