#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define DELAY_NS  UINT64_C(500000000) /* shorter work is not worth the flicker */
#define PERIOD_NS UINT64_C(100000000)

static uint64_t read_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void pt_progress_init(struct pt_progress *progress, const char *what, uint64_t total, bool allowed)
{
    progress->what = what;
    progress->total = total;
    progress->enabled = allowed && total > 0 && isatty(STDERR_FILENO);
    progress->start_ns = read_clock();
    atomic_init(&progress->done, 0);
    atomic_init(&progress->next_ns, progress->start_ns + DELAY_NS);
    atomic_init(&progress->painted, false);
}

static void paint(struct pt_progress *progress, uint64_t done, uint64_t now_ns)
{
    double share = (double)done / (double)progress->total;
    double spent_s = (double)(now_ns - progress->start_ns) / 1e9;
    char line[96];
    int length;

    if (share > 1)
        share = 1;
    if (share > 0.01)
        length = snprintf(line, sizeof line, "\r%s  %3.0f %%  %.0f s left\x1b[K", progress->what, share * 100,
                          spent_s / share - spent_s + 0.5); /* rounded up: never "0 s left" */
    else
        length = snprintf(line, sizeof line, "\r%s  %3.0f %%\x1b[K", progress->what, share * 100);
    /* One write, so that two painters never mix. What a terminal does not take is lost, and that is fine. */
    if (length > 0 && write(STDERR_FILENO, line, (size_t)length) > 0)
        atomic_store_explicit(&progress->painted, true, memory_order_relaxed);
}

void pt_progress_step(struct pt_progress *progress, uint64_t amount)
{
    if (!progress->enabled)
        return;
    uint64_t done = atomic_fetch_add_explicit(&progress->done, amount, memory_order_relaxed) + amount;
    uint64_t now_ns = read_clock();
    uint64_t next_ns = atomic_load_explicit(&progress->next_ns, memory_order_relaxed);
    if (now_ns >= next_ns && atomic_compare_exchange_strong_explicit(&progress->next_ns, &next_ns, now_ns + PERIOD_NS,
                                                                     memory_order_relaxed, memory_order_relaxed))
        paint(progress, done, now_ns);
}

void pt_progress_finish(struct pt_progress *progress)
{
    static const char erase[] = "\r\x1b[K";
    progress->enabled = false;
    if (atomic_exchange_explicit(&progress->painted, false, memory_order_relaxed) &&
        write(STDERR_FILENO, erase, sizeof erase - 1) < 0)
        return;
}
