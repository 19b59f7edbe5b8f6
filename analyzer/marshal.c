#include "marshal.h"

#include <string.h>

#include "bytes.h"
#include "text.h"

#define DIGIT_BITS 15 /* of a Python int, as marshal writes long ones */
#define TEXT_MAX   (64u << 10)

static void put_type(struct pt_screen *screen, char type)
{
    pt_screen_bytes(screen, &type, 1);
}

static void put32(struct pt_screen *screen, uint32_t value)
{
    uint8_t bytes[4];
    pt_bytes_store32(bytes, value);
    pt_screen_bytes(screen, bytes, sizeof bytes);
}

void pt_marshal_dict(struct pt_screen *screen)
{
    put_type(screen, '{');
}

void pt_marshal_dict_end(struct pt_screen *screen)
{
    put_type(screen, '0');
}

void pt_marshal_tuple(struct pt_screen *screen, size_t count)
{
    put_type(screen, '(');
    put32(screen, (uint32_t)count);
}

void pt_marshal_uint(struct pt_screen *screen, uint64_t value)
{
    uint8_t digits[2 * (64 / DIGIT_BITS + 1)];
    uint32_t count = 0;
    if (value <= INT32_MAX) {
        put_type(screen, 'i');
        put32(screen, (uint32_t)value);
        return;
    }
    for (; value > 0; value >>= DIGIT_BITS)
        pt_bytes_store16(digits + 2 * (size_t)count++, (uint16_t)(value & ((1u << DIGIT_BITS) - 1)));
    put_type(screen, 'l');
    put32(screen, count);
    pt_screen_bytes(screen, digits, 2 * (size_t)count);
}

void pt_marshal_float(struct pt_screen *screen, double value)
{
    uint64_t bits;
    uint8_t bytes[8];
    memcpy(&bits, &value, sizeof bits);
    pt_bytes_store64(bytes, bits);
    put_type(screen, 'g');
    pt_screen_bytes(screen, bytes, sizeof bytes);
}

/* The length of the character that `text` begins with; 0 for a byte that is none. */
static size_t character(const char *text, size_t size)
{
    uint32_t code;
    return pt_text_decode(text, size, &code);
}

void pt_marshal_text(struct pt_screen *screen, const char *text, size_t size)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    uint32_t length = 0;
    size = size < TEXT_MAX ? size : TEXT_MAX;
    for (size_t at = 0, bytes; at < size; at += bytes ? bytes : 1) {
        bytes = character(text + at, size - at);
        length += (uint32_t)(bytes ? bytes : sizeof replacement - 1);
    }
    put_type(screen, 'u');
    put32(screen, length);
    for (size_t at = 0, bytes; at < size; at += bytes ? bytes : 1) {
        bytes = character(text + at, size - at);
        pt_screen_bytes(screen, bytes ? text + at : replacement, bytes ? bytes : sizeof replacement - 1);
    }
}
