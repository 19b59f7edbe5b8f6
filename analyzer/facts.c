#include "facts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/* Brings the place for a fact of so many columns: behind the one before, or on a new line. */
static void make_room(struct pt_facts *facts, size_t width)
{
    size_t gap = pt_text_width(facts->between, strlen(facts->between));
    size_t most = pt_screen_width(facts->screen);
    if (facts->column == 0)
        return;
    if (most == 0 || facts->column + gap + width <= most) {
        pt_screen_put(facts->screen, facts->between);
        facts->column += gap;
        return;
    }
    pt_screen_printf(facts->screen, "\n%*s", (int)facts->indent, "");
    facts->column = facts->indent;
}

static void put_safe(struct pt_facts *facts, const char *text, size_t size)
{
    size_t width = pt_text_width(text, size);
    if (size == 0)
        return;
    make_room(facts, width);
    facts->column += width;
    pt_screen_write(facts->screen, text, size);
}

void pt_facts_safe(struct pt_facts *facts, enum pt_screen_style style, const char *text)
{
    pt_screen_style(facts->screen, style);
    put_safe(facts, text, strlen(text));
    pt_screen_style(facts->screen, PT_SCREEN_PLAIN);
}

void pt_facts_put(struct pt_facts *facts, enum pt_screen_style style, const char *text)
{
    struct pt_buffer escaped = {0};
    pt_screen_style(facts->screen, style);
    if (pt_text_escape(&escaped, text, strlen(text)) == PT_OK)
        put_safe(facts, (const char *)escaped.data, escaped.size);
    pt_screen_style(facts->screen, PT_SCREEN_PLAIN);
    pt_buffer_release(&escaped);
}

void pt_facts_printf(struct pt_facts *facts, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pt_facts_put(facts, PT_SCREEN_PLAIN, text);
}

void pt_facts_words(struct pt_facts *facts, enum pt_screen_style style, const char *text)
{
    struct pt_buffer escaped = {0};
    pt_screen_style(facts->screen, style);
    if (pt_text_escape(&escaped, text, strlen(text)) == PT_OK && pt_buffer_append(&escaped, "", 1) == PT_OK)
        for (const char *at = (const char *)escaped.data; *at;) {
            size_t size = strcspn(at, " ");
            put_safe(facts, at, size);
            at += size + strspn(at + size, " ");
        }
    pt_screen_style(facts->screen, PT_SCREEN_PLAIN);
    pt_buffer_release(&escaped);
}

void pt_facts_end(struct pt_facts *facts)
{
    pt_screen_put(facts->screen, "\n");
    facts->column = 0;
}
