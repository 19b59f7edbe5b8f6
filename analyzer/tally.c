#include "tally.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "flights.h"
#include "replay.h"
#include "stream_walk.h"

enum pt_status pt_tally_init(struct pt_tally *tally, size_t count, double tick_ns)
{
    *tally = (struct pt_tally){.entry_count = count, .tick_ns = tick_ns, .frame_capacity = 256};
    tally->entries = calloc(count + 1, sizeof *tally->entries);
    tally->frames = calloc(tally->frame_capacity, sizeof *tally->frames);
    return tally->entries && tally->frames ? PT_OK : PT_NOMEM;
}

void pt_tally_release(struct pt_tally *tally)
{
    if (tally->entries)
        for (size_t i = 0; i < tally->entry_count; i++)
            pt_histogram_release(&tally->entries[i].durations);
    free(tally->entries);
    free(tally->frames);
    pt_stash_release(&tally->stash);
    *tally = (struct pt_tally){0};
}

/* --- Steps ------------------------------------------------------------------------------------------------------ */

/* Room for `more` frames above those that are open. */
static enum pt_status reserve(struct pt_tally *tally, size_t more)
{
    if (tally->frame_capacity > tally->depth + more)
        return PT_OK;
    const size_t capacity = 2 * tally->depth + more + 1;
    struct pt_tally_frame *frames = reallocarray(tally->frames, capacity, sizeof *frames);
    if (!frames)
        return PT_NOMEM;
    tally->frames = frames;
    tally->frame_capacity = capacity;
    return PT_OK;
}

/* What is at hand while steps are taken. */
struct hot {
    struct pt_tally *tally;
    struct pt_tally_entry *entries;
    struct pt_tally_frame *top;
    uint64_t last;
};

static PT_STREAM_INLINE void pick_up(struct hot *hot, struct pt_tally *tally)
{
    *hot = (struct hot){tally, tally->entries, &tally->frames[tally->depth], tally->last};
}

static PT_STREAM_INLINE void put_down(const struct hot *hot)
{
    hot->tally->depth = (size_t)(hot->top - hot->tally->frames);
    hot->tally->last = hot->last;
}

static PT_STREAM_INLINE void pass(struct hot *hot, uint64_t clock)
{
    hot->top->self += clock - hot->last;
    hot->last = clock;
}

static PT_STREAM_INLINE void enter(struct hot *hot, uint32_t number, uint32_t call, uint64_t clock)
{
    struct pt_tally_entry *entry = &hot->entries[number];
    pass(hot, clock);
    *++hot->top =
        (struct pt_tally_frame){.entry_clock = clock, .entry = entry, .active = ++entry->active, .call = call};
}

static PT_STREAM_INLINE enum pt_status leave(struct hot *hot, enum pt_step_kind kind, uint64_t clock)
{
    pass(hot, clock);
    const struct pt_tally_frame *frame = hot->top--;
    struct pt_tally_entry *entry = frame->entry;
    entry->self += frame->self;
    entry->calls += frame->call;
    entry->raised += kind == PT_STEP_RAISE;
    entry->active--;
    if (frame->active > entry->recursion)
        entry->recursion = frame->active;
    if (frame->active > 1)
        return PT_OK;
    const uint64_t duration = clock - frame->entry_clock;
    entry->primitive += frame->call;
    entry->total += duration;
    return frame->call ? pt_histogram_add(&entry->durations, duration) : PT_OK;
}

/* Another greenlet goes on, with frames of its own: what is recursion is told by them alone. */
static enum pt_status switch_to(struct pt_tally *tally, const struct pt_step *step, size_t more)
{
    struct pt_stash_stack stack = {.frames = tally->frames, .depth = tally->depth, .capacity = tally->frame_capacity};
    uint64_t away;
    for (size_t i = 1; i <= tally->depth; i++)
        tally->frames[i].entry->active--;
    PT_TRY(pt_stash_switch(&tally->stash, step->function, step->clock, &stack, &away));
    const bool is_new = !stack.frames;
    tally->frames = stack.frames;
    tally->depth = stack.depth;
    tally->frame_capacity = stack.capacity;
    PT_TRY(reserve(tally, more));
    if (is_new)
        tally->frames[0] = (struct pt_tally_frame){0};
    for (size_t i = 1; i <= tally->depth; i++) {
        tally->frames[i].entry->active++;
        tally->frames[i].entry_clock += away;
    }
    return PT_OK;
}

