#include "units.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    double ns;
} units[] = {{"s", 1e9}, {"ms", 1e6}, {"µs", 1e3}, {"ns", 1}};

char *pt_units_scaled(char out[PT_UNITS_MAX], uint64_t ns, uint64_t scale)
{
    size_t unit = 0;
    while (unit < 3 && (uint64_t)units[unit].ns > scale)
        unit++;
    snprintf(out, PT_UNITS_MAX, "%.3f %s", (double)ns / units[unit].ns, units[unit].name);
    return out;
}

char *pt_units_signed(char out[PT_UNITS_MAX], int64_t ns, uint64_t scale)
{
    char digits[PT_UNITS_MAX];
    uint64_t magnitude = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    pt_units_scaled(digits, magnitude, scale);
    bool nothing = strspn(digits, "0.") == strcspn(digits, " "); /* or less than is shown */
    snprintf(out, PT_UNITS_MAX, "%s%.38s", nothing ? "" : ns > 0 ? "+" : "-", digits);
    return out;
}

/* The unit in which the greatest figure is 1 or more. */
uint64_t pt_units_scale(uint64_t greatest_ns)
{
    if (greatest_ns >= 1000000000)
        return 1000000000;
    return greatest_ns >= 1000000 ? 1000000 : 1000;
}

char *pt_units_time(char out[PT_UNITS_MAX], double ns)
{
    size_t unit = 0;
    /* 999.5 rounds to the 1000 that the greater unit shows as 1.00. */
    while (unit < 3 && ns < units[unit].ns * 0.9995)
        unit++;
    double value = ns / units[unit].ns;
    int decimals = unit == 3 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    snprintf(out, PT_UNITS_MAX, "%.*f %s", decimals, value, units[unit].name);
    return out;
}

char *pt_units_count(char out[PT_UNITS_MAX], uint64_t count)
{
    char digits[PT_UNITS_MAX];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, count);
    char *to = out;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return out;
}

char *pt_units_bytes(char out[PT_UNITS_MAX], uint64_t bytes)
{
    static const char *const names[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
    if (bytes < 1024) {
        snprintf(out, PT_UNITS_MAX, "%" PRIu64 " bytes", bytes);
        return out;
    }
    double value = (double)bytes / 1024;
    size_t unit = 0;
    for (; value >= 1023.5 && unit < 4; unit++)
        value /= 1024;
    snprintf(out, PT_UNITS_MAX, "%.*f %s", value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2, value, names[unit]);
    return out;
}

enum pt_status pt_units_parse_time(const char *text, double *ns)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || !isfinite(value) || value < 0 || *text == '-')
        return PT_MISUSE;
    while (isspace((unsigned char)*end))
        end++;
    if (*end == '\0' || strcmp(end, "s") == 0)
        *ns = value * 1e9;
    else if (strcmp(end, "ms") == 0)
        *ns = value * 1e6;
    else if (strcmp(end, "us") == 0 || strcmp(end, "µs") == 0 || strcmp(end, "μs") == 0)
        *ns = value * 1e3;
    else if (strcmp(end, "ns") == 0)
        *ns = value;
    else
        return PT_MISUSE;
    return PT_OK;
}
