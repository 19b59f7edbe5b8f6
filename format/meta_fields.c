#include "meta_fields.h"

#include <stdlib.h>
#include <string.h>

#include "cbor_reader.h"
#include "cbor_writer.h"
#include "meta.h"

#define RUN_ID_BYTES 16

static void *member(void *record, size_t offset)
{
    return (char *)record + offset;
}

static const void *member_const(const void *record, size_t offset)
{
    return (const char *)record + offset;
}

/* --- Encoding ------------------------------------------------------------------------------------------------- */

static enum pt_status write_text(struct pt_buffer *out, const char *text)
{
    return pt_cbor_write_text(out, text ? text : "", text ? strlen(text) : 0);
}

static int left_out(const struct pt_field *field, const void *record)
{
    if (field->presence != PT_FIELD_OPTIONAL)
        return 0;
    const void *value = member_const(record, field->offset);
    switch (field->type) {
    case PT_FIELD_UINT:
        return *(const uint64_t *)value == PT_META_ABSENT;
    case PT_FIELD_TEXT: {
        const char *text = *(char *const *)value;
        return !text || !*text;
    }
    case PT_FIELD_TEXTS:
        return *(const size_t *)member_const(record, field->count_offset) == 0;
    case PT_FIELD_BOOL:
    case PT_FIELD_RUN_ID:
        break;
    }
    return 0;
}

static enum pt_status encode_field(const struct pt_field *field, const void *record, struct pt_buffer *out)
{
    const void *value = member_const(record, field->offset);
    PT_TRY(write_text(out, field->key));
    switch (field->type) {
    case PT_FIELD_UINT:
        return pt_cbor_write_uint(out, *(const uint64_t *)value);
    case PT_FIELD_BOOL:
        return pt_cbor_write_bool(out, *(const bool *)value);
    case PT_FIELD_TEXT:
        return write_text(out, *(char *const *)value);
    case PT_FIELD_RUN_ID:
        return pt_cbor_write_bytes(out, value, RUN_ID_BYTES);
    case PT_FIELD_TEXTS: {
        char *const *texts = *(char **const *)value;
        size_t count = *(const size_t *)member_const(record, field->count_offset);
        count = count < PT_META_TEXTS_MAX ? count : PT_META_TEXTS_MAX;
        PT_TRY(pt_cbor_write_array(out, count));
        for (size_t i = 0; i < count; i++)
            PT_TRY(write_text(out, texts[i]));
        return PT_OK;
    }
    }
    return PT_MISUSE;
}

enum pt_status pt_fields_encode(const struct pt_schema *schema, const void *record, struct pt_buffer *out)
{
    size_t written = 0;
    for (size_t i = 0; i < schema->field_count; i++)
        written += !left_out(&schema->fields[i], record);
    PT_TRY(pt_cbor_write_map(out, written));
    for (size_t i = 0; i < schema->field_count; i++) {
        if (!left_out(&schema->fields[i], record))
            PT_TRY(encode_field(&schema->fields[i], record, out));
    }
    return PT_OK;
}

/* --- Decoding ------------------------------------------------------------------------------------------------- */

static enum pt_status copy_text(char **text, const void *data, size_t size)
{
    if (size > 0 && memchr(data, '\0', size))
        return PT_CORRUPT;
    char *copy = malloc(size + 1);
    if (!copy)
        return PT_NOMEM;
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    *text = copy;
    return PT_OK;
}

/* A text of one byte in the file costs fifty in memory: hence the cap, which an honest argv stays below. What was
 * decoded so far always stands in the record, so that releasing the record frees it. */
static enum pt_status decode_texts(const struct pt_field *field, void *record, struct pt_cbor_reader *reader)
{
    struct pt_cbor_item item;
    PT_TRY(pt_cbor_read_type(reader, PT_CBOR_ARRAY, &item));
    if (item.number > PT_META_TEXTS_MAX)
        return PT_CORRUPT;
    if (item.number == 0)
        return PT_OK;
    char ***texts = member(record, field->offset);
    size_t *count = member(record, field->count_offset);
    *texts = calloc(item.number, sizeof **texts);
    if (!*texts)
        return PT_NOMEM;
    for (uint64_t left = item.number; left > 0; left--) {
        PT_TRY(pt_cbor_read_type(reader, PT_CBOR_TEXT, &item));
        PT_TRY(copy_text(&(*texts)[*count], item.data, item.number));
        ++*count;
    }
    return PT_OK;
}

static enum pt_status decode_field(const struct pt_field *field, void *record, struct pt_cbor_reader *reader)
{
    struct pt_cbor_item item;
    void *value = member(record, field->offset);
    switch (field->type) {
    case PT_FIELD_UINT:
        PT_TRY(pt_cbor_read_type(reader, PT_CBOR_UINT, &item));
        *(uint64_t *)value = item.number;
        return PT_OK;
    case PT_FIELD_BOOL:
        PT_TRY(pt_cbor_read_type(reader, PT_CBOR_BOOL, &item));
        *(bool *)value = item.number;
        return PT_OK;
    case PT_FIELD_TEXT:
        PT_TRY(pt_cbor_read_type(reader, PT_CBOR_TEXT, &item));
        return copy_text(value, item.data, item.number);
    case PT_FIELD_RUN_ID:
        PT_TRY(pt_cbor_read_type(reader, PT_CBOR_BYTES, &item));
        if (item.number != RUN_ID_BYTES)
            return PT_CORRUPT;
        memcpy(value, item.data, RUN_ID_BYTES);
        return PT_OK;
    case PT_FIELD_TEXTS:
        return decode_texts(field, record, reader);
    }
    return PT_MISUSE;
}

