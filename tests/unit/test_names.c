/* NAMES blocks, and the functions that a trace makes of them. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cbor_writer.h"
#include "names.h"
#include "trace_file.h"

struct seen {
    unsigned count;
    uint64_t process;
    uint32_t last_id;
    struct pt_name last;
};

static enum pt_status see(void *context, uint64_t process, uint32_t id, const struct pt_name *name)
{
    struct seen *seen = context;
    seen->count++;
    seen->process = process;
    seen->last_id = id;
    seen->last = *name;
    return PT_OK;
}

static bool text_is(const struct pt_text *text, const char *expected)
{
    return text->size == strlen(expected) && memcmp(text->data, expected, text->size) == 0;
}

static struct pt_text text(const char *constant)
{
    return (struct pt_text){.data = constant, .size = (uint32_t)strlen(constant)};
}

static struct pt_name name_of(uint32_t kind, const char *module, const char *qualname, const char *file, uint32_t line,
                              const char *label)
{
    return (struct pt_name){.kind = kind,
                            .module = text(module),
                            .qualname = text(qualname),
                            .file = text(file),
                            .line = line,
                            .hash = 9,
                            .label = text(label)};
}

Test(names, round_trip)
{
    struct pt_names_builder builder = {0};
    struct pt_buffer payload = {0};
    struct seen seen = {0};
    struct pt_name one = name_of(PT_NAME_PYTHON, "m", "f", "/m.py", 1, "");
    struct pt_name two = name_of(PT_NAME_C, "builtins", "len", "", 0, "<built-in method builtins.len>");
    cr_assert_eq(pt_names_builder_add(&builder, 5, &one), PT_OK);
    cr_assert_eq(pt_names_builder_add(&builder, 6, &two), PT_OK);
    cr_expect_eq(pt_names_builder_add(&builder, 6, &two), PT_MISUSE);
    cr_expect_eq(pt_names_builder_add(&builder, 8, &two), PT_MISUSE);
    cr_assert_eq(pt_names_builder_finish(&builder, 3, &payload), PT_OK);
    cr_expect_eq(pt_names_builder_finish(&builder, 3, &payload), PT_MISUSE, "finishing empties the builder");

    cr_assert_eq(pt_names_decode(payload.data, payload.size, see, &seen), PT_OK);
    cr_expect_eq(seen.count, 2);
    cr_expect_eq(seen.process, 3);
    cr_expect_eq(seen.last_id, 6);
    cr_expect_eq(seen.last.kind, PT_NAME_C);
    cr_expect_eq(seen.last.hash, 9);
    cr_expect(text_is(&seen.last.module, "builtins"));
    cr_expect(text_is(&seen.last.qualname, "len"));
    cr_expect(text_is(&seen.last.file, ""));
    cr_expect(text_is(&seen.last.label, "<built-in method builtins.len>"));

    seen = (struct seen){0};
    for (size_t size = 0; size < payload.size; size++)
        cr_expect_neq(pt_names_decode(payload.data, size, see, &seen), PT_OK);
    cr_expect_eq(seen.count, 0, "nothing is shown of a payload that is not whole");
    pt_names_builder_release(&builder);
    pt_buffer_release(&payload);
}

/* A NAMES payload whose keys stand in the given order: p, f or n. */
static struct pt_buffer payload_of(const char *order, uint64_t process, uint64_t first, unsigned items, uint64_t kind)
{
    struct pt_buffer out = {0};
    cr_assert_eq(pt_cbor_write_map(&out, strlen(order)), PT_OK);
    for (; *order; order++) {
        const char *key = *order == 'p' ? "process" : *order == 'f' ? "first" : "names";
        cr_assert_eq(pt_cbor_write_text(&out, key, strlen(key)), PT_OK);
        if (*order != 'n') {
            cr_assert_eq(pt_cbor_write_uint(&out, *order == 'p' ? process : first), PT_OK);
            continue;
        }
        cr_assert_eq(pt_cbor_write_array(&out, 2), PT_OK);
        for (unsigned i = 0; i < 2; i++) {
            cr_assert_eq(pt_cbor_write_array(&out, items), PT_OK);
            cr_assert_eq(pt_cbor_write_uint(&out, kind), PT_OK);
            for (unsigned j = 0; j < 3; j++)
                cr_assert_eq(pt_cbor_write_text(&out, "x", 1), PT_OK);
            for (unsigned j = 4; j < items; j++)
                cr_assert_eq(j == 6 ? pt_cbor_write_text(&out, "", 0) : pt_cbor_write_uint(&out, 1), PT_OK);
        }
    }
    return out;
}

static enum pt_status decode(struct pt_buffer payload)
{
    struct seen seen = {0};
    enum pt_status status = pt_names_decode(payload.data, payload.size, see, &seen);
    cr_expect_eq(seen.count, status == PT_OK ? 2 : 0);
    pt_buffer_release(&payload);
    return status;
}

