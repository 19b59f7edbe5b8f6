#include "clock.h"

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define TICK_PS_MAX  4000 /* the longest tick that is wanted */
#define CALIBRATE_NS 1000000
#define MONOTONIC_PS 1000

#if defined(__x86_64__)

#define CPUID_POWER         0x80000007u
#define CPUID_INVARIANT_TSC (1u << 8) /* in edx: what Linux shows as constant_tsc and nonstop_tsc */

/* False if the kernel, which compares the counters of all processors, took the TSC off its list of clock sources. */
static int kernel_trusts_tsc(void)
{
    char sources[256] = "";
    int descriptor = open("/sys/devices/system/clocksource/clocksource0/available_clocksource", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return 1; /* no /sys in this container: the processor's word has to do */
    ssize_t count = read(descriptor, sources, sizeof sources - 1);
    close(descriptor);
    return count <= 0 || strstr(sources, "tsc") != NULL;
}

static int tsc_readable(void)
{
    int mode = PR_TSC_ENABLE;
    return prctl(PR_GET_TSC, &mode, 0, 0, 0) < 0 || mode == PR_TSC_ENABLE;
}

#endif

/* NULL if the processor's counter can be trusted, else why it cannot. */
static const char *counter_flaw(void)
{
#if defined(__x86_64__)
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(CPUID_POWER, &eax, &ebx, &ecx, &edx) || !(edx & CPUID_INVARIANT_TSC))
        return "its rate is not constant";
    if (!tsc_readable())
        return "this process may not read it";
    if (!kernel_trusts_tsc())
        return "the kernel found that it differs between processors";
#endif
    return NULL;
}

enum pt_status pt_clock_choose(enum pt_clock_choice choice, enum pt_clock_kind *kind, struct pt_error *error)
{
#if defined(__x86_64__)
    const enum pt_clock_kind counter = PT_CLOCK_TSC;
#else
    const enum pt_clock_kind counter = PT_CLOCK_CNTVCT;
#endif
    const char *flaw = NULL;
    switch (choice) {
    case PT_CLOCK_CHOICE_BEST:
        *kind = counter_flaw() ? PT_CLOCK_MONOTONIC : counter;
        return PT_OK;
    case PT_CLOCK_CHOICE_COUNTER:
        flaw = counter_flaw();
        *kind = counter;
        break;
    case PT_CLOCK_CHOICE_MONOTONIC:
        *kind = PT_CLOCK_MONOTONIC;
        return PT_OK;
    case PT_CLOCK_CHOICE_CPU:
        *kind = PT_CLOCK_CPU;
        return PT_OK;
    }
    if (!flaw)
        return PT_OK;
    return pt_error_set(error, PT_UNSUPPORTED, PT_ERROR_NO_OFFSET,
                        "the processor's counter is no clock on this machine: %s", flaw);
}

#if defined(__x86_64__)

struct pair {
    uint64_t count;
    uint64_t ns;
};

/* Both clocks at one moment: of some tries the one that took the least time, which no interrupt has torn apart. */
static struct pair read_pair(void)
{
    struct pair best = {0};
    uint64_t best_span = UINT64_MAX;
    for (int i = 0; i < 8; i++) {
        uint64_t before = pt_clock_counter();
        uint64_t ns = pt_clock_monotonic_ns();
        uint64_t span = pt_clock_counter() - before;
        if (span < best_span) {
            best_span = span;
            best = (struct pair){.count = before + span / 2, .ns = ns};
        }
    }
    return best;
}

static double counter_ps(void)
{
    struct pair first = read_pair();
    struct pair last = first;
    while (last.ns - first.ns < CALIBRATE_NS || last.count == first.count)
        last = read_pair();
    return (double)(last.ns - first.ns) * 1000.0 / (double)(last.count - first.count);
}

#else

static double counter_ps(void)
{
    uint64_t hertz;
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hertz));
    return 1e12 / (double)hertz;
}

#endif

uint64_t pt_clock_calibrate(enum pt_clock_kind kind, uint32_t *shift)
{
    double tick_ps = pt_clock_is_counter(kind) ? counter_ps() : MONOTONIC_PS;
    *shift = 0;
    while (tick_ps * 2 <= TICK_PS_MAX) {
        tick_ps *= 2;
        ++*shift;
    }
    return (uint64_t)(tick_ps + 0.5);
}

const char *pt_clock_name(enum pt_clock_kind kind)
{
    switch (kind) {
    case PT_CLOCK_TSC:
        return "tsc";
    case PT_CLOCK_CNTVCT:
        return "cntvct";
    case PT_CLOCK_MONOTONIC:
        return "monotonic";
    case PT_CLOCK_CPU:
        return "cpu";
    }
    return "unknown";
}
