/* What reading the clock costs an event: alone, and between two pieces of work that a processor otherwise does at once.
 *
 *     clock_cost
 *
 * Each piece is a chain of multiplications that wait for one another, but not for the other piece. If reading the
 * counter takes longer between them than alone, nothing before it overlaps with anything after it: then an event costs
 * not only the reading, but what the interpreter would have done meanwhile. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "clock.h"

#define ROUNDS  200000u
#define REPEATS 15
#define CHAIN   30

/* What lies between the two pieces. */
enum between { NOTHING, FENCE, COUNTER, SYSTEM_CLOCK };

static const char *const names[] = {"nothing", "a fence (of loads)", "the processor's counter", "clock_gettime"};

static inline void fence(void)
{
#if defined(__x86_64__)
    __asm__ volatile("lfence" : : : "memory");
#else
    __asm__ volatile("isb" : : : "memory");
#endif
}

static inline void pass(enum between between)
{
    switch (between) {
    case NOTHING:
        break;
    case FENCE:
        fence();
        break;
    case COUNTER:
        (void)pt_clock_counter();
        break;
    case SYSTEM_CLOCK:
        (void)pt_clock_monotonic_ns();
        break;
    }
}

static inline uint64_t chain(uint64_t value)
{
#pragma GCC unroll 30
    for (int i = 0; i < CHAIN; i++) {
        value *= UINT64_C(0x9E3779B97F4A7C15);
        __asm__ volatile("" : "+r"(value)); /* no shorter way to the result */
    }
    return value;
}

static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Nanoseconds of CPU time for each time that `between` was passed: the least of some repeats. */
static inline __attribute__((always_inline)) double measure(enum between between, bool with_work)
{
    uint64_t best = UINT64_MAX;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        const uint64_t start = cpu_ns();
        for (uint32_t i = 0; i < ROUNDS; i++) {
            uint64_t one = i, other = i;
            if (with_work)
                one = chain(one);
            pass(between);
            if (with_work)
                other = chain(other);
            __asm__ volatile("" : : "r"(one), "r"(other));
        }
        const uint64_t spent = cpu_ns() - start;
        best = spent < best ? spent : best;
    }
    return (double)best / ROUNDS;
}

int main(void)
{
    const double alone[] = {measure(NOTHING, false), measure(FENCE, false), measure(COUNTER, false),
                            measure(SYSTEM_CLOCK, false)};
    const double between[] = {measure(NOTHING, true), measure(FENCE, true), measure(COUNTER, true),
                              measure(SYSTEM_CLOCK, true)};
    printf("%-26s %12s %16s\n", "ns", "alone", "between work");
    for (int i = NOTHING; i <= SYSTEM_CLOCK; i++)
        printf("%-26s %12.1f %16.1f\n", names[i], alone[i], between[i]);
    return 0;
}