Test(names, rules)
{
    cr_expect_eq(decode(payload_of("pfn", 1, 1, 6, 0)), PT_OK);
    cr_expect_eq(decode(payload_of("nfp", 1, 1, 7, 1)), PT_OK, "keys come in any order");
    cr_expect_eq(decode(payload_of("pf", 1, 1, 6, 0)), PT_CORRUPT);
    cr_expect_eq(decode(payload_of("pn", 1, 1, 6, 0)), PT_CORRUPT);
    cr_expect_eq(decode(payload_of("fn", 1, 1, 6, 0)), PT_CORRUPT);
    cr_expect_eq(decode(payload_of("pfnn", 1, 1, 6, 0)), PT_CORRUPT);
    cr_expect_eq(decode(payload_of("pfn", 0, 1, 6, 0)), PT_CORRUPT, "process 0");
    cr_expect_eq(decode(payload_of("pfn", 1, 0, 6, 0)), PT_CORRUPT, "id 0");
    cr_expect_eq(decode(payload_of("pfn", 1, PT_ID_MAX - 1, 6, 0)), PT_OK);
    cr_expect_eq(decode(payload_of("pfn", 1, PT_ID_MAX, 6, 0)), PT_CORRUPT, "ids beyond 24 bits");
    cr_expect_eq(decode(payload_of("pfn", 1, 1, 5, 0)), PT_CORRUPT);
    cr_expect_eq(decode(payload_of("pfn", 1, 1, 8, 0)), PT_CORRUPT);
    cr_expect_eq(decode(payload_of("pfn", 1, 1, 6, 3)), PT_CORRUPT, "a kind that does not exist");
}

/* --- In a trace ----------------------------------------------------------------------------------------------- */

static struct pt_trace *trace_with(struct trace_file *file, const struct pt_name *names, uint32_t count)
{
    struct pt_names_builder builder = {0};
    struct pt_buffer payload = {0};
    trace_file_begin(file);
    trace_file_header(file);
    trace_file_process(file, 1, 0, 0, 5000);
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(pt_names_builder_add(&builder, i + 1, &names[i]), PT_OK);
    cr_assert_eq(pt_names_builder_finish(&builder, 1, &payload), PT_OK);
    trace_file_block(file, PT_BLOCK_NAMES, payload.data, payload.size);
    trace_file_end(file, 5000);
    pt_names_builder_release(&builder);
    pt_buffer_release(&payload);
    return trace_file_open(file);
}

static const struct pt_function *function(const struct pt_trace *trace, uint64_t process, uint32_t id)
{
    return &trace->functions[pt_trace_function(trace, process, id)];
}

Test(names, labels_are_those_of_cprofile)
{
    const struct pt_name names[] = {
        name_of(PT_NAME_PYTHON, "enc", "Encoder.encode", "/x/enc.py", 12, ""),
        name_of(PT_NAME_PYTHON, "enc", "f.<locals>.<lambda>", "/x/enc.py", 13, ""),
        name_of(PT_NAME_PYTHON, "enc", "wrapper", "/x/enc.py", 14, "inner"),
        name_of(PT_NAME_PYTHON, "enc", "main", "/x/enc.py", 15, ""),
        name_of(PT_NAME_C, "builtins", "len", "", 0, "<built-in method builtins.len>"),
        name_of(PT_NAME_C, "zlib", "compress", "", 0, ""),
        name_of(PT_NAME_C, "", "nameless", "", 0, ""),
    };
    static const char *const labels[] = {
        "/x/enc.py:12(encode)",       "/x/enc.py:13(<lambda>)",         "/x/enc.py:14(inner)",
        "/x/enc.py:15(main)",         "<built-in method builtins.len>", "<built-in method zlib.compress>",
        "<built-in method nameless>",
    };
    struct trace_file file;
    struct pt_trace *trace = trace_with(&file, names, 7);
    for (uint32_t i = 0; i < 7; i++)
        cr_expect_str_eq(function(trace, 1, i + 1)->label, labels[i]);
    cr_expect_str_eq(function(trace, 1, 2)->qualname, "f.<locals>.<lambda>");
    cr_expect_eq(function(trace, 1, 1)->hash, 9);
    pt_trace_free(trace);
    trace_file_release(&file);
}

Test(names, functions_that_agree_are_one)
{
    const struct pt_name names[] = {
        name_of(PT_NAME_PYTHON, "m", "f", "/m.py", 1, ""),
        name_of(PT_NAME_PYTHON, "m", "f", "/m.py", 1, ""), /* code that was executed again */
        name_of(PT_NAME_PYTHON, "m", "f", "/m.py", 2, ""),
        name_of(PT_NAME_PYTHON, "m", "g", "/m.py", 1, ""),
        name_of(PT_NAME_PYTHON, "n", "f", "/m.py", 1, ""),
        name_of(PT_NAME_PYTHON, "m", "f", "/n.py", 1, ""),
        name_of(PT_NAME_C, "m", "f", "/m.py", 1, ""),
    };
    struct trace_file file;
    struct pt_trace *trace = trace_with(&file, names, 7);
    cr_expect_eq(trace->function_count, 7, "the unknown one, and six");
    cr_expect_eq(pt_trace_function(trace, 1, 1), pt_trace_function(trace, 1, 2));
    for (uint32_t i = 3; i <= 7; i++)
        cr_expect_neq(pt_trace_function(trace, 1, i), pt_trace_function(trace, 1, 1), "id %u", i);
    pt_trace_free(trace);
    trace_file_release(&file);
}

