/* Short facts in a row, as many on a line as the screen has room for. */
#ifndef PT_FACTS_H
#define PT_FACTS_H

#include <stddef.h>

#include "screen.h"

struct pt_facts {
    struct pt_screen *screen;
    const char *between; /* what stands between two facts on a line */
    size_t indent;       /* of the lines after the first */
    size_t column;       /* where the next one would stand; 0: nothing was put yet */
};

/* Puts a fact, which may be untrusted text. */
void pt_facts_put(struct pt_facts *facts, enum pt_screen_style style, const char *text);
/* The same for text that is safe already (text.h). */
void pt_facts_safe(struct pt_facts *facts, enum pt_screen_style style, const char *text);
void pt_facts_printf(struct pt_facts *facts, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts each of the words that spaces part: a sentence that may be long. */
void pt_facts_words(struct pt_facts *facts, enum pt_screen_style style, const char *text);

/* Ends the line; the next fact begins another row. */
void pt_facts_end(struct pt_facts *facts);

#endif
