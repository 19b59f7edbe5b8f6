/* Ticks and time (SPEC.md 4.4). */
#include "trace_private.h"

typedef unsigned __int128 wide_uint;
typedef __int128 wide_int;

/* Beyond any time that a real clock shows, and far from where sums of two would overflow. */
#define TIME_MAX ((wide_uint)1 << 100)

/* A line through (tick, time) that rises by `rise` nanoseconds in `run` ticks. */
struct line {
    uint64_t tick;
    uint64_t time;
    uint64_t rise;
    uint64_t run;
};

/* Rounded down, also to the left of the line's origin. */
static wide_int on_line(const struct line *line, uint64_t tick)
{
    uint64_t distance = tick >= line->tick ? tick - line->tick : line->tick - tick;
    wide_uint product = (wide_uint)distance * line->rise;
    wide_uint part = product / line->run;
    if (tick < line->tick && product % line->run != 0)
        part++;
    part = part < TIME_MAX ? part : TIME_MAX;
    return tick >= line->tick ? (wide_int)line->time + (wide_int)part : (wide_int)line->time - (wide_int)part;
}

static uint64_t tick_ps(const struct pt_trace *trace)
{
    return trace->has_header && trace->header.tick_ps > 0 ? trace->header.tick_ps : 1000;
}

/* The line between the triples around `tick`; the outermost ones go on for ever. */
static struct line line_at(const struct pt_trace *trace, uint64_t tick)
{
    if (trace->clock_count < 2) {
        struct line line = {.rise = tick_ps(trace), .run = 1000};
        if (trace->clock_count == 1) {
            line.tick = trace->clocks[0].tick;
            line.time = trace->clocks[0].monotonic_ns;
        }
        return line;
    }
    size_t low = 0, high = trace->clock_count - 2; /* the triple that the line starts from */
    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;
        if (trace->clocks[middle].tick <= tick)
            low = middle;
        else
            high = middle - 1;
    }
    const struct pt_clock *from = &trace->clocks[low], *to = from + 1;
    return (struct line){from->tick, from->monotonic_ns, to->monotonic_ns - from->monotonic_ns, to->tick - from->tick};
}

static wide_int monotonic_ns(const struct pt_trace *trace, uint64_t tick)
{
    struct line line = line_at(trace, tick);
    return on_line(&line, tick);
}

uint64_t pt_trace_ns(const struct pt_trace *trace, uint64_t tick)
{
    wide_int ns = monotonic_ns(trace, tick) - monotonic_ns(trace, trace->private->start_tick);
    if (ns < 0)
        return 0;
    return ns < (wide_int)UINT64_MAX ? (uint64_t)ns : UINT64_MAX;
}

double pt_trace_tick_ns(const struct pt_trace *trace)
{
    if (trace->clock_count < 2)
        return (double)tick_ps(trace) / 1000;
    const struct pt_clock *first = &trace->clocks[0], *last = &trace->clocks[trace->clock_count - 1];
    return (double)(last->monotonic_ns - first->monotonic_ns) / (double)(last->tick - first->tick);
}

uint64_t pt_trace_start_tick(const struct pt_trace *trace)
{
    return trace->private->start_tick;
}

uint64_t pt_trace_end_tick(const struct pt_trace *trace)
{
    return trace->private->end_tick;
}

/* --- Where a trace starts and ends ---------------------------------------------------------------------------- */

static uint64_t find_start(const struct pt_trace *trace)
{
    if (trace->has_header)
        return trace->header.start_tick;
    for (size_t i = 0; i < trace->process_count; i++) {
        if (trace->processes[i].serial != 0)
            return trace->processes[i].start_tick;
    }
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < trace->thread_count; i++) {
        const struct pt_trace_thread *thread = &trace->threads[i];
        if (thread->chunk_count > 0 && thread->chunks[0].info.first_tick < least)
            least = thread->chunks[0].info.first_tick;
    }
    return least == UINT64_MAX ? 0 : least;
}

static void raise_to(uint64_t *greatest, uint64_t tick)
{
    if (tick != PT_META_ABSENT && tick > *greatest)
        *greatest = tick;
}

static uint64_t find_end(const struct pt_trace *trace, uint64_t start)
{
    if (trace->has_end)
        return trace->end.end_tick;
    uint64_t greatest = start;
    for (size_t i = 0; i < trace->process_count; i++)
        raise_to(&greatest, trace->processes[i].end_tick);
    for (size_t i = 0; i < trace->thread_count; i++) {
        const struct pt_trace_thread *thread = &trace->threads[i];
        raise_to(&greatest, thread->meta.end_tick);
        for (size_t j = 0; j < thread->chunk_count; j++)
            raise_to(&greatest, thread->chunks[j].info.last_tick);
    }
    if (trace->clock_count > 0)
        raise_to(&greatest, trace->clocks[trace->clock_count - 1].tick);
    return greatest;
}

void pt_trace_find_ends(struct pt_trace *trace)
{
    trace->private->start_tick = find_start(trace);
    trace->private->end_tick = find_end(trace, trace->private->start_tick);
}
