#include "diff_paths.h"

#include <stdlib.h>
#include <string.h>

#define KEY_WORDS 2 /* parent and function */

static uint32_t *find_slot(const struct pt_diff_paths *paths, uint32_t parent, uint32_t function)
{
    const uint32_t key[KEY_WORDS] = {parent, function};
    return pt_row_index_find(&paths->index, paths->paths, sizeof *paths->paths, key, KEY_WORDS);
}

/* Room for twice as many paths, and for their cells. */
static enum pt_status grow(struct pt_diff_paths *paths)
{
    const size_t before = paths->index.capacity;
    const size_t row = paths->trace_count * sizeof *paths->cells;
    void *table = paths->paths;
    enum pt_status status = pt_row_index_grow(&paths->index, &table, paths->count, sizeof *paths->paths, KEY_WORDS);
    paths->paths = table;
    PT_TRY(status);
    struct pt_diff_cell *cells = reallocarray(paths->cells, paths->index.capacity, row);
    if (!cells)
        return PT_NOMEM;
    paths->cells = cells;
    memset(&cells[before * paths->trace_count], 0, (paths->index.capacity - before) * row);
    return PT_OK;
}

enum pt_status pt_diff_paths_init(struct pt_diff_paths *paths, size_t trace_count)
{
    *paths = (struct pt_diff_paths){.trace_count = trace_count};
    PT_TRY(grow(paths));
    paths->paths[0] = (struct pt_diff_path){0};
    paths->count = 1;
    return PT_OK;
}

void pt_diff_paths_release(struct pt_diff_paths *paths)
{
    free(paths->paths);
    free(paths->cells);
    pt_row_index_release(&paths->index);
    *paths = (struct pt_diff_paths){0};
}

static enum pt_status find_path(struct pt_diff_paths *paths, uint32_t parent, uint32_t function, uint32_t *path)
{
    uint32_t *slot = find_slot(paths, parent, function);
    if (!*slot) {
        if (paths->count == paths->index.capacity) {
            PT_TRY(grow(paths));
            slot = find_slot(paths, parent, function);
        }
        paths->paths[paths->count] = (struct pt_diff_path){.parent = parent, .function = function};
        *slot = paths->count++;
    }
    *path = *slot;
    return PT_OK;
}

enum pt_status pt_diff_paths_add(struct pt_diff_paths *paths, const struct pt_call_tree *tree, size_t trace)
{
    enum pt_status status = PT_OK;
    uint32_t *path_of = calloc(tree->count, sizeof *path_of); /* by node; parents stand before their children */
    if (!path_of)
        return PT_NOMEM;
    for (uint32_t i = 1; i < tree->count && status == PT_OK; i++) {
        const struct pt_call_node *node = &tree->nodes[i];
        status = find_path(paths, path_of[node->parent], node->function, &path_of[i]);
        if (status != PT_OK)
            break;
        struct pt_diff_cell *cell = &paths->cells[path_of[i] * paths->trace_count + trace];
        cell->calls += node->calls;
        cell->self_clock += node->self_ticks;
    }
    free(path_of);
    return status;
}
