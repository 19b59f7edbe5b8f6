#include "csv.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "text.h"

static void begin_value(struct pt_csv *csv)
{
    if (csv->filled)
        pt_screen_write(csv->screen, ",", 1);
    csv->filled = true;
}

void pt_csv_text(struct pt_csv *csv, const char *text)
{
    const char *end = text + strlen(text);
    const char *plain = text; /* start of what stands as it is */
    bool quoted = strpbrk(text, ",\"\r\n") != NULL;
    begin_value(csv);
    if (quoted)
        pt_screen_write(csv->screen, "\"", 1);
    while (text < end) {
        uint32_t code;
        size_t size = pt_text_decode(text, (size_t)(end - text), &code);
        if (size > 0 && code != '"') {
            text += size;
            continue;
        }
        pt_screen_write(csv->screen, plain, (size_t)(text - plain));
        pt_screen_put(csv->screen, size > 0 ? "\"\"" : "\uFFFD");
        plain = ++text;
    }
    pt_screen_write(csv->screen, plain, (size_t)(end - plain));
    if (quoted)
        pt_screen_write(csv->screen, "\"", 1);
}

void pt_csv_uint(struct pt_csv *csv, uint64_t value)
{
    begin_value(csv);
    pt_screen_printf(csv->screen, "%" PRIu64, value);
}

void pt_csv_int(struct pt_csv *csv, int64_t value)
{
    begin_value(csv);
    pt_screen_printf(csv->screen, "%" PRId64, value);
}

void pt_csv_real(struct pt_csv *csv, double value)
{
    begin_value(csv);
    if (isfinite(value))
        pt_screen_printf(csv->screen, "%.6g", value);
}

void pt_csv_empty(struct pt_csv *csv)
{
    begin_value(csv);
}

void pt_csv_line(struct pt_csv *csv)
{
    pt_screen_write(csv->screen, "\n", 1);
    csv->filled = false;
}
