#include "cbor_writer.h"

#include <cbor.h>

#define HEAD_MAX 9 /* a type byte and a 64-bit number */

enum pt_status pt_cbor_write_uint(struct pt_buffer *out, uint64_t value)
{
    PT_TRY(pt_buffer_reserve(out, HEAD_MAX));
    out->size += cbor_encode_uint(value, out->data + out->size, HEAD_MAX);
    return PT_OK;
}

enum pt_status pt_cbor_write_bool(struct pt_buffer *out, bool value)
{
    PT_TRY(pt_buffer_reserve(out, HEAD_MAX));
    out->size += cbor_encode_bool(value, out->data + out->size, HEAD_MAX);
    return PT_OK;
}

enum pt_status pt_cbor_write_bytes(struct pt_buffer *out, const uint8_t *bytes, size_t size)
{
    PT_TRY(pt_buffer_reserve(out, HEAD_MAX));
    out->size += cbor_encode_bytestring_start(size, out->data + out->size, HEAD_MAX);
    return pt_buffer_append(out, bytes, size);
}

enum pt_status pt_cbor_write_text(struct pt_buffer *out, const char *text, size_t size)
{
    PT_TRY(pt_buffer_reserve(out, HEAD_MAX));
    out->size += cbor_encode_string_start(size, out->data + out->size, HEAD_MAX);
    return pt_buffer_append(out, text, size);
}

enum pt_status pt_cbor_write_array(struct pt_buffer *out, size_t count)
{
    PT_TRY(pt_buffer_reserve(out, HEAD_MAX));
    out->size += cbor_encode_array_start(count, out->data + out->size, HEAD_MAX);
    return PT_OK;
}

enum pt_status pt_cbor_write_map(struct pt_buffer *out, size_t pairs)
{
    PT_TRY(pt_buffer_reserve(out, HEAD_MAX));
    out->size += cbor_encode_map_start(pairs, out->data + out->size, HEAD_MAX);
    return PT_OK;
}
