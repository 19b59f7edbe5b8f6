/* The clock of a recording: chosen once by the drain, read in place by every hook. */
#ifndef PT_CLOCK_H
#define PT_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "arena.h"

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
 * nanoseconds against the code around it, which is less than what reading it orderly would cost. */
static inline uint64_t pt_clock_counter(void)
{
#if defined(__x86_64__)
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
#elif defined(__aarch64__)
    uint64_t value;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
    return value;
#else
#error "no clock for this architecture"
#endif
}

/* The tick of now. `kind` and `shift` are those of the control page. */
static inline uint64_t pt_clock_tick(enum pt_clock_kind kind, uint32_t shift)
{
    uint64_t count = __builtin_expect(kind == PT_CLOCK_MONOTONIC, 0) ? pt_clock_monotonic_ns() : pt_clock_counter();
    return count >> shift;
}

/* The best clock of this machine: the TSC where the processor calls it invariant, the kernel has not given it up as a clock source and
 * this process may read it; the virtual counter on aarch64; else CLOCK_MONOTONIC. */
enum pt_clock_kind pt_clock_choose(void);

/* Measures the clock against CLOCK_MONOTONIC for 1 ms (aarch64 tells its frequency: no time at all) and chooses the shift that makes a tick the longest one up to 4 ns
 * (finer ticks would store noise: a stamp takes over 10 ns to read). Returns the length of a tick in picoseconds. */
uint64_t pt_clock_calibrate(enum pt_clock_kind kind, uint32_t *shift);

/* "tsc", "cntvct", "monotonic" */
const char *pt_clock_name(enum pt_clock_kind kind);

#endif
