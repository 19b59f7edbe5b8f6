/* The functions of a trace: the definitions of all processes, those that agree made one. */
#include "trace_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every text is stored once, so that functions compare by pointer. A NUL, which no honest writer leaves in, ends a
 * text. */
static const char *intern(struct pt_trace_private *own, const char *data, size_t size)
{
    size = size > 0 ? strnlen(data, size) : 0;
    uint64_t key = pt_table_key(&own->strings, data, size);
    struct pt_table_entry *entry = NULL;
    while ((entry = pt_table_find(&own->strings, key, entry))) {
        const char *known = (const char *)(uintptr_t)entry->value;
        if (strlen(known) == size && (size == 0 || memcmp(known, data, size) == 0))
            return known;
    }
    char *text = pt_memory_take(&own->memory, size + 1);
    if (!text)
        return NULL;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (pt_table_add(&own->strings, &own->memory, key, (uintptr_t)text) != PT_OK)
        return NULL;
    return text;
}

/* What cProfile prints for a function; of a raise site, the exception as tracebacks name it. */
static const char *make_label(struct pt_trace_private *own, const struct pt_function *function,
                              const struct pt_text *given)
{
    if (function->kind == PT_NAME_C && given->size > 0)
        return intern(own, given->data, given->size);

    char *label = NULL;
    int size;
    if (function->kind == PT_NAME_RAISE_SITE) {
        bool builtin = strcmp(function->module, "builtins") == 0 || !*function->module;
        size = asprintf(&label, "%s%s%s", builtin ? "" : function->module, builtin ? "" : ".",
                        *function->qualname ? function->qualname : "?");
    } else if (function->kind == PT_NAME_C) {
        size = asprintf(&label, "<built-in method %s%s%s>", function->module, *function->module ? "." : "",
                        function->qualname);
    } else {
        const char *dot = strrchr(function->qualname, '.');
        const char *code_name = dot ? dot + 1 : function->qualname;
        struct pt_text name = given->size > 0 ? *given : (struct pt_text){code_name, (uint32_t)strlen(code_name)};
        size = asprintf(&label, "%s:%u(%.*s)", function->file, function->line, (int)name.size, name.data);
    }
    if (size < 0)
        return NULL;
    const char *kept = intern(own, label, (size_t)size);
    free(label);
    return kept;
}

/* The label tells apart what template engines compile and rename. That of a C function is made for the object that it
 * was first called on, and may differ from process to process. */
static const char *identifying_label(const struct pt_function *function)
{
    return function->kind == PT_NAME_C ? NULL : function->label;
}

/* Texts are interned: their addresses stand for them. */
static uint64_t identity(const struct pt_trace_private *own, const struct pt_function *function)
{
    uint64_t parts[] = {(uint64_t)function->kind << 32 | function->line, (uintptr_t)function->module,
                        (uintptr_t)function->qualname, (uintptr_t)function->file,
                        (uintptr_t)identifying_label(function)};
    return pt_table_key(&own->names, parts, sizeof parts);
}

static bool same(const struct pt_function *a, const struct pt_function *b)
{
    return a->kind == b->kind && a->line == b->line && a->module == b->module && a->qualname == b->qualname &&
           a->file == b->file && identifying_label(a) == identifying_label(b);
}

/* The number of the function that `name` defines; a new one if it is the first of its kind. */
static enum pt_status number_of(struct pt_trace *trace, const struct pt_name *name, uint32_t *number)
{
    struct pt_trace_private *own = trace->private;
    struct pt_function function = {
        .kind = name->kind,
        .line = name->line,
        .hash = name->hash,
        .module = intern(own, name->module.data, name->module.size),
        .qualname = intern(own, name->qualname.data, name->qualname.size),
        .file = intern(own, name->file.data, name->file.size),
    };
    if (!function.module || !function.qualname || !function.file)
        return PT_NOMEM;
    function.label = make_label(own, &function, &name->label);
    if (!function.label)
        return PT_NOMEM;
    uint64_t key = identity(own, &function);
    struct pt_table_entry *entry = NULL;
    while ((entry = pt_table_find(&own->names, key, entry))) {
        *number = (uint32_t)(entry->value - 1);
        if (same(&trace->functions[*number], &function))
            return PT_OK;
    }

