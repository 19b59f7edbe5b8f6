/* The set of entered frames, beside one that is an array of flags. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "entered_frames.h"

#define FRAMES 20000u

/* Frames lie close together, as an allocator would put them; and far apart, in places that coincide. */
static const void *frame_at(size_t number, size_t spacing)
{
    return (const void *)(uintptr_t)(0x7f0000000010u + number * spacing);
}

static void check_all(const bool *entered, size_t count, size_t spacing)
{
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(pt_entered_frames_has(frame_at(i, spacing)), entered[i], "frame %zu", i);
}

static void enter_and_leave_at_random(size_t count, size_t spacing, unsigned rounds)
{
    static bool entered[FRAMES];
    memset(entered, 0, sizeof entered);
    pt_entered_frames_forget_all();
    srand(1);
    for (unsigned round = 0; round < rounds; round++) {
        const size_t i = (size_t)rand() % count;
        if (rand() % 2) {
            pt_entered_frames_add(frame_at(i, spacing));
            entered[i] = true;
        } else {
            cr_assert_eq(pt_entered_frames_remove(frame_at(i, spacing)), entered[i], "frame %zu", i);
            entered[i] = false;
        }
        if (round % (rounds / 8) == 0)
            check_all(entered, count, spacing);
    }
    check_all(entered, count, spacing);
}

Test(entered_frames, few_in_one_place)
{
    enter_and_leave_at_random(8, (size_t)1 << 28, 4000);
}

Test(entered_frames, close_together)
{
    enter_and_leave_at_random(1000, 80, 100000);
}

Test(entered_frames, more_than_there_were_places)
{
    enter_and_leave_at_random(FRAMES, 112, 400000);
}

Test(entered_frames, forgotten_all)
{
    pt_entered_frames_add(frame_at(1, 80));
    pt_entered_frames_forget_all();
    cr_assert_not(pt_entered_frames_has(frame_at(1, 80)));
    cr_assert_not(pt_entered_frames_remove(frame_at(1, 80)));
}
