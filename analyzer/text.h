/* Text for people: untrusted bytes made harmless, columns counted, names of functions as reports show them.
 *
 * Whatever comes out of a trace (names, paths, arguments) goes through here before it reaches a terminal. Buffers
 * are not NUL-terminated; each append leaves `out` unchanged if it fails (PT_NOMEM). */
#ifndef PT_TEXT_H
#define PT_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "status.h"
#include "trace.h"

#define PT_TEXT_REPLACEMENT 0xFFFDu /* what stands for a byte that is no UTF-8, in output for programs */

/* How a function's home is shown. */
enum pt_text_paths {
    PT_TEXT_PATHS_MODULE, /* enc:Encoder.encode      {zlib.compress} */
    PT_TEXT_PATHS_SHORT,  /* enc.py:12 Encoder.encode */
    PT_TEXT_PATHS_FULL,   /* /srv/app/enc.py:12 Encoder.encode */
};

/* Reads the character that `text` begins with: its length in bytes, or 0 if that is no well-formed UTF-8 (RFC 3629:
 * shortest forms only, no surrogates). `size` is not 0. */
size_t pt_text_decode(const char *text, size_t size, uint32_t *code);

/* Appends `size` bytes, with control characters (C0, DEL, C1) and bytes that are no UTF-8 as \xNN, and characters
 * that reorder or hide text (bidi controls, line separators, byte order marks …) as \uNNNN. Printable text is unchanged. */
PT_MUST_USE enum pt_status pt_text_escape(struct pt_buffer *out, const char *text, size_t size);

/* Columns that UTF-8 text takes on a terminal: 0 for combining marks, 2 for wide East Asian characters and emoji,
 * else 1. ANSI colour sequences take none. Bytes that are no UTF-8 count 1 each. */
size_t pt_text_width(const char *text, size_t size);

/* How many leading bytes of `text` fit into `columns`; colour sequences are passed over. */
size_t pt_text_fit(const char *text, size_t size, size_t columns);

/* Appends the name of a function, escaped: `module:qualname` for Python, `{module.qualname}` for C, without the
 * module if that is builtins. `paths` changes the home of Python functions only. */
PT_MUST_USE enum pt_status pt_text_function(struct pt_buffer *out, const struct pt_function *function,
                                            enum pt_text_paths paths);

#endif