Test(names, long_and_strange_texts)
{
    char *longest = malloc(1 << 20);
    cr_assert_not_null(longest);
    memset(longest, 'q', (1 << 20) - 1);
    longest[(1 << 20) - 1] = '\0';
    struct pt_name names[] = {
        name_of(PT_NAME_PYTHON, "m\xC3\xA9", "na\x1B[31mme", "/\xE6\x97\xA5/\xFF.py", 1, "odd \"name\"\n"),
        name_of(PT_NAME_PYTHON, "m", longest, "", 0, ""),
        name_of(PT_NAME_PYTHON, "m", "", "", 0, ""),
    };
    names[2].qualname = (struct pt_text){.data = "cut\0off", .size = 7};
    struct trace_file file;
    struct pt_trace *trace = trace_with(&file, names, 3);
    cr_expect_str_eq(function(trace, 1, 1)->module, "m\xC3\xA9");
    cr_expect_str_eq(function(trace, 1, 1)->qualname, "na\x1B[31mme");
    cr_expect_str_eq(function(trace, 1, 1)->label, "/\xE6\x97\xA5/\xFF.py:1(odd \"name\"\n)");
    cr_expect_str_eq(function(trace, 1, 2)->qualname, longest);
    cr_expect_str_eq(function(trace, 1, 3)->qualname, "cut");
    pt_trace_free(trace);
    trace_file_release(&file);
    free(longest);
}

Test(names, ids_are_inherited_from_parents)
{
    struct trace_file file;
    trace_file_begin(&file);
    trace_file_header(&file);
    trace_file_process(&file, 1, 0, 0, 5000);
    trace_file_names(&file, 1, 1, 4);
    trace_file_process(&file, 2, 1, 2, 5000); /* takes over 1 and 2, gives 3 another meaning */
    trace_file_names(&file, 2, 3, 1);
    trace_file_process(&file, 3, 2, 3, 5000); /* takes over 1 and 2 of the first and 3 of the second */
    trace_file_names(&file, 5, 1, 1);         /* of a process that no block tells of */
    trace_file_end(&file, 5000);
    struct pt_trace *trace = trace_file_open(&file);
    for (uint64_t process = 1; process <= 3; process++) {
        cr_expect_str_eq(function(trace, process, 1)->qualname, "C.f1");
        cr_expect_str_eq(function(trace, process, 2)->qualname, "C.f2");
        cr_expect_str_eq(function(trace, process, 3)->qualname, "C.f3");
        cr_expect_eq(pt_trace_function(trace, process, 0), 0);
        cr_expect_eq(pt_trace_function(trace, process, 9), 0);
    }
    cr_expect_neq(pt_trace_function(trace, 1, 4), 0);
    cr_expect_eq(pt_trace_function(trace, 2, 4), 0, "beyond what is inherited nothing is the parent's");
    cr_expect_neq(pt_trace_function(trace, 5, 1), 0);
    cr_expect_eq(pt_trace_function(trace, 6, 1), 0);
    cr_expect_eq(pt_trace_function(trace, 0, 1), 0);
    cr_expect_eq(pt_trace_function(trace, UINT64_MAX, 1), 0);
    pt_trace_free(trace);
    trace_file_release(&file);
}

Test(names, chains_of_parents_end)
{
    enum { COUNT = 300 };
    struct trace_file file;
    trace_file_begin(&file);
    trace_file_header(&file);
    trace_file_process(&file, 1, 0, 0, 5000);
    trace_file_names(&file, 1, 1, 1);
    for (uint64_t serial = 2; serial <= COUNT; serial++)
        trace_file_process(&file, serial, serial - 1, 1, 5000);
    trace_file_process(&file, COUNT + 1, COUNT + 1, 1, 5000); /* its own parent */
    trace_file_process(&file, COUNT + 2, COUNT + 3, 1, 5000); /* parents in a circle */
    trace_file_process(&file, COUNT + 3, COUNT + 2, 1, 5000);
    trace_file_end(&file, 5000);
    struct pt_trace *trace = trace_file_open(&file);
    cr_expect_neq(pt_trace_function(trace, 1, 1), 0);
    cr_expect_neq(pt_trace_function(trace, PT_NAMES_CHAIN_MAX, 1), 0);
    cr_expect_eq(pt_trace_function(trace, PT_NAMES_CHAIN_MAX + 2, 1), 0);
    cr_expect_eq(pt_trace_function(trace, COUNT + 1, 1), 0);
    cr_expect_eq(pt_trace_function(trace, COUNT + 2, 1), 0);
    cr_expect_eq(pt_trace_function(trace, COUNT + 3, 1), 0);
    pt_trace_free(trace);
    trace_file_release(&file);
}
