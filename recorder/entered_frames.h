/* The frames of 3.11 that were reported to be entered, and not yet to be left: a set of addresses, exact however many
 * there are and wherever they lie. The caller holds the GIL. */
#ifndef PT_ENTERED_FRAMES_H
#define PT_ENTERED_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `frames` has open addressing: a frame stands at its place, or after it without a gap between. */
struct pt_entered_frames {
    const void **frames; /* NULL before the first */
    size_t mask;         /* places, a power of two, less one */
    size_t count;        /* at most half the places */
    bool incomplete;     /* memory was short: a frame that is not there may have been entered all the same */
};

extern struct pt_entered_frames pt_entered_frames;

void pt_entered_frames_forget_all(void);

/* The slow ways: there are too many frames for the table, and a frame with others behind it. */
void pt_entered_frames_add_growing(const void *frame);
void pt_entered_frames_close_gap(size_t gap);

static inline size_t pt_entered_frames_place(const void *frame)
{
    const uintptr_t bits = (uintptr_t)frame >> 4;
    return (bits ^ bits >> 12) & pt_entered_frames.mask;
}

/* Where the frame is, or would be. */
static inline size_t pt_entered_frames_find(const void *frame)
{
    size_t place = pt_entered_frames_place(frame);
    while (pt_entered_frames.frames[place] && pt_entered_frames.frames[place] != frame)
        place = (place + 1) & pt_entered_frames.mask;
    return place;
}

static inline void pt_entered_frames_add(const void *frame)
{
    struct pt_entered_frames *set = &pt_entered_frames;
    if (__builtin_expect(2 * set->count > set->mask || !set->frames, 0)) {
        pt_entered_frames_add_growing(frame);
        return;
    }
    const size_t place = pt_entered_frames_find(frame);
    set->count += !set->frames[place];
    set->frames[place] = frame;
}

static inline bool pt_entered_frames_has(const void *frame)
{
    const struct pt_entered_frames *set = &pt_entered_frames;
    return set->incomplete || (set->frames && set->frames[pt_entered_frames_find(frame)]);
}

/* False if it is certain that the frame was never reported to be entered. */
static inline bool pt_entered_frames_remove(const void *frame)
{
    struct pt_entered_frames *set = &pt_entered_frames;
    if (!set->frames)
        return set->incomplete;
    const size_t place = pt_entered_frames_find(frame);
    if (!set->frames[place])
        return set->incomplete;
    set->frames[place] = NULL;
    set->count--;
    if (set->frames[(place + 1) & set->mask])
        pt_entered_frames_close_gap(place);
    return true;
}

#endif