enum pt_status pt_tally_add(struct pt_tally *tally, const struct pt_step *steps, size_t count)
{
    struct hot hot;
    enum pt_status status = PT_OK;
    if (tally->depth == 0 && count > 0)
        tally->last = steps[0].clock; /* a thread begins: its clock has nothing to do with that of the thread before */
    PT_TRY(reserve(tally, count));
    pick_up(&hot, tally);
    for (size_t i = 0; i < count && status == PT_OK; i++) {
        const struct pt_step *step = &steps[i];
        switch ((enum pt_step_kind)step->kind) {
        case PT_STEP_CALL:
        case PT_STEP_OPEN:
            enter(&hot, step->function, step->kind == PT_STEP_CALL, step->clock);
            break;
        case PT_STEP_LEAVE:
        case PT_STEP_RAISE:
        case PT_STEP_CLOSE:
            status = leave(&hot, step->kind, step->clock);
            break;
        case PT_STEP_SWITCH:
            pass(&hot, step->clock);
            put_down(&hot);
            status = switch_to(tally, step, count - i);
            pick_up(&hot, tally);
            break;
        case PT_STEP_SKIP:
            hot.last = step->clock;
            break;
        case PT_STEP_PAUSE:
        case PT_STEP_LINE:
        case PT_STEP_OPCODE:
        case PT_STEP_EXCEPTION:
            pass(&hot, step->clock);
            break;
        }
    }
    put_down(&hot);
    return status;
}

/* --- Chunks ----------------------------------------------------------------------------------------------------- */

static PT_STREAM_INLINE void enter_plain(void *hot, uint32_t shown, uint64_t tick)
{
    enter(hot, shown, 1, tick);
}

static PT_STREAM_INLINE enum pt_status leave_plain(void *hot, enum pt_step_kind kind, uint64_t tick)
{
    return leave(hot, kind, tick);
}

static PT_STREAM_INLINE void pause_tally(void *hot, struct pt_stream *stream)
{
    (void)stream;
    put_down(hot);
}

/* What the slow path has made is taken like any steps. */
static PT_STREAM_INLINE enum pt_status go_on(void *hot, struct pt_stream *stream)
{
    struct pt_tally *tally = ((struct hot *)hot)->tally;
    enum pt_status status = pt_tally_add(tally, stream->steps, stream->step_count);
    stream->step_count = 0;
    if (status == PT_OK)
        status = reserve(tally, stream->chunk.info.entries);
    if (tally->depth == 0)
        tally->last = stream->tick;
    pick_up(hot, tally);
    return status;
}

static const struct pt_stream_taker tally_taker = {enter_plain, leave_plain, pause_tally, go_on};

enum pt_status pt_tally_run(void *context, struct pt_stream *stream)
{
    struct hot hot = {.tally = context};
    return pt_stream_walk(stream, &tally_taker, &hot);
}

/* --- Sums of sums ----------------------------------------------------------------------------------------------- */

enum pt_status pt_tally_merge(struct pt_tally *into, const struct pt_tally *from)
{
    double factor = from->tick_ns == into->tick_ns ? 1.0 : from->tick_ns / into->tick_ns;
    for (size_t i = 0; i < from->entry_count; i++) {
        struct pt_tally_entry *to = &into->entries[i];
        const struct pt_tally_entry *entry = &from->entries[i];
        to->self += factor == 1.0 ? entry->self : (uint64_t)llround((double)entry->self * factor);
        to->total += factor == 1.0 ? entry->total : (uint64_t)llround((double)entry->total * factor);
        to->calls += entry->calls;
        to->primitive += entry->primitive;
        to->raised += entry->raised;
        to->exceptions += entry->exceptions;
        if (entry->recursion > to->recursion)
            to->recursion = entry->recursion;
        PT_TRY(pt_histogram_merge(&to->durations, &entry->durations, factor));
    }
    return PT_OK;
}

/* --- Reading a whole input -------------------------------------------------------------------------------------- */

/* One of the processors at work. Ticks of different traces differ in length: when a thread of another trace comes, what
 * was summed up so far is put aside. */
struct worker {
    struct pt_tally
        sum; /* in ticks of the first trace that it met; unused, and entries NULL, until a second one comes */
    struct pt_tally now;
    struct pt_flights *flights; /* NULL if exceptions are not asked for */
    size_t count;
    struct pt_report *report;
    const struct pt_stream_view *view;
    atomic_size_t *next;
    size_t workers; /* how many there are */
    enum pt_status status;
};

