#include "diff_paths.h"

#include <stdlib.h>
#include <string.h>

static uint32_t *find_slot(const struct pt_diff_paths *paths, uint32_t parent, uint32_t function)
{
    uint64_t key = ((uint64_t)parent << 32 | function) * UINT64_C(0x9E3779B97F4A7C15);
    for (uint32_t at = (uint32_t)(key >> 32) & paths->slot_mask;; at = (at + 1) & paths->slot_mask) {
        uint32_t path = paths->slots[at];
        if (!path || (paths->paths[path].parent == parent && paths->paths[path].function == function))
            return &paths->slots[at];
    }
}

/* Room for twice as many paths; the hash stays at most half full. */
static enum pt_status grow(struct pt_diff_paths *paths)
{
    uint32_t capacity = paths->capacity ? 2 * paths->capacity : 1024;
    size_t row = paths->trace_count * sizeof *paths->cells;
    if (capacity > UINT32_C(1) << 30)
        return PT_NOMEM;
    struct pt_diff_path *grown = reallocarray(paths->paths, capacity, sizeof *grown);
    if (!grown)
        return PT_NOMEM;
    paths->paths = grown;
    struct pt_diff_cell *cells = reallocarray(paths->cells, capacity, row);
    if (!cells)
        return PT_NOMEM;
    paths->cells = cells;
    memset(&cells[paths->capacity * paths->trace_count], 0, (capacity - paths->capacity) * row);
    uint32_t *slots = calloc(2 * (size_t)capacity, sizeof *slots);
    if (!slots)
        return PT_NOMEM;
    free(paths->slots);
    paths->slots = slots;
    paths->slot_mask = 2 * capacity - 1;
    paths->capacity = capacity;
    for (uint32_t path = 1; path < paths->count; path++)
        *find_slot(paths, paths->paths[path].parent, paths->paths[path].function) = path;
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
    free(paths->slots);
    *paths = (struct pt_diff_paths){0};
}

static enum pt_status find_path(struct pt_diff_paths *paths, uint32_t parent, uint32_t function, uint32_t *path)
{
    uint32_t *slot = find_slot(paths, parent, function);
    if (!*slot) {
        if (paths->count == paths->capacity) {
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