    struct pt_function *functions =
        pt_memory_grow(&own->memory, trace->functions, trace->function_count, 1, sizeof *functions);
    if (functions)
        trace->functions = functions;
    if (!functions || trace->function_count >= UINT32_MAX)
        return PT_NOMEM;
    *number = (uint32_t)trace->function_count;
    PT_TRY(pt_table_add(&own->names, &own->memory, key, (uint64_t)*number + 1));
    functions[trace->function_count++] = function;
    return PT_OK;
}

/* --- Ids ------------------------------------------------------------------------------------------------------ */

/* Exact, not a hash: the serial number of a process is bounded by the number of blocks in a file. */
static uint64_t id_key(uint64_t process, uint32_t id)
{
    return process << PT_ID_BITS | id;
}

static enum pt_status reserve_next_id(struct pt_trace_private *own, uint64_t process)
{
    size_t count = own->next_id_count;
    if (process <= count)
        return PT_OK;
    uint32_t *next_ids = pt_memory_grow(&own->memory, own->next_ids, count, process - count, sizeof *next_ids);
    if (!next_ids)
        return PT_NOMEM;
    memset(next_ids + count, 0, (process - count) * sizeof *next_ids);
    own->next_ids = next_ids;
    own->next_id_count = process;
    return PT_OK;
}

/* Should an id be defined again, which no honest writer does, the last definition counts. */
static enum pt_status add_definition(void *context, uint64_t process, uint32_t id, const struct pt_name *name)
{
    struct pt_trace *trace = context;
    struct pt_trace_private *own = trace->private;
    uint32_t number;
    if (!pt_trace_serial_fits(trace, process))
        return PT_CORRUPT;
    PT_TRY(reserve_next_id(own, process));
    PT_TRY(number_of(trace, name, &number));

    struct pt_table_entry *known = pt_table_find(&own->ids, id_key(process, id), NULL);
    if (known) {
        known->value = (uint64_t)number + 1;
        return PT_OK;
    }
    PT_TRY(pt_table_add(&own->ids, &own->memory, id_key(process, id), (uint64_t)number + 1));
    if (id >= own->next_ids[process - 1])
        own->next_ids[process - 1] = id + 1;
    return PT_OK;
}

enum pt_status pt_trace_functions_add(struct pt_trace *trace, const uint8_t *payload, size_t size)
{
    return pt_names_decode(payload, size, add_definition, trace);
}

uint32_t pt_trace_function(const struct pt_trace *trace, uint64_t process_serial, uint32_t id)
{
    uint64_t process = process_serial;
    for (unsigned step = 0; id != PT_ID_UNKNOWN && process > 0 && step < PT_NAMES_CHAIN_MAX; step++) {
        const struct pt_process *meta = process <= trace->process_count ? &trace->processes[process - 1] : NULL;
        if (!meta || meta->serial == 0 || id > meta->inherited) {
            const struct pt_table_entry *entry = pt_table_find(&trace->private->ids, id_key(process, id), NULL);
            return entry ? (uint32_t)(entry->value - 1) : 0;
        }
        if (meta->parent >= process)
            break;
        process = meta->parent;
    }
    return 0;
}

/* --- Life ----------------------------------------------------------------------------------------------------- */

/* Number 0 is not in the table of names: no definition can be it. */
enum pt_status pt_trace_functions_init(struct pt_trace *trace)
{
    struct pt_trace_private *own = trace->private;
    pt_table_init(&own->strings);
    pt_table_init(&own->names);
    pt_table_init(&own->ids);
    trace->functions = pt_memory_grow(&own->memory, NULL, 0, 1, sizeof *trace->functions);
    if (!trace->functions)
        return PT_NOMEM;
    trace->functions[0] = (struct pt_function){
        .kind = PT_NAME_PYTHON, .module = "", .qualname = "?", .file = "", .label = "<unknown function>"};
    trace->function_count = 1;
    return PT_OK;
}

void pt_trace_functions_release(struct pt_trace *trace)
{
    free(trace->functions);
    free(trace->private->next_ids);
    pt_table_release(&trace->private->strings);
    pt_table_release(&trace->private->names);
    pt_table_release(&trace->private->ids);
}
