#include "text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct range {
    uint32_t first;
    uint32_t last;
};

/* Characters that print nothing of their own but change how others look: shown as numbers, or a name could pass for another one. */
static const struct range deceptive[] = {
    {0x00AD, 0x00AD}, {0x061C, 0x061C}, {0x115F, 0x1160}, {0x180E, 0x180E}, {0x200B, 0x200F}, {0x2028, 0x202E},
    {0x2060, 0x206F}, {0x3164, 0x3164}, {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFC}, {0xE0000, 0xE0FFF},
};

/* Combining marks of the scripts in wide use. A rare one that is missing here costs a column of alignment, nothing else. */
static const struct range combining[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x05BF, 0x05BF}, {0x05C1, 0x05C2},   {0x05C4, 0x05C5},
    {0x0610, 0x061A}, {0x064B, 0x065F}, {0x0670, 0x0670}, {0x06D6, 0x06DC}, {0x06DF, 0x06E4},   {0x06E7, 0x06E8},
    {0x06EA, 0x06ED}, {0x0900, 0x0902}, {0x093A, 0x093A}, {0x093C, 0x093C}, {0x0941, 0x0948},   {0x094D, 0x094D},
    {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},   {0x20D0, 0x20F0},
    {0x302A, 0x302D}, {0x3099, 0x309A}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0x1F3FB, 0x1F3FF},
};

/* East Asian Wide and Fullwidth (UAX #11), emoji included. */
static const struct range wide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x2329, 0x232A},   {0x23E9, 0x23EC},   {0x23F0, 0x23F0},
    {0x23F3, 0x23F3},   {0x25FD, 0x25FE},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26AA, 0x26AB},
    {0x26BD, 0x26BE},   {0x26C4, 0x26C5},   {0x2705, 0x2705},   {0x270A, 0x270B},   {0x2728, 0x2728},
    {0x274C, 0x274C},   {0x2753, 0x2755},   {0x2795, 0x2797},   {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},
    {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xA000, 0xA4C6},
    {0xA960, 0xA97C},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE10, 0xFE19},   {0xFE30, 0xFE6B},
    {0xFF01, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F004, 0x1F004}, {0x1F0CF, 0x1F0CF}, {0x1F18E, 0x1F18E},
    {0x1F191, 0x1F19A}, {0x1F200, 0x1F320}, {0x1F32D, 0x1F335}, {0x1F337, 0x1F37C}, {0x1F37E, 0x1F393},
    {0x1F3A0, 0x1F3CA}, {0x1F3CF, 0x1F3D3}, {0x1F3E0, 0x1F3F0}, {0x1F3F4, 0x1F3F4}, {0x1F3F8, 0x1F43E},
    {0x1F440, 0x1F440}, {0x1F442, 0x1F4FC}, {0x1F4FF, 0x1F53D}, {0x1F54B, 0x1F54E}, {0x1F550, 0x1F567},
    {0x1F595, 0x1F596}, {0x1F5A4, 0x1F5A4}, {0x1F5FB, 0x1F64F}, {0x1F680, 0x1F6C5}, {0x1F6CC, 0x1F6CC},
    {0x1F6D0, 0x1F6D2}, {0x1F6EB, 0x1F6EC}, {0x1F6F4, 0x1F6FC}, {0x1F7E0, 0x1F7EB}, {0x1F90C, 0x1F9FF},
    {0x1FA70, 0x1FAFF}, {0x20000, 0x3FFFD},
};

#define IS_IN(table, code) is_in((table), sizeof(table) / sizeof((table)[0]), (code))

static bool is_in(const struct range *ranges, size_t count, uint32_t code)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (code > ranges[middle].last)
            low = middle + 1;
        else if (code < ranges[middle].first)
            high = middle;
        else
            return true;
    }
    return false;
}

