#include "csv.h"

#include <inttypes.h>
#include <string.h>

static void begin_value(struct pt_csv *csv)
{
    if (csv->filled)
        pt_screen_write(csv->screen, ",", 1);
    csv->filled = 1;
}

void pt_csv_text(struct pt_csv *csv, const char *text)
{
    begin_value(csv);
    if (!strpbrk(text, ",\"\r\n")) {
        pt_screen_put(csv->screen, text);
        return;
    }
    pt_screen_write(csv->screen, "\"", 1);
    for (const char *at = text; *at;) {
        size_t plain = strcspn(at, "\"");
        pt_screen_write(csv->screen, at, plain);
        at += plain;
        if (*at == '"') {
            pt_screen_write(csv->screen, "\"\"", 2);
            at++;
        }
    }
    pt_screen_write(csv->screen, "\"", 1);
}

void pt_csv_uint(struct pt_csv *csv, uint64_t value)
{
    begin_value(csv);
    pt_screen_printf(csv->screen, "%" PRIu64, value);
}

void pt_csv_empty(struct pt_csv *csv)
{
    begin_value(csv);
}

void pt_csv_line(struct pt_csv *csv)
{
    pt_screen_write(csv->screen, "\n", 1);
    csv->filled = 0;
}
