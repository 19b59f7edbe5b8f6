#include "thread_clock.h"

#include <pthread.h>

#include "clock.h"

static uint64_t cpu_ns(clockid_t clock)
{
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t pt_thread_clock_start(struct pt_thread_state *self)
{
    if (self->clock != PT_CLOCK_CPU)
        return pt_thread_clock_tick(self);
    /* This order, so that the thread's time never runs ahead of the other clock. */
    const uint64_t start_ns = pt_clock_monotonic_ns();
    if (pthread_getcpuclockid(pthread_self(), &self->cpu_clock) != 0)
        self->cpu_clock = CLOCK_THREAD_CPUTIME_ID;
    self->cpu_base_ns = start_ns - cpu_ns(self->cpu_clock);
    return start_ns >> self->tick_shift;
}

uint64_t pt_thread_clock_tick(const struct pt_thread_state *self)
{
    if (self->clock == PT_CLOCK_CPU)
        return (self->cpu_base_ns + cpu_ns(self->cpu_clock)) >> self->tick_shift;
    return pt_clock_tick(self->clock, self->tick_shift);
}

uint64_t pt_thread_clock_tick_of(const struct pt_thread_state *thread, uint64_t otherwise)
{
    if (thread->clock == PT_CLOCK_CPU && !pt_arena_owner_alive(&thread->slot->owner))
        return otherwise; /* its clock is gone with it */
    const uint64_t tick = pt_thread_clock_tick(thread);
    return tick > otherwise ? tick : otherwise;
}