static enum pt_status put_aside(struct worker *worker)
{
    if (!worker->sum.entries) {
        worker->sum = worker->now;
        worker->now = (struct pt_tally){0};
        return PT_OK;
    }
    PT_TRY(pt_tally_merge(&worker->sum, &worker->now));
    pt_tally_release(&worker->now);
    return PT_OK;
}

static enum pt_status take_thread(void *context, const struct pt_input_thread *thread)
{
    struct worker *worker = context;
    if (worker->flights)
        PT_TRY(pt_flights_end_thread(worker->flights)); /* of the one before */
    if (worker->now.entries && worker->now.tick_ns == thread->origin->tick_ns)
        return PT_OK;
    if (worker->now.entries)
        PT_TRY(put_aside(worker));
    return pt_tally_init(&worker->now, worker->count, thread->origin->tick_ns);
}

static enum pt_status take_steps(void *context, const struct pt_step *steps, size_t count)
{
    struct worker *worker = context;
    if (worker->flights)
        PT_TRY(pt_flights_add(worker->flights, steps, count));
    return pt_tally_add(&worker->now, steps, count);
}

static enum pt_status run_chunk(void *context, struct pt_stream *stream)
{
    struct worker *worker = context;
    return pt_tally_run(&worker->now, stream);
}

static enum pt_status add_exceptions(struct worker *worker)
{
    PT_TRY(pt_flights_end_thread(worker->flights));
    for (uint32_t i = 1; i < worker->flights->count; i++)
        if (worker->flights->rows[i].function != PT_FLIGHTS_NOBODY)
            worker->sum.entries[worker->flights->rows[i].function].exceptions += worker->flights->rows[i].count;
    return PT_OK;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    const struct pt_stream_view *view = worker->view;
    struct pt_replay_sink sink = {.context = worker, .thread = take_thread, .steps = take_steps};
    sink.run = view->inner ? NULL : run_chunk;
    const bool by_function = view->by == PT_BY_FUNCTION && !view->numbers;
    worker->status = view->inner & PT_STREAM_EXCEPTIONS
                         ? pt_flights_new(&worker->flights, worker->report->input, worker->count, by_function)
                         : PT_OK;
    if (worker->status == PT_OK)
        worker->status = pt_replay_share(worker->report, view, &sink, worker->next, worker->workers);
    if (worker->status == PT_OK && worker->now.entries)
        worker->status = put_aside(worker);
    if (worker->status == PT_OK && worker->sum.entries && worker->flights)
        worker->status = add_exceptions(worker);
    return NULL;
}

static size_t worker_count(const struct pt_report *report)
{
    size_t most = pt_replay_jobs(report);
    size_t threads = report->input->thread_count ? report->input->thread_count : 1;
    most = most < threads ? most : threads;
    return most > 0 ? most : 1;
}

enum pt_status pt_tally_read(struct pt_tally *tally, struct pt_report *report, const struct pt_stream_view *view,
                             size_t count)
{
    enum pt_status status = PT_NOMEM;
    atomic_size_t next = 0;
    size_t most = worker_count(report);
    size_t started = 1;
    struct worker *workers = calloc(most, sizeof *workers);
    pthread_t *threads = calloc(most, sizeof *threads);
    *tally = (struct pt_tally){0};
    if (!workers || !threads)
        goto cleanup;

    for (size_t i = 0; i < most; i++)
        workers[i] = (struct worker){.count = count, .report = report, .view = view, .next = &next, .workers = most};
    while (started < most && pthread_create(&threads[started], NULL, work, &workers[started]) == 0)
        started++;
    work(&workers[0]);
    for (size_t i = 1; i < started; i++)
        pthread_join(threads[i], NULL);
    report->replayed = true;

    status = pt_tally_init(tally, count, report->input->traces[0].tick_ns);
    for (size_t i = 0; i < started; i++) {
        if (status == PT_OK)
            status = workers[i].status;
        if (status == PT_OK && workers[i].sum.entries)
            status = pt_tally_merge(tally, &workers[i].sum);
    }
cleanup:
    for (size_t i = 0; workers && i < most; i++) {
        pt_tally_release(&workers[i].sum);
        pt_tally_release(&workers[i].now);
        pt_flights_free(workers[i].flights);
    }
    free(workers);
    free(threads);
    return status;
}