size_t pt_text_decode(const char *text, size_t size, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length;
    uint32_t value;

    if (bytes[0] < 0x80) {
        *code = bytes[0];
        return 1;
    }
    if ((bytes[0] & 0xE0) == 0xC0) {
        length = 2;
        value = bytes[0] & 0x1Fu;
    } else if ((bytes[0] & 0xF0) == 0xE0) {
        length = 3;
        value = bytes[0] & 0x0Fu;
    } else if ((bytes[0] & 0xF8) == 0xF0) {
        length = 4;
        value = bytes[0] & 0x07u;
    } else {
        return 0;
    }
    if (length > size)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (bytes[i] & 0x3Fu);
    }
    if (value < least[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return 0;
    *code = value;
    return length;
}

static size_t put_hex(char *at, char letter, uint32_t value, int digits)
{
    static const char hex[] = "0123456789abcdef";
    char *out = at;
    *out++ = '\\';
    *out++ = letter;
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
        *out++ = hex[value >> shift & 15];
    return (size_t)(out - at);
}

enum pt_status pt_text_escape(struct pt_buffer *out, const char *text, size_t size)
{
    /* No byte grows to more than four: `\xNN` for one byte, `\uNNNN` for three, `\UNNNNNNNN` for four. */
    if (size > SIZE_MAX / 4)
        return PT_NOMEM;
    if (size == 0)
        return PT_OK; /* `out` may be nowhere yet */
    PT_TRY(pt_buffer_reserve(out, 4 * size));
    char *at = (char *)out->data + out->size;
    const char *end = text + size;

    while (text < end) {
        uint32_t code;
        size_t length = pt_text_decode(text, (size_t)(end - text), &code);
        if (length == 0) {
            at += put_hex(at, 'x', (unsigned char)*text, 2);
            length = 1;
        } else if (code < 0x20 || (code >= 0x7F && code < 0xA0)) {
            at += put_hex(at, 'x', code, 2);
        } else if (IS_IN(deceptive, code)) {
            at += code > 0xFFFF ? put_hex(at, 'U', code, 8) : put_hex(at, 'u', code, 4);
        } else {
            memcpy(at, text, length);
            at += length;
        }
        text += length;
    }
    if (size)
        out->size = (size_t)(at - (char *)out->data);
    return PT_OK;
}

/* Length of the colour sequence `ESC [ … m` that `text` begins with, 0 if it does not. */
static size_t color_length(const char *text, size_t size)
{
    size_t i = 2;
    if (size < 3 || text[0] != '\x1b' || text[1] != '[')
        return 0;
    while (i < size && ((text[i] >= '0' && text[i] <= '9') || text[i] == ';'))
        i++;
    return i < size && text[i] == 'm' ? i + 1 : 0;
}

/* One step over `text`: its length in bytes, and the columns it takes. */
static size_t step_over(const char *text, size_t size, size_t *columns)
{
    uint32_t code;
    size_t length = (unsigned char)*text == 0x1b ? color_length(text, size) : 0;
    if (length) {
        *columns = 0;
        return length;
    }
    length = pt_text_decode(text, size, &code);
    *columns = 1;
    if (length == 0)
        return 1;
    if (code >= 0x300) {
        if (IS_IN(combining, code))
            *columns = 0;
        else if (IS_IN(wide, code))
            *columns = 2;
    }
    return length;
}

size_t pt_text_width(const char *text, size_t size)
{
    size_t width = 0;
    for (size_t i = 0, columns; i < size; width += columns)
        i += step_over(text + i, size - i, &columns);
    return width;
}

size_t pt_text_fit(const char *text, size_t size, size_t columns)
{
    size_t i = 0;
    while (i < size) {
        size_t taken;
        size_t length = step_over(text + i, size - i, &taken);
        if (taken > columns)
            break;
        columns -= taken;
        i += length;
    }
    return i;
}

static enum pt_status append(struct pt_buffer *out, const char *text)
{
    return pt_buffer_append(out, text, strlen(text));
}

static enum pt_status append_name(struct pt_buffer *out, const char *name)
{
    return pt_text_escape(out, name, strlen(name));
}

static enum pt_status append_python(struct pt_buffer *out, const struct pt_function *function, enum pt_text_paths paths)
{
    if (paths == PT_TEXT_PATHS_MODULE || function->file[0] == '\0') {
        if (function->module[0]) {
            PT_TRY(append_name(out, function->module));
            PT_TRY(append(out, ":"));
        }
    } else {
        const char *slash = paths == PT_TEXT_PATHS_SHORT ? strrchr(function->file, '/') : NULL;
        char line[16];
        int length = snprintf(line, sizeof line, ":%u ", (unsigned)function->line);
        PT_TRY(append_name(out, slash ? slash + 1 : function->file));
        PT_TRY(pt_buffer_append(out, line, (size_t)length));
    }
    return append_name(out, function->qualname);
}

static enum pt_status append_c(struct pt_buffer *out, const struct pt_function *function)
{
    PT_TRY(append(out, "{"));
    if (function->module[0] && strcmp(function->module, "builtins") != 0) {
        PT_TRY(append_name(out, function->module));
        PT_TRY(append(out, "."));
    }
    PT_TRY(append_name(out, function->qualname));
    return append(out, "}");
}

enum pt_status pt_text_function(struct pt_buffer *out, const struct pt_function *function, enum pt_text_paths paths)
{
    size_t before = out->size;
    enum pt_status status = function->kind == PT_NAME_C            ? append_c(out, function)
                            : function->kind == PT_NAME_RAISE_SITE ? append_name(out, function->label)
                                                                   : append_python(out, function, paths);
    if (status != PT_OK)
        out->size = before;
    return status;
}
