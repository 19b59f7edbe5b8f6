/* Names: what function ids stand for (SPEC.md 4.3 NAMES blocks, 8.2 journals). */
#ifndef PT_NAMES_H
#define PT_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "layout.h"
#include "status.h"

/* A raise site is a type of exceptions and a line at which one was raised, or which it passed through. */
enum pt_name_kind { PT_NAME_PYTHON = 0, PT_NAME_C = 1, PT_NAME_RAISE_SITE = 2 };

/* A text that need not be terminated, borrowed from wherever the definition was read. */
struct pt_text {
    const char *data;
    uint32_t size;
};

struct pt_name {
    uint32_t kind; /* enum pt_name_kind */
    uint32_t line;
    uint64_t hash;
    struct pt_text module;
    struct pt_text qualname;
    struct pt_text file;
    struct pt_text label; /* empty if it follows from the others */
};

/* Collects definitions with consecutive ids into one NAMES payload. Zeroed is empty. */
struct pt_names_builder {
    struct pt_buffer items; /* the CBOR of the definitions so far */
    uint32_t first;
    uint32_t count;
};

PT_MUST_USE enum pt_status pt_names_builder_add(struct pt_names_builder *builder, uint32_t id,
                                                const struct pt_name *name);
/* Appends the whole payload for `process` to `out` and empties the builder. */
PT_MUST_USE enum pt_status pt_names_builder_finish(struct pt_names_builder *builder, uint64_t process,
                                                   struct pt_buffer *out);
void pt_names_builder_release(struct pt_names_builder *builder);

/* Calls `visit` for each definition in a NAMES payload, in order; texts are borrowed from `payload`. A status other
 * than PT_OK from `visit` ends the walk and is returned. */
typedef enum pt_status pt_names_visit(void *context, uint64_t process, uint32_t id, const struct pt_name *name);
PT_MUST_USE enum pt_status pt_names_decode(const uint8_t *payload, size_t size, pt_names_visit *visit, void *context);

#endif
