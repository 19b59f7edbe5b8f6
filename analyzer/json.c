#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "text.h"

void pt_json_init(struct pt_json *json, struct pt_screen *screen)
{
    *json = (struct pt_json){.screen = screen};
}

/* Everything that separates a value from what stands before it. */
static void begin_value(struct pt_json *json)
{
    uint32_t bit = UINT32_C(1) << json->depth;
    if (json->named) {
        json->named = false;
        return;
    }
    if (json->filled & bit)
        pt_screen_write(json->screen, ",", 1);
    if (json->lines & bit)
        pt_screen_write(json->screen, "\n", 1);
    else if (json->filled & bit)
        pt_screen_write(json->screen, " ", 1);
    json->filled |= bit;
}

void pt_json_open(struct pt_json *json, char bracket, bool lines)
{
    begin_value(json);
    pt_screen_write(json->screen, &bracket, 1);
    json->depth++;
    uint32_t bit = UINT32_C(1) << json->depth;
    json->filled &= ~bit;
    json->lines = lines ? json->lines | bit : json->lines & ~bit;
}

void pt_json_close(struct pt_json *json, char bracket)
{
    uint32_t bit = UINT32_C(1) << json->depth;
    if (json->lines & json->filled & bit)
        pt_screen_write(json->screen, "\n", 1);
    pt_screen_write(json->screen, &bracket, 1);
    json->depth--;
}

static void write_escape(struct pt_json *json, unsigned code)
{
    switch (code) {
    case '"':
    case '\\':
        pt_screen_printf(json->screen, "\\%c", (char)code);
        break;
    case '\n':
        pt_screen_put(json->screen, "\\n");
        break;
    default:
        pt_screen_printf(json->screen, "\\u%04x", code);
        break;
    }
}

static void write_text(struct pt_json *json, const char *text)
{
    const char *end = text + strlen(text);
    const char *plain = text; /* start of what needs no escape */
    pt_screen_write(json->screen, "\"", 1);
    while (text < end) {
        uint32_t code;
        size_t size = pt_text_decode(text, (size_t)(end - text), &code);
        if (size > 1 || (size == 1 && code >= 0x20 && code != '"' && code != '\\' && code != 0x7F)) {
            text += size;
            continue;
        }
        pt_screen_write(json->screen, plain, (size_t)(text - plain));
        write_escape(json, size > 0 ? code : PT_TEXT_REPLACEMENT);
        plain = ++text;
    }
    pt_screen_write(json->screen, plain, (size_t)(end - plain));
    pt_screen_write(json->screen, "\"", 1);
}

void pt_json_key(struct pt_json *json, const char *key)
{
    begin_value(json);
    write_text(json, key);
    pt_screen_write(json->screen, ": ", 2);
    json->named = true;
}

void pt_json_text(struct pt_json *json, const char *text)
{
    begin_value(json);
    write_text(json, text);
}

void pt_json_uint(struct pt_json *json, uint64_t value)
{
    char digits[24];
    char *at = digits + sizeof digits;
    begin_value(json);
    do
        *--at = (char)('0' + value % 10);
    while (value /= 10);
    pt_screen_write(json->screen, at, (size_t)(digits + sizeof digits - at));
}

void pt_json_int(struct pt_json *json, int64_t value)
{
    begin_value(json);
    pt_screen_printf(json->screen, "%" PRId64, value);
}

void pt_json_real(struct pt_json *json, double value)
{
    if (!isfinite(value)) {
        pt_json_null(json);
        return;
    }
    begin_value(json);
    pt_screen_printf(json->screen, "%.6g", value);
}

void pt_json_bool(struct pt_json *json, bool value)
{
    begin_value(json);
    pt_screen_put(json->screen, value ? "true" : "false");
}

void pt_json_null(struct pt_json *json)
{
    begin_value(json);
    pt_screen_put(json->screen, "null");
}

void pt_json_put_text(struct pt_json *json, const char *key, const char *text)
{
    pt_json_key(json, key);
    pt_json_text(json, text);
}

void pt_json_put_uint(struct pt_json *json, const char *key, uint64_t value)
{
    pt_json_key(json, key);
    pt_json_uint(json, value);
}

void pt_json_put_int(struct pt_json *json, const char *key, int64_t value)
{
    pt_json_key(json, key);
    pt_json_int(json, value);
}

void pt_json_put_real(struct pt_json *json, const char *key, double value)
{
    pt_json_key(json, key);
    pt_json_real(json, value);
}

void pt_json_put_thousandths(struct pt_json *json, const char *key, uint64_t value)
{
    pt_json_put_uint(json, key, value / 1000);
    pt_screen_printf(json->screen, ".%03u", (unsigned)(value % 1000));
}

void pt_json_put_bool(struct pt_json *json, const char *key, bool value)
{
    pt_json_key(json, key);
    pt_json_bool(json, value);
}

void pt_json_put_null(struct pt_json *json, const char *key)
{
    pt_json_key(json, key);
    pt_json_null(json);
}

void pt_json_end(struct pt_json *json)
{
    pt_screen_write(json->screen, "\n", 1);
    json->filled = 0;
}