static size_t find_field(const struct pt_schema *schema, const struct pt_cbor_item *key)
{
    size_t index = 0;
    while (index < schema->field_count && !pt_cbor_text_equals(key, schema->fields[index].key))
        index++;
    return index;
}

static enum pt_status decode_map(const struct pt_schema *schema, void *record, struct pt_cbor_reader *reader,
                                 uint64_t *present)
{
    struct pt_cbor_item item;
    PT_TRY(pt_cbor_read_type(reader, PT_CBOR_MAP, &item));
    for (uint64_t pairs = item.number; pairs > 0; pairs--) {
        PT_TRY(pt_cbor_read_type(reader, PT_CBOR_TEXT, &item));
        size_t index = find_field(schema, &item);
        if (index == schema->field_count) {
            PT_TRY(pt_cbor_skip(reader));
            continue;
        }
        if (*present & UINT64_C(1) << index)
            return PT_CORRUPT;
        *present |= UINT64_C(1) << index;
        PT_TRY(decode_field(&schema->fields[index], record, reader));
    }
    return pt_cbor_read_end(reader);
}

/* Gives the fields that the input lacks the values that stand for that. */
static enum pt_status complete(const struct pt_schema *schema, void *record, uint64_t present)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct pt_field *field = &schema->fields[i];
        if (present & UINT64_C(1) << i)
            continue;
        if (field->presence == PT_FIELD_REQUIRED)
            return PT_CORRUPT;
        void *value = member(record, field->offset);
        if (field->type == PT_FIELD_UINT && field->presence == PT_FIELD_OPTIONAL)
            *(uint64_t *)value = PT_META_ABSENT;
        if (field->type == PT_FIELD_TEXT)
            PT_TRY(copy_text(value, "", 0));
    }
    return PT_OK;
}

enum pt_status pt_fields_decode(const struct pt_schema *schema, void *record, const uint8_t *bytes, size_t size,
                                uint64_t *present)
{
    struct pt_cbor_reader reader = {.at = bytes, .end = bytes + size};
    uint64_t found = 0;
    memset(record, 0, schema->record_size);
    enum pt_status status = decode_map(schema, record, &reader, &found);
    if (status == PT_OK)
        status = complete(schema, record, found);
    if (status != PT_OK)
        pt_fields_release(schema, record);
    else if (present)
        *present = found;
    return status;
}

const char *pt_fields_missing(const struct pt_schema *schema, uint64_t present)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        if (schema->fields[i].presence != PT_FIELD_OPTIONAL && !(present & UINT64_C(1) << i))
            return schema->fields[i].key;
    }
    return NULL;
}

/* --- Life ----------------------------------------------------------------------------------------------------- */

static void release_field(const struct pt_field *field, void *record)
{
    void *value = member(record, field->offset);
    if (field->type == PT_FIELD_TEXT)
        free(*(char **)value);
    if (field->type == PT_FIELD_TEXTS) {
        char **texts = *(char ***)value;
        size_t count = *(size_t *)member(record, field->count_offset);
        for (size_t i = 0; i < count; i++)
            free(texts[i]);
        free(texts);
    }
}

void pt_fields_release(const struct pt_schema *schema, void *record)
{
    for (size_t i = 0; i < schema->field_count; i++)
        release_field(&schema->fields[i], record);
    memset(record, 0, schema->record_size);
}

static void swap_bytes(void *a, void *b, size_t size)
{
    uint8_t kept[RUN_ID_BYTES];
    memcpy(kept, a, size);
    memcpy(a, b, size);
    memcpy(b, kept, size);
}

/* Swapping, not moving: what `into` held before is then released with the rest of `from`. */
void pt_fields_merge(const struct pt_schema *schema, void *into, void *from, uint64_t present)
{
    static const size_t sizes[] = {
        [PT_FIELD_UINT] = sizeof(uint64_t), [PT_FIELD_BOOL] = sizeof(bool),   [PT_FIELD_TEXT] = sizeof(char *),
        [PT_FIELD_TEXTS] = sizeof(char **), [PT_FIELD_RUN_ID] = RUN_ID_BYTES,
    };
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct pt_field *field = &schema->fields[i];
        if (!(present & UINT64_C(1) << i))
            continue;
        swap_bytes(member(into, field->offset), member(from, field->offset), sizes[field->type]);
        if (field->type == PT_FIELD_TEXTS)
            swap_bytes(member(into, field->count_offset), member(from, field->count_offset), sizeof(size_t));
    }
    pt_fields_release(schema, from);
}
