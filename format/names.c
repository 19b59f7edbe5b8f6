#include "names.h"

#include "cbor_reader.h"
#include "cbor_writer.h"

/* Items of a definition, in order; the label may be missing. */
enum { KIND, MODULE, QUALNAME, FILE_NAME, LINE, HASH, LABEL, ITEMS_MAX };

/* --- Encoding ------------------------------------------------------------------------------------------------- */

static enum pt_status write_text(struct pt_buffer *out, const struct pt_text *text)
{
    return pt_cbor_write_text(out, text->data, text->size);
}

static enum pt_status write_definition(struct pt_buffer *out, const struct pt_name *name)
{
    PT_TRY(pt_cbor_write_array(out, name->label.size > 0 ? ITEMS_MAX : LABEL));
    PT_TRY(pt_cbor_write_uint(out, name->kind));
    PT_TRY(write_text(out, &name->module));
    PT_TRY(write_text(out, &name->qualname));
    PT_TRY(write_text(out, &name->file));
    PT_TRY(pt_cbor_write_uint(out, name->line));
    PT_TRY(pt_cbor_write_uint(out, name->hash));
    return name->label.size > 0 ? write_text(out, &name->label) : PT_OK;
}

enum pt_status pt_names_builder_add(struct pt_names_builder *builder, uint32_t id, const struct pt_name *name)
{
    if (id == 0 || id > PT_ID_MAX || (builder->count > 0 && id != builder->first + builder->count))
        return PT_MISUSE;
    size_t before = builder->items.size;
    enum pt_status status = write_definition(&builder->items, name);
    if (status != PT_OK) {
        builder->items.size = before;
        return status;
    }
    if (builder->count++ == 0)
        builder->first = id;
    return PT_OK;
}

static enum pt_status write_payload(const struct pt_names_builder *builder, uint64_t process, struct pt_buffer *out)
{
    PT_TRY(pt_cbor_write_map(out, 3));
    PT_TRY(pt_cbor_write_text(out, "process", 7));
    PT_TRY(pt_cbor_write_uint(out, process));
    PT_TRY(pt_cbor_write_text(out, "first", 5));
    PT_TRY(pt_cbor_write_uint(out, builder->first));
    PT_TRY(pt_cbor_write_text(out, "names", 5));
    PT_TRY(pt_cbor_write_array(out, builder->count));
    return pt_buffer_append(out, builder->items.data, builder->items.size);
}

enum pt_status pt_names_builder_finish(struct pt_names_builder *builder, uint64_t process, struct pt_buffer *out)
{
    if (builder->count == 0)
        return PT_MISUSE;
    size_t before = out->size;
    enum pt_status status = write_payload(builder, process, out);
    if (status != PT_OK) {
        out->size = before;
        return status;
    }
    builder->items.size = 0;
    builder->first = builder->count = 0;
    return PT_OK;
}

void pt_names_builder_release(struct pt_names_builder *builder)
{
    pt_buffer_release(&builder->items);
    *builder = (struct pt_names_builder){0};
}

/* --- Decoding ------------------------------------------------------------------------------------------------- */

static enum pt_status read_uint(struct pt_cbor_reader *reader, uint64_t least, uint64_t most, uint64_t *value)
{
    struct pt_cbor_item item;
    PT_TRY(pt_cbor_read_type(reader, PT_CBOR_UINT, &item));
    if (item.number < least || item.number > most)
        return PT_CORRUPT;
    *value = item.number;
    return PT_OK;
}

static enum pt_status read_text(struct pt_cbor_reader *reader, struct pt_text *text)
{
    struct pt_cbor_item item;
    PT_TRY(pt_cbor_read_type(reader, PT_CBOR_TEXT, &item));
    if (item.number > UINT32_MAX)
        return PT_CORRUPT;
    *text = (struct pt_text){.data = (const char *)item.data, .size = (uint32_t)item.number};
    return PT_OK;
}

static enum pt_status read_definition(struct pt_cbor_reader *reader, struct pt_name *name)
{
    struct pt_cbor_item item;
    PT_TRY(pt_cbor_read_type(reader, PT_CBOR_ARRAY, &item));
    if (item.number != LABEL && item.number != ITEMS_MAX)
        return PT_CORRUPT;
    uint64_t kind, line;
    *name = (struct pt_name){.label = {.data = ""}};
    PT_TRY(read_uint(reader, PT_NAME_PYTHON, PT_NAME_RAISE_SITE, &kind));
    PT_TRY(read_text(reader, &name->module));
    PT_TRY(read_text(reader, &name->qualname));
    PT_TRY(read_text(reader, &name->file));
    PT_TRY(read_uint(reader, 0, UINT32_MAX, &line));
    PT_TRY(read_uint(reader, 0, UINT64_MAX, &name->hash));
    name->kind = (uint32_t)kind;
    name->line = (uint32_t)line;
    return item.number == ITEMS_MAX ? read_text(reader, &name->label) : PT_OK;
}

/* A NAMES map, its definitions not yet handed out. */
struct names_map {
    uint64_t process;
    uint64_t first;
    uint64_t count;
    struct pt_cbor_reader definitions;
};

static enum pt_status check_definitions(struct pt_cbor_reader *reader, struct names_map *map)
{
    struct pt_cbor_item item;
    struct pt_name name;
    PT_TRY(pt_cbor_read_type(reader, PT_CBOR_ARRAY, &item));
    map->count = item.number;
    map->definitions = *reader;
    for (uint64_t i = 0; i < map->count; i++)
        PT_TRY(read_definition(reader, &name));
    return PT_OK;
}

static enum pt_status read_map(struct pt_cbor_reader *reader, struct names_map *map)
{
    bool has_process = false, has_first = false, has_names = false;
    struct pt_cbor_item item;
    PT_TRY(pt_cbor_read_type(reader, PT_CBOR_MAP, &item));
    for (uint64_t pairs = item.number; pairs > 0; pairs--) {
        PT_TRY(pt_cbor_read_type(reader, PT_CBOR_TEXT, &item));
        bool *seen = pt_cbor_text_equals(&item, "process") ? &has_process
                     : pt_cbor_text_equals(&item, "first") ? &has_first
                     : pt_cbor_text_equals(&item, "names") ? &has_names
                                                           : NULL;
        if (!seen) {
            PT_TRY(pt_cbor_skip(reader));
            continue;
        }
        if (*seen)
            return PT_CORRUPT;
        *seen = true;
        if (seen == &has_process)
            PT_TRY(read_uint(reader, 1, UINT64_MAX, &map->process));
        else if (seen == &has_first)
            PT_TRY(read_uint(reader, 1, PT_ID_MAX, &map->first));
        else
            PT_TRY(check_definitions(reader, map));
    }
    PT_TRY(pt_cbor_read_end(reader));
    if (!has_process || !has_first || !has_names || (map->count > 0 && map->count - 1 > PT_ID_MAX - map->first))
        return PT_CORRUPT;
    return PT_OK;
}

/* Twice over the definitions: `names` may stand before `process` and `first`, and whoever visits shall see all of a
 * payload or nothing. */
enum pt_status pt_names_decode(const uint8_t *payload, size_t size, pt_names_visit *visit, void *context)
{
    struct pt_cbor_reader reader = {.at = payload, .end = payload + size};
    struct names_map map = {0};
    PT_TRY(read_map(&reader, &map));
    for (uint64_t i = 0; i < map.count; i++) {
        struct pt_name name;
        PT_TRY(read_definition(&map.definitions, &name));
        PT_TRY(visit(context, map.process, (uint32_t)(map.first + i), &name));
    }
    return PT_OK;
}
