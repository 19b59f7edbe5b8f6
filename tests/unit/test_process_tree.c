/* The tree of a recording's processes, also where a file tells nonsense about parents. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "process_tree.h"
#include "trace_file.h"

/* A trace of processes 1, 2, … with the given parents. */
static struct pt_input_trace make_trace(struct trace_file *file, const uint64_t *parents, size_t count)
{
    trace_file_begin(file);
    trace_file_header(file);
    for (size_t i = 0; i < count; i++)
        trace_file_process(file, i + 1, parents[i], 0, TRACE_FILE_START_TICK);
    trace_file_end(file, TRACE_FILE_START_TICK);
    return (struct pt_input_trace){.trace = trace_file_open(file)};
}

/* The rows as text: pid, "<" and its parent, ":" and its depth, "'" behind the last of its level. */
static void check_tree(const uint64_t *parents, size_t count, struct pt_serials pids, const char *expected)
{
    struct trace_file file;
    struct pt_input_trace origin = make_trace(&file, parents, count);
    struct pt_process_tree tree;
    char text[512] = "";
    size_t used = 0;

    cr_assert_eq(pt_process_tree_make(&tree, &origin, &pids), PT_OK);
    for (size_t i = 0; i < tree.count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%u<%u:%u%s ", (unsigned)tree.rows[i].pid,
                                 (unsigned)tree.rows[i].parent, tree.rows[i].depth, tree.rows[i].last ? "'" : "");
    cr_assert_str_eq(text, expected);
    pt_process_tree_release(&tree);
    pt_trace_free(origin.trace);
    trace_file_release(&file);
}

#define CHECK(expected, ...)                                                                                           \
    do {                                                                                                               \
        const uint64_t parents[] = {__VA_ARGS__};                                                                      \
        check_tree(parents, sizeof parents / sizeof parents[0], (struct pt_serials){0}, expected);                     \
    } while (0)

#define CHOOSE(first_pid, last_pid, expected, ...)                                                                     \
    do {                                                                                                               \
        const uint64_t parents[] = {__VA_ARGS__};                                                                      \
        struct pt_serials_span span = {first_pid, last_pid};                                                           \
        check_tree(parents, sizeof parents / sizeof parents[0], (struct pt_serials){&span, 1}, expected);              \
    } while (0)

Test(process_tree, children_follow_their_parents)
{
    CHECK("1<0:0' ", 0);
    CHECK("1<0:0' 2<1:1 4<2:2 6<4:3' 5<2:2' 3<1:1' ", 0, 1, 1, 2, 2, 4);
}

Test(process_tree, several_roots)
{
    CHECK("1<0:0 4<1:1' 2<0:0 3<0:0' ", 0, 0, 0, 1);
}

Test(process_tree, who_names_no_earlier_process_is_a_root)
{
    CHECK("1<0:0 2<0:0' ", 1, 2);           /* its own parent */
    CHECK("1<0:0 2<0:0' 3<2:1' ", 0, 3, 2); /* a circle */
    CHECK("1<0:0 2<0:0 3<0:0' ", 99, UINT64_MAX, UINT64_MAX - 1);
}

Test(process_tree, chosen_processes_alone)
{
    CHOOSE(2, 4, "2<1:0 3<2:1' 4<1:0' ", 0, 1, 2, 1, 4);
}

Test(process_tree, the_sums_are_those_of_the_threads)
{
    struct trace_file file;
    struct trace_stream stream;
    struct pt_process_tree tree;
    trace_file_begin(&file);
    trace_file_header(&file);
    trace_file_process(&file, 1, 0, 0, TRACE_FILE_START_TICK);
    trace_file_process(&file, 2, 1, 0, TRACE_FILE_START_TICK);
    trace_file_names(&file, 2, 1, 1);
    trace_file_thread(&file, 1, 2, PT_META_ABSENT);
    trace_file_thread(&file, 2, 2, PT_META_ABSENT);
    trace_file_thread(&file, 3, 77, PT_META_ABSENT); /* of a process that there is not */
    trace_stream_begin(&stream, 1, TRACE_FILE_START_TICK);
    trace_stream_event(&stream, PT_KIND_START, 1, TRACE_FILE_START_TICK + 1);
    trace_stream_event(&stream, PT_KIND_RETURN, 0, TRACE_FILE_START_TICK + 2);
    trace_stream_lost(&stream, 5, TRACE_FILE_START_TICK + 3);
    trace_stream_flush(&stream, &file);
    trace_stream_close(&stream, &file, TRACE_FILE_START_TICK + 4);
    trace_stream_release(&stream);
    trace_file_end(&file, TRACE_FILE_START_TICK + 4);

    struct pt_input_trace origin = {.trace = trace_file_open(&file), .process_offset = 10};
    cr_assert_eq(pt_process_tree_make(&tree, &origin, &(struct pt_serials){0}), PT_OK);
    cr_assert_eq(tree.count, 2);
    cr_assert_eq(tree.rows[0].threads, 0);
    cr_assert_eq(tree.rows[1].pid, 12);
    cr_assert_eq(tree.rows[1].parent, 11);
    cr_assert_eq(tree.rows[1].threads, 2);
    cr_assert_eq(tree.rows[1].events, 2);
    cr_assert_eq(tree.rows[1].lost, 5);
    pt_process_tree_release(&tree);
    pt_trace_free(origin.trace);
    trace_file_release(&file);
}

Test(process_tree, a_chain_of_thousands)
{
    enum { LENGTH = 20000 };
    static uint64_t parents[LENGTH];
    struct trace_file file;
    struct pt_process_tree tree;
    for (size_t i = 0; i < LENGTH; i++)
        parents[i] = i;
    struct pt_input_trace origin = make_trace(&file, parents, LENGTH);
    cr_assert_eq(pt_process_tree_make(&tree, &origin, &(struct pt_serials){0}), PT_OK);
    cr_assert_eq(tree.count, LENGTH);
    cr_assert_eq(tree.deepest, LENGTH - 1);
    for (size_t i = 0; i < LENGTH; i++)
        cr_assert_eq(tree.rows[i].depth, i);
    pt_process_tree_release(&tree);
    pt_trace_free(origin.trace);
    trace_file_release(&file);
}
