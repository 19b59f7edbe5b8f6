#include "protobuf.h"

#include <string.h>

#include "bytes.h"

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2 };

#define VARINT_MAX 10

static size_t encode_varint(uint8_t *out, uint64_t value)
{
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        out[size++] = (uint8_t)(value | 0x80);
    out[size++] = (uint8_t)value;
    return size;
}

static void append(struct pt_protobuf *message, const void *bytes, size_t size)
{
    if (message->status == PT_OK)
        message->status = pt_buffer_append(&message->bytes, bytes, size);
}

/* A tag, and the number that follows it: the value of a varint, the length of bytes. */
static void append_head(struct pt_protobuf *message, uint32_t field, enum wire wire, uint64_t number)
{
    uint8_t bytes[2 * VARINT_MAX];
    size_t size = encode_varint(bytes, (uint64_t)field << 3 | wire);
    size += encode_varint(bytes + size, number);
    append(message, bytes, size);
}

void pt_protobuf_clear(struct pt_protobuf *message)
{
    message->bytes.size = 0;
}

void pt_protobuf_release(struct pt_protobuf *message)
{
    pt_buffer_release(&message->bytes);
    *message = (struct pt_protobuf){0};
}

void pt_protobuf_uint(struct pt_protobuf *message, uint32_t field, uint64_t value)
{
    append_head(message, field, WIRE_VARINT, value);
}

void pt_protobuf_fixed64(struct pt_protobuf *message, uint32_t field, uint64_t value)
{
    uint8_t bytes[VARINT_MAX + 8];
    size_t size = encode_varint(bytes, (uint64_t)field << 3 | WIRE_64);
    pt_bytes_store64(bytes + size, value);
    append(message, bytes, size + 8);
}

void pt_protobuf_text(struct pt_protobuf *message, uint32_t field, const char *text)
{
    const size_t size = strlen(text);
    append_head(message, field, WIRE_BYTES, size);
    append(message, text, size);
}

void pt_protobuf_packed(struct pt_protobuf *message, uint32_t field, const uint64_t *values, size_t count)
{
    uint8_t bytes[VARINT_MAX];
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += encode_varint(bytes, values[i]);
    append_head(message, field, WIRE_BYTES, size);
    for (size_t i = 0; i < count; i++)
        append(message, bytes, encode_varint(bytes, values[i]));
}

void pt_protobuf_message(struct pt_protobuf *message, uint32_t field, const struct pt_protobuf *inner)
{
    if (message->status == PT_OK)
        message->status = inner->status;
    append_head(message, field, WIRE_BYTES, inner->bytes.size);
    append(message, inner->bytes.data, inner->bytes.size);
}
