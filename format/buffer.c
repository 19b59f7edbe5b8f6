#include "buffer.h"

#include <stdlib.h>
#include <string.h>

#define SMALLEST 256

enum pt_status pt_buffer_reserve(struct pt_buffer *buffer, size_t more)
{
    if (more <= buffer->capacity - buffer->size)
        return PT_OK;
    if (more > SIZE_MAX / 2 - buffer->size)
        return PT_NOMEM;
    size_t needed = buffer->size + more;
    size_t capacity = buffer->capacity < SMALLEST ? SMALLEST : buffer->capacity;
    while (capacity < needed)
        capacity *= 2;
    uint8_t *data = realloc(buffer->data, capacity);
    if (!data)
        return PT_NOMEM;
    buffer->data = data;
    buffer->capacity = capacity;
    return PT_OK;
}

enum pt_status pt_buffer_append(struct pt_buffer *buffer, const void *bytes, size_t count)
{
    if (count == 0)
        return PT_OK;
    PT_TRY(pt_buffer_reserve(buffer, count));
    memcpy(buffer->data + buffer->size, bytes, count);
    buffer->size += count;
    return PT_OK;
}

void pt_buffer_release(struct pt_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct pt_buffer){0};
}
