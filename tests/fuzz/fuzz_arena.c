/* Any bytes as an arena that a crashed recording left: looked at as salvage does, twice, the second turn finishing everything. */
#include <stdlib.h>
#include <string.h>

#include "collector.h"
#include "fuzz.h"

static enum pt_status ignore_block(void *context, enum pt_block_type type, const uint8_t *payload, uint32_t size)
{
    (void)type;
    (void)payload;
    *(uint64_t *)context += size;
    return PT_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct pt_collector_settings settings = {.live = false, .zstd_level = 1};
    struct pt_arena arena;
    struct pt_collector *collector;
    uint64_t bytes = 0;
    if (size < PT_ARENA_CONTROL_SIZE)
        return 0;
    uint8_t *copy = aligned_alloc(PT_ARENA_CONTROL_SIZE,
                                  (size + PT_ARENA_CONTROL_SIZE - 1) / PT_ARENA_CONTROL_SIZE * PT_ARENA_CONTROL_SIZE);
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    if (pt_arena_view(&arena, copy, size, NULL) == PT_OK &&
        pt_collector_new(&collector, &arena, &settings, ignore_block, &bytes) == PT_OK) {
        if (pt_collector_turn(collector, PT_COLLECT_ALL, 1000) == PT_OK)
            (void)!pt_collector_finish(collector, 2000, "killed");
        pt_collector_free(collector);
    }
    free(copy);
    return 0;
}
