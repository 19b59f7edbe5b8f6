#include "entered_frames.h"

#include <stdlib.h>

#define PLACES_MIN 4096u

struct pt_entered_frames pt_entered_frames;

void pt_entered_frames_forget_all(void)
{
    free(pt_entered_frames.frames);
    pt_entered_frames = (struct pt_entered_frames){0};
}

static bool grow(void)
{
    struct pt_entered_frames *set = &pt_entered_frames;
    const size_t places = set->frames ? 2 * (set->mask + 1) : PLACES_MIN;
    const struct pt_entered_frames old = *set;
    const void **frames = calloc(places, sizeof *frames);
    if (!frames)
        return false;
    set->frames = frames;
    set->mask = places - 1;
    for (size_t i = 0; old.frames && i <= old.mask; i++)
        if (old.frames[i])
            frames[pt_entered_frames_find(old.frames[i])] = old.frames[i];
    free(old.frames);
    return true;
}

void pt_entered_frames_add_growing(const void *frame)
{
    if (grow())
        pt_entered_frames_add(frame);
    else
        pt_entered_frames.incomplete = true;
}

/* Whatever stands after the gap, and would not be found across it, moves up. */
void pt_entered_frames_close_gap(size_t gap)
{
    struct pt_entered_frames *set = &pt_entered_frames;
    for (size_t i = (gap + 1) & set->mask; set->frames[i]; i = (i + 1) & set->mask) {
        const size_t wanted = pt_entered_frames_place(set->frames[i]);
        if (((i - wanted) & set->mask) < ((i - gap) & set->mask))
            continue;
        set->frames[gap] = set->frames[i];
        set->frames[i] = NULL;
        gap = i;
    }
}
