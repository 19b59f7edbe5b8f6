/* The clock of a recording: chosen once by the drain, read in place by every hook. */
#ifndef PT_CLOCK_H
#define PT_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "arena.h"
#include "settings.h"
#include "status.h"

static inline uint64_t pt_clock_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t pt_clock_realtime_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The processor's own counter: the TSC, or the virtual count of aarch64. Not serialising: a stamp may slip by some ten
 * nanoseconds against the code around it, which is less than what reading it orderly would cost. The compiler keeps
 * loads and stores on the side of it on which they are written. */
static inline uint64_t pt_clock_counter(void)
{
#if defined(__x86_64__)
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
#elif defined(__aarch64__)
    uint64_t value;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value) : : "memory");
    return value;
#else
#error "no clock for this architecture"
#endif
}

static inline bool pt_clock_is_counter(enum pt_clock_kind kind)
{
    return kind == PT_CLOCK_TSC || kind == PT_CLOCK_CNTVCT;
}

/* The tick of now, for everything but the records of a thread (pt_ring_tick): under PT_CLOCK_CPU that of CLOCK_MONOTONIC.
 * `kind` and `shift` are those of the control page. */
static inline uint64_t pt_clock_tick(enum pt_clock_kind kind, uint32_t shift)
{
    uint64_t count = __builtin_expect(pt_clock_is_counter(kind), 1) ? pt_clock_counter() : pt_clock_monotonic_ns();
    return count >> shift;
}

/* Sets `*kind` to the clock that `choice` asks for. PT_CLOCK_CHOICE_BEST is the processor's counter where it can be
 * trusted: the TSC where the processor calls it invariant, the kernel has not given it up as a clock source and this
 * process may read it; the virtual counter on aarch64; else CLOCK_MONOTONIC. PT_UNSUPPORTED if there is no such clock here. */
PT_MUST_USE enum pt_status pt_clock_choose(enum pt_clock_choice choice, enum pt_clock_kind *kind,
                                           struct pt_error *error);

/* Measures the clock against CLOCK_MONOTONIC for 1 ms (aarch64 tells its frequency: no time at all) and chooses the shift that makes a tick the longest one up to 4 ns
 * (finer ticks would store noise: a stamp takes over 10 ns to read). Returns the length of a tick in picoseconds. */
uint64_t pt_clock_calibrate(enum pt_clock_kind kind, uint32_t *shift);

/* "tsc", "cntvct", "monotonic", "cpu" */
const char *pt_clock_name(enum pt_clock_kind kind);

#endif
