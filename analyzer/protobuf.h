/* Protocol buffers: the encoding of messages (https://protobuf.dev/programming-guides/encoding), fields in any order.
 *
 * A message within another one is made first, and then put into it. A failure is kept: what is put after it is dropped. */
#ifndef PT_PROTOBUF_H
#define PT_PROTOBUF_H

#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "status.h"

/* Zeroed is an empty message. Release with pt_protobuf_release. */
struct pt_protobuf {
    struct pt_buffer bytes;
    enum pt_status status; /* PT_OK, PT_NOMEM */
};

/* Makes it empty; its memory is used again. */
void pt_protobuf_clear(struct pt_protobuf *message);
void pt_protobuf_release(struct pt_protobuf *message);

void pt_protobuf_uint(struct pt_protobuf *message, uint32_t field, uint64_t value);
void pt_protobuf_fixed64(struct pt_protobuf *message, uint32_t field, uint64_t value);
void pt_protobuf_text(struct pt_protobuf *message, uint32_t field, const char *text); /* UTF-8 */
void pt_protobuf_packed(struct pt_protobuf *message, uint32_t field, const uint64_t *values, size_t count);
void pt_protobuf_message(struct pt_protobuf *message, uint32_t field, const struct pt_protobuf *inner);

#endif
