#include "drain_shape.h"

#include <errno.h>
#include <sys/resource.h>

#define PROCESSES    256
#define JOURNAL_SIZE (UINT64_C(256) << 10)

uint64_t pt_drain_shape_space(const struct pt_arena_shape *shape, uint64_t entries)
{
    return shape->journals_offset + entries * (shape->journal_size + shape->ring_size);
}

/* Fewer entries first, down to those that are kept ahead; then smaller rings. False if there is nothing to give up. */
static bool shrink(struct pt_arena_shape *shape)
{
    bool shrinkable = shape->process_count > PT_DRAIN_AHEAD_ENTRIES || shape->slot_count > PT_DRAIN_AHEAD_ENTRIES;
    if (!shrinkable && shape->ring_size == PT_ARENA_RING_MIN)
        return false;
    if (!shrinkable)
        shape->ring_size /= 2;
    if (shape->process_count > PT_DRAIN_AHEAD_ENTRIES)
        shape->process_count /= 2;
    if (shape->slot_count > PT_DRAIN_AHEAD_ENTRIES)
        shape->slot_count /= 2;
    return pt_arena_shape_plan(shape) == PT_OK;
}

enum pt_status pt_drain_shape_plan(struct pt_arena_shape *shape, bool *size_limited, const struct pt_settings *settings,
                                   struct pt_error *error)
{
    struct rlimit limit = {.rlim_cur = RLIM_INFINITY}; /* as far as it goes: spawning raised it to the hard limit */
    *shape = (struct pt_arena_shape){
        .process_count = PROCESSES,
        .slot_count = settings->max_threads,
        .journal_size = JOURNAL_SIZE,
        .ring_size = settings->ring_size,
    };
    if (pt_arena_shape_plan(shape) != PT_OK)
        return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "%u threads with rings of %llu bytes are no arena",
                            shape->slot_count, (unsigned long long)shape->ring_size);
    getrlimit(RLIMIT_FSIZE, &limit);
    while (limit.rlim_cur != RLIM_INFINITY && shape->file_size > limit.rlim_cur) {
        *size_limited = true;
        errno = EFBIG;
        if (!shrink(shape))
            return pt_error_set_errno(error, "cannot make", "rings within the limit on file sizes");
    }
    return PT_OK;
}

enum pt_status pt_drain_shape_fit(struct pt_arena_shape *shape, bool *short_of_room, uint64_t room)
{
    while (pt_drain_shape_space(shape, PT_DRAIN_FIRST_ENTRIES) > room) {
        *short_of_room = true;
        shape->ring_size /= 2;
        PT_TRY(pt_arena_shape_plan(shape));
    }
    return PT_OK;
}
