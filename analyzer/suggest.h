/* What somebody who mistyped probably meant. */
#ifndef PT_SUGGEST_H
#define PT_SUGGEST_H

#include <stddef.h>

/* The word of `known` that is nearest to `typed` (insertions, deletions, replacements, swapped neighbours; a word
 * that begins with `typed` is near too), or NULL if none is near enough to be worth a mention. */
const char *pt_suggest_nearest(const char *typed, const char *const *known, size_t count);

#endif
