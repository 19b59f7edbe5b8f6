#include "cbor_reader.h"

#include <cbor.h>
#include <string.h>

static void take(void *context, enum pt_cbor_type type, uint64_t number, const uint8_t *data)
{
    *(struct pt_cbor_item *)context = (struct pt_cbor_item){.type = type, .number = number, .data = data};
}

static void take_uint8(void *context, uint8_t value)
{
    take(context, PT_CBOR_UINT, value, NULL);
}

static void take_uint16(void *context, uint16_t value)
{
    take(context, PT_CBOR_UINT, value, NULL);
}

static void take_uint32(void *context, uint32_t value)
{
    take(context, PT_CBOR_UINT, value, NULL);
}

static void take_uint64(void *context, uint64_t value)
{
    take(context, PT_CBOR_UINT, value, NULL);
}

/* libcbor counts in size_t up to 0.9 and in uint64_t from 0.10 on: the same type on every machine that pytrace runs on.
 */
static void take_bytes(void *context, cbor_data data, size_t size)
{
    take(context, PT_CBOR_BYTES, size, data);
}

static void take_text(void *context, cbor_data data, size_t size)
{
    take(context, PT_CBOR_TEXT, size, data);
}

static void take_array(void *context, size_t count)
{
    take(context, PT_CBOR_ARRAY, count, NULL);
}

static void take_map(void *context, size_t pairs)
{
    take(context, PT_CBOR_MAP, pairs, NULL);
}

static void take_bool(void *context, bool value)
{
    take(context, PT_CBOR_BOOL, value, NULL);
}

/* cbor_load is never used: it allocates by declared counts. The streaming decoder looks at one item, and at its bytes
 * only if all of them are there; what it meets besides the types above goes to callbacks that do nothing, and stays
 * PT_CBOR_REFUSED. */
enum pt_status pt_cbor_read(struct pt_cbor_reader *reader, struct pt_cbor_item *item)
{
    struct cbor_callbacks callbacks = cbor_empty_callbacks;
    callbacks.uint8 = take_uint8;
    callbacks.uint16 = take_uint16;
    callbacks.uint32 = take_uint32;
    callbacks.uint64 = take_uint64;
    callbacks.byte_string = take_bytes;
    callbacks.string = take_text;
    callbacks.array_start = take_array;
    callbacks.map_start = take_map;
    callbacks.boolean = take_bool;

    *item = (struct pt_cbor_item){.type = PT_CBOR_REFUSED};
    size_t left = (size_t)(reader->end - reader->at);
    if (left == 0)
        return PT_TRUNCATED;
    struct cbor_decoder_result result = cbor_stream_decode(reader->at, left, &callbacks, item);
    if (result.status == CBOR_DECODER_NEDATA)
        return PT_TRUNCATED;
    if (result.status != CBOR_DECODER_FINISHED || item->type == PT_CBOR_REFUSED)
        return PT_CORRUPT;
    reader->at += result.read;
    left -= result.read;

    /* An item takes at least a byte. */
    if ((item->type == PT_CBOR_ARRAY && item->number > left) || (item->type == PT_CBOR_MAP && item->number > left / 2))
        return PT_TRUNCATED;
    return PT_OK;
}

enum pt_status pt_cbor_read_type(struct pt_cbor_reader *reader, enum pt_cbor_type type, struct pt_cbor_item *item)
{
    PT_TRY(pt_cbor_read(reader, item));
    return item->type == type ? PT_OK : PT_CORRUPT;
}

enum pt_status pt_cbor_skip(struct pt_cbor_reader *reader)
{
    uint64_t left[PT_CBOR_DEPTH_MAX] = {1}; /* items still to come, on each level; the map around counts as one */
    size_t depth = 0;
    for (;;) {
        while (left[depth] == 0) {
            if (depth == 0)
                return PT_OK;
            depth--;
        }
        left[depth]--;
        struct pt_cbor_item item;
        PT_TRY(pt_cbor_read(reader, &item));
        if (item.type == PT_CBOR_ARRAY || item.type == PT_CBOR_MAP) {
            if (depth == PT_CBOR_DEPTH_MAX - 1)
                return PT_CORRUPT;
            left[++depth] = item.type == PT_CBOR_MAP ? 2 * item.number : item.number;
        }
    }
}

enum pt_status pt_cbor_read_end(const struct pt_cbor_reader *reader)
{
    return reader->at == reader->end ? PT_OK : PT_CORRUPT;
}

bool pt_cbor_text_equals(const struct pt_cbor_item *item, const char *text)
{
    size_t size = strlen(text);
    return item->type == PT_CBOR_TEXT && item->number == size && memcmp(item->data, text, size) == 0;
}
