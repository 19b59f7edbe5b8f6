/* Writing CBOR (SPEC.md, introduction) into a buffer. All functions append, and fail with PT_NOMEM only. */
#ifndef PT_CBOR_WRITER_H
#define PT_CBOR_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "status.h"

PT_MUST_USE enum pt_status pt_cbor_write_uint(struct pt_buffer *out, uint64_t value);
PT_MUST_USE enum pt_status pt_cbor_write_bool(struct pt_buffer *out, bool value);
PT_MUST_USE enum pt_status pt_cbor_write_bytes(struct pt_buffer *out, const uint8_t *bytes, size_t size);
PT_MUST_USE enum pt_status pt_cbor_write_text(struct pt_buffer *out, const char *text, size_t size);

/* The head alone: `count` items, or `pairs` of key and value, are to be written next. */
PT_MUST_USE enum pt_status pt_cbor_write_array(struct pt_buffer *out, size_t count);
PT_MUST_USE enum pt_status pt_cbor_write_map(struct pt_buffer *out, size_t pairs);

#endif
