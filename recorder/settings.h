/* What a recording was asked to do: filled from the options of `pytrace.start`, sent to the drain process, and from there into
 * the arena's control page and the trace's header. */
#ifndef PT_SETTINGS_H
#define PT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "costs.h"

#define PT_SETTINGS_RING_SIZE         (UINT64_C(1) << 20)
#define PT_SETTINGS_MAX_THREADS       256u
#define PT_SETTINGS_FLUSH_INTERVAL_NS UINT64_C(1000000000)
#define PT_SETTINGS_LEVEL             1

enum pt_clock_choice {
    PT_CLOCK_CHOICE_BEST,
    PT_CLOCK_CHOICE_COUNTER,
    PT_CLOCK_CHOICE_MONOTONIC,
    PT_CLOCK_CHOICE_CPU,
};

/* Texts are borrowed and may be NULL where that is said. */
struct pt_settings {
    const char *output; /* absolute path of the trace */
    bool force;         /* an existing trace is replaced */
    bool c_calls;
    const char *lines;   /* of which functions: a regular expression; NULL for none */
    const char *opcodes; /* the same for instructions */
    bool exceptions;
    bool drop; /* policy: drop, else block */
    bool children;
    enum pt_clock_choice clock;
    uint64_t ring_size;
    uint32_t max_threads;
    uint64_t flush_interval_ns;
    uint64_t max_size;    /* bytes of trace, 0 for no limit */
    int level;            /* zstd */
    const char *ring_dir; /* where the arena is to lie; NULL: the drain decides */

    /* What the header tells of the host. */
    uint64_t pid;
    const char *program;
    const char *const *argv; /* argc texts; none under --no-argv */
    size_t argc;
    const char *executable; /* NULL under --no-argv */
    const char *python;
    const char *hook;
    struct pt_cost costs[PT_COST_KINDS];
};

#endif
