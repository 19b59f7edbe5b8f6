#include "retired.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

struct retired {
    struct retired *next;
    struct pt_arena arena;
    struct pt_thread_state *threads;
};

static struct retired *first;

void pt_retired_add(const struct pt_arena *arena, struct pt_thread_state *threads)
{
    struct retired *retired = malloc(sizeof *retired);
    if (!retired)
        return; /* mapped for ever then */
    *retired = (struct retired){first, *arena, threads};
    first = retired;
}

static bool is_held(const struct pt_arena *arena)
{
    for (uint32_t i = 0; i < arena->shape.process_count; i++)
        if (pt_arena_owner_alive(&pt_arena_process(arena, i)->owner))
            return true;
    for (uint32_t i = 0; i < arena->shape.slot_count; i++)
        if (pt_arena_owner_alive(&pt_arena_slot(arena, i)->owner))
            return true;
    return false;
}

void pt_retired_free(void)
{
    struct retired **link = &first;
    while (*link) {
        struct retired *retired = *link;
        if (is_held(&retired->arena)) {
            link = &retired->next;
            continue;
        }
        *link = retired->next;
        munmap(retired->threads, retired->arena.shape.slot_count * sizeof *retired->threads);
        pt_arena_unmap(&retired->arena);
        free(retired);
    }
}
