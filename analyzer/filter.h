/* Patterns over functions: the options --focus --ignore --hide --root and the operand of callers and callees.
 *
 * POSIX extended regular expressions, found anywhere in a text (anchor with ^ and $). A pattern matches a function if it is found in its
 * name as reports show it (`module:qualname`, `{module.qualname}`), its qualified name alone, its label (what
 * cProfile prints) or its file; the operand (PT_FILTER_MATCH) looks at names alone. Several patterns for one bit: any of them. */
#ifndef PT_FILTER_H
#define PT_FILTER_H

#include <stddef.h>

#include "status.h"
#include "trace.h"

enum pt_filter_bit {
    PT_FILTER_FOCUS = 1 << 0,  /* only paths through a match */
    PT_FILTER_IGNORE = 1 << 1, /* drop paths through a match */
    PT_FILTER_HIDE = 1 << 2,   /* fold a match into its caller */
    PT_FILTER_ROOT = 1 << 3,   /* paths begin at a match */
    PT_FILTER_MATCH = 1 << 4,  /* the operand of callers and callees */
};

struct pt_filter;

PT_MUST_USE enum pt_status pt_filter_new(struct pt_filter **out);
void pt_filter_free(struct pt_filter *filter);

/* Compiles `pattern` for `bit`. PT_MISUSE: not a regular expression; `error` names `option`, the pattern and what is wrong. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_filter_add(struct pt_filter *filter, enum pt_filter_bit bit, const char *option,
                                         const char *pattern, struct pt_error *error);

/* The bits for which there is a pattern at all. */
unsigned pt_filter_bits(const struct pt_filter *filter);

/* The bits that `function` matches. Slow: call once a function and keep the answer. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_filter_match(const struct pt_filter *filter, const struct pt_function *function,
                                           unsigned *bits);

#endif
