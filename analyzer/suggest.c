#include "suggest.h"

#include <stdint.h>
#include <string.h>

/* Options and commands are short; a longer text was not meant as one. */
#define LENGTH_MAX 32

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edits that turn one word into the other, a swap of neighbours counting as one (optimal string alignment). */
static size_t count_edits(const char *from, const char *to)
{
    size_t rows[3][LENGTH_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    size_t from_length = strlen(from), to_length = strlen(to);

    if (from_length > LENGTH_MAX || to_length > LENGTH_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= to_length; j++)
        above[j] = before[j] = j;
    for (size_t i = 1; i <= from_length; i++) {
        row[0] = i;
        for (size_t j = 1; j <= to_length; j++) {
            row[j] = above[j - 1] + (from[i - 1] != to[j - 1]);
            row[j] = smaller(row[j], smaller(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                row[j] = smaller(row[j], before[j - 2] + 1);
        }
        size_t *spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[to_length];
}

const char *pt_suggest_nearest(const char *typed, const char *const *known, size_t count)
{
    size_t length = strlen(typed);
    /* One edit for each three letters: `tpo` is `top`, but `xyz` is nothing. */
    size_t least = (length + 2) / 3 + 1;
    const char *nearest = NULL;

    for (size_t i = 0; i < count; i++) {
        size_t distance = count_edits(typed, known[i]);
        if (length >= 2 && strncmp(known[i], typed, length) == 0)
            distance = 0;
        if (distance < least) {
            least = distance;
            nearest = known[i];
        }
    }
    return nearest;
}
