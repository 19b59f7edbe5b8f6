#include "json.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

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

/* Length of the UTF-8 character at `text`, 0 if there is none: no overlong forms, no surrogates, nothing above
 * U+10FFFF. */
static size_t character_size(const unsigned char *text)
{
    unsigned char lead = text[0];
    size_t size = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    for (size_t i = 1; i < size; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    if ((lead == 0xE0 && text[1] < 0xA0) || (lead == 0xED && text[1] > 0x9F) || (lead == 0xF0 && text[1] < 0x90) ||
        (lead == 0xF4 && text[1] > 0x8F))
        return 0;
    return size;
}

static void write_text(struct pt_json *json, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *plain = at; /* start of what needs no escape */
    pt_screen_write(json->screen, "\"", 1);
    while (*at) {
        size_t size = character_size(at);
        if (size > 1 || (size == 1 && *at >= 0x20 && *at != '"' && *at != '\\' && *at != 0x7F)) {
            at += size;
            continue;
        }
        pt_screen_write(json->screen, (const char *)plain, (size_t)(at - plain));
        if (size == 0)
            pt_screen_put(json->screen, "\\ufffd");
        else if (*at == '"' || *at == '\\')
            pt_screen_printf(json->screen, "\\%c", *at);
        else if (*at == '\n')
            pt_screen_put(json->screen, "\\n");
        else
            pt_screen_printf(json->screen, "\\u%04x", *at);
        plain = ++at;
    }
    pt_screen_write(json->screen, (const char *)plain, (size_t)(at - plain));
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
