/* What Python's marshal.load reads, in any version of Python 3: written straight to a screen, which keeps failures. */
#ifndef PT_MARSHAL_H
#define PT_MARSHAL_H

#include <stddef.h>
#include <stdint.h>

#include "screen.h"

/* A dictionary: its keys and values by turns, then its end. */
void pt_marshal_dict(struct pt_screen *screen);
void pt_marshal_dict_end(struct pt_screen *screen);

/* The head of a tuple: `count` items are to be written next. */
void pt_marshal_tuple(struct pt_screen *screen, size_t count);

void pt_marshal_uint(struct pt_screen *screen, uint64_t value);
void pt_marshal_float(struct pt_screen *screen, double value);

/* A string; bytes that are no UTF-8 become U+FFFD. At most 64 KiB of `text` are taken. */
void pt_marshal_text(struct pt_screen *screen, const char *text, size_t size);

#endif
