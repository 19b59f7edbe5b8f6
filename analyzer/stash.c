#include "stash.h"

#include <stdlib.h>
#include <string.h>

void pt_stash_release(struct pt_stash *stash)
{
    for (size_t i = 0; i < stash->count; i++)
        if (i != stash->place)
            free(stash->stacks[i].frames);
    free(stash->stacks);
    *stash = (struct pt_stash){0};
}

/* Room for every place up to `most`. */
static enum pt_status grow(struct pt_stash *stash, uint32_t most)
{
    if (most < stash->count)
        return PT_OK;
    size_t count = stash->count ? 2 * stash->count : 16;
    if (count <= most)
        count = (size_t)most + 1;
    struct pt_stash_stack *stacks = reallocarray(stash->stacks, count, sizeof *stacks);
    if (!stacks)
        return PT_NOMEM;
    memset(stacks + stash->count, 0, (count - stash->count) * sizeof *stacks);
    stash->stacks = stacks;
    stash->count = count;
    return PT_OK;
}

enum pt_status pt_stash_switch(struct pt_stash *stash, uint32_t place, uint64_t clock, struct pt_stash_stack *stack,
                               uint64_t *away)
{
    PT_TRY(grow(stash, place > stash->place ? place : stash->place));
    stack->clock = clock;
    stash->stacks[stash->place] = *stack;
    stash->place = place;
    *stack = stash->stacks[place];
    *away = clock - stack->clock;
    return PT_OK;
}
