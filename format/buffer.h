/* A growing byte buffer. */
#ifndef PT_BUFFER_H
#define PT_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

/* All zero is an empty buffer. `data` moves when the buffer grows. Release with pt_buffer_release. */
struct pt_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

/* Makes room for `more` bytes after `size`, without changing `size`. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_buffer_reserve(struct pt_buffer *buffer, size_t more);
PT_MUST_USE enum pt_status pt_buffer_append(struct pt_buffer *buffer, const void *bytes, size_t count);
void pt_buffer_release(struct pt_buffer *buffer);

#endif
