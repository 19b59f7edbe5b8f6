#include "drain.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "collector.h"
#include "drain_arena.h"
#include "drain_arrivals.h"
#include "drain_header.h"
#include "drain_leftovers.h"
#include "drain_trace.h"
#include "drain_watch.h"
#include "futex.h"

#define START_WAIT_NS  UINT64_C(10000000000) /* for the host to begin */
#define START_LOOK_NS  UINT64_C(50000000)
#define CLOCK_NS       UINT64_C(1000000000)
#define TROUBLE_NS     UINT64_C(100000000)   /* between two tries to write to a disk that is full */
#define FINISH_WAIT_NS UINT64_C(2000000000)  /* for a full disk to have room again, at the end */
#define BIRTH_WAIT_NS  UINT64_C(10000000000) /* for a child that was announced, as the collector waits */
#define BYTES_PER_WORD 2                     /* of a ring, in the trace: generous */

struct pt_drain {
    const struct pt_handshake *handshake;
    struct pt_drain_identity identity;
    struct pt_drain_arena arena;
    struct pt_drain_trace trace;
    struct pt_drain_watch *watch; /* NULL if there is none: deaths are then noticed at the flush interval */
    struct pt_collector *collector;
    struct pt_drain_arrivals arrivals;
    uint64_t start_tick;
    uint64_t next_flush_ns;
    uint64_t next_clock_ns;
};

static struct pt_arena_control *control_of(const struct pt_drain *drain)
{
    return pt_arena_control(&drain->arena.arena);
}

static uint64_t now_tick(const struct pt_drain *drain)
{
    return pt_clock_tick(drain->identity.clock, drain->identity.tick_shift);
}

static void beat(struct pt_drain *drain)
{
    atomic_store_explicit(&control_of(drain)->heartbeat_ns, pt_clock_monotonic_ns(), memory_order_relaxed);
}

static enum pt_status take_block(void *context, enum pt_block_type type, const uint8_t *payload, uint32_t size)
{
    struct pt_drain *drain = context;
    beat(drain); /* a turn over many full rings takes longer than a host's patience */
    return pt_drain_trace_write(&drain->trace, type, payload, size);
}

/* --- Beginning -------------------------------------------------------------------------------------------------- */

static unsigned remove_leftovers(const struct pt_drain *drain)
{
    char root[PATH_MAX];
    snprintf(root, sizeof root, "%s", drain->arena.directory);
    *strrchr(root, '/') = '\0';
    return pt_drain_leftovers_remove(root[0] ? root : "/", drain->identity.boot_id);
}

static enum pt_status create(struct pt_drain *drain, struct pt_error *error)
{
    const struct pt_settings *settings = &drain->handshake->settings;
    const struct pt_collector_settings collector = {.live = true, .zstd_level = settings->level};
    /* The trace comes after the arena: a file that --force replaces stays untouched if there is no place for the rings. */
    PT_TRY(pt_drain_header_identify(&drain->identity, settings->clock, error));
    PT_TRY(pt_drain_arena_create(&drain->arena, drain->handshake, &drain->identity, error));
    PT_TRY(pt_drain_trace_create(&drain->trace, settings->output, settings->force, settings->max_size, error));
    if (pt_drain_header_write(&drain->trace, drain->handshake, &drain->identity, &drain->arena,
                              remove_leftovers(drain)) != PT_OK) {
        errno = drain->trace.trouble;
        return pt_error_set_errno(error, "cannot write", settings->output);
    }
    if (pt_collector_new(&drain->collector, &drain->arena.arena, &collector, take_block, drain) != PT_OK)
        return pt_error_set(error, PT_NOMEM, PT_ERROR_NO_OFFSET, "out of memory");
    pt_drain_arrivals_init(&drain->arrivals, drain->collector, &drain->arena.arena, drain->arena.directory,
                           (pid_t)settings->pid);
    return PT_OK;
}

enum pt_status pt_drain_open(struct pt_drain **out, const struct pt_handshake *handshake, struct pt_error *error)
{
    struct pt_drain *drain = calloc(1, sizeof *drain);
    if (!drain)
        return pt_error_set(error, PT_NOMEM, PT_ERROR_NO_OFFSET, "out of memory");
    drain->handshake = handshake;
    drain->arena.descriptor = -1;
    drain->trace.descriptor = -1;
    enum pt_status status = create(drain, error);
    if (status == PT_OK) {
        *out = drain;
        return PT_OK;
    }
    pt_drain_abandon(drain);
    pt_drain_free(drain);
    return status;
}

const char *pt_drain_arena_directory(const struct pt_drain *drain)
{
    return drain->arena.directory;
}

void pt_drain_free(struct pt_drain *drain)
{
    pt_collector_free(drain->collector);
    pt_drain_watch_free(drain->watch);
    pt_drain_trace_close(&drain->trace);
    pt_drain_arena_release(&drain->arena);
    free(drain);
}

void pt_drain_abandon(struct pt_drain *drain)
{
    pt_drain_trace_remove(&drain->trace);
    if (drain->arena.directory[0] != '\0')
        pt_drain_arena_delete(&drain->arena);
}

/* True once the host has set the recording's first tick. */
static bool wait_for_host(struct pt_drain *drain)
{
    struct pt_arena_control *control = control_of(drain);
    uint64_t deadline_ns = pt_clock_monotonic_ns() + START_WAIT_NS;
    while (pt_clock_monotonic_ns() < deadline_ns) {
        uint32_t wake = atomic_load(&control->wake);
        drain->start_tick = atomic_load_explicit(&control->start_tick, memory_order_acquire);
        if (drain->start_tick != 0)
            return true;
        if (kill((pid_t)drain->handshake->settings.pid, 0) < 0 && errno == ESRCH)
            return false;
        atomic_store(&control->asleep, 1);
        pt_futex_wait(&control->wake, wake, START_LOOK_NS);
        atomic_store(&control->asleep, 0);
        beat(drain);
    }
    return false;
}

static enum pt_status write_clock(struct pt_drain *drain)
{
    struct pt_clock clock = {0};
    drain->next_clock_ns = pt_clock_monotonic_ns() + CLOCK_NS;
    pt_drain_header_clock(&drain->identity, &clock);
    return pt_drain_trace_clock(&drain->trace, &clock);
}

/* --- The loop --------------------------------------------------------------------------------------------------- */

static void stop_at_limit(struct pt_drain *drain)
{
    struct pt_arena_control *control = control_of(drain);
    uint32_t running = PT_ARENA_RUNNING;
    uint64_t unset = 0;
    if (atomic_compare_exchange_strong(&control->stop, &running, PT_ARENA_LIMIT))
        atomic_compare_exchange_strong(&control->stop_tick, &unset, now_tick(drain));
}

/* The limit is reached while what the rings hold still fits: everything recorded until then is in the file. */
static void look_at_limit(struct pt_drain *drain)
{
    const struct pt_arena *arena = &drain->arena.arena;
    uint64_t max_size = drain->trace.max_size;
    if (max_size == 0)
        return;
    uint64_t reserve = 0;
    for (uint32_t i = 0; i < drain->arena.slots_reserved; i++)
        if (atomic_load_explicit(&pt_arena_slot(arena, i)->state, memory_order_relaxed) == PT_SLOT_OWNED)
            reserve += arena->shape.ring_size / sizeof(uint64_t) * BYTES_PER_WORD;
    if (reserve > max_size / 2)
        reserve = max_size / 2;
    if (drain->trace.full || pt_drain_trace_room(&drain->trace) < reserve)
        stop_at_limit(drain);
}

/* Producers that gave up waiting have dropped events since; they may wait again once every ring is below half. */
static void look_at_degraded(struct pt_drain *drain)
{
    const struct pt_arena *arena = &drain->arena.arena;
    struct pt_arena_control *control = control_of(drain);
    uint64_t half = arena->shape.ring_size / sizeof(uint64_t) / 2;
    if (atomic_load_explicit(&control->degraded, memory_order_relaxed) == 0)
        return;
    for (uint32_t i = 0; i < drain->arena.slots_reserved; i++) {
        const struct pt_arena_slot *slot = pt_arena_slot(arena, i);
        uint64_t consumed = atomic_load_explicit(&slot->consumed, memory_order_relaxed);
        if (atomic_load_explicit(&slot->state, memory_order_relaxed) == PT_SLOT_OWNED &&
            atomic_load_explicit(&slot->produced, memory_order_relaxed) - consumed >= half)
            return;
    }
    atomic_store(&control->degraded, 0);
}

static enum pt_status turn(struct pt_drain *drain, enum pt_collector_depth depth)
{
    beat(drain);
    pt_drain_arena_reserve(&drain->arena);
    if (drain->watch)
        pt_drain_watch_update(drain->watch, drain->arena.processes_reserved);
    pt_collector_set_reserved(drain->collector, drain->arena.processes_reserved, drain->arena.slots_reserved);
    enum pt_status status = pt_collector_turn(drain->collector, depth, now_tick(drain));
    if (status == PT_OK && pt_clock_monotonic_ns() >= drain->next_clock_ns)
        status = write_clock(drain);
    atomic_store_explicit(&control_of(drain)->trouble, (uint32_t)drain->trace.trouble, memory_order_relaxed);
    look_at_degraded(drain);
    look_at_limit(drain);
    return status;
}

static void sleep_until(struct pt_drain *drain, uint32_t seen_wake, uint64_t until_ns)
{
    struct pt_arena_control *control = control_of(drain);
    uint64_t now_ns = pt_clock_monotonic_ns();
    if (now_ns >= until_ns)
        return;
    /* Producers raise `wake` first and look at `asleep` second; here the order is the other way round, so one of the two sees the other. */
    atomic_store(&control->asleep, 1);
    pt_futex_wait(&control->wake, seen_wake, until_ns - now_ns);
    atomic_store(&control->asleep, 0);
}

/* While the file cannot be written the collector ends no process, and `live` tells nothing: the owner mutexes do, and the time since a birth
 * was announced. */
static bool somebody_records(const struct pt_drain *drain)
{
    uint64_t birth_ticks = BIRTH_WAIT_NS * 1000 / drain->identity.tick_ps;
    uint64_t now = now_tick(drain);
    for (uint32_t i = 0; i < drain->arena.processes_reserved; i++) {
        const struct pt_arena_process *process = pt_arena_process(&drain->arena.arena, i);
        uint32_t state = atomic_load_explicit(&process->state, memory_order_acquire);
        if (state == PT_PROCESS_LIVE && !pt_arena_process_gone(process))
            return true;
        if (state == PT_PROCESS_BORN && now - atomic_load(&process->start_tick) < birth_ticks)
            return true;
    }
    return false;
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* PT_OK when the recording has ended, and is to be finished. */
static enum pt_status record(struct pt_drain *drain)
{
    struct pt_arena_control *control = control_of(drain);
    uint64_t interval_ns = drain->handshake->settings.flush_interval_ns;
    drain->next_flush_ns = pt_clock_monotonic_ns() + interval_ns;
    while (atomic_load_explicit(&control->stop, memory_order_acquire) == PT_ARENA_RUNNING) {
        uint32_t wake = atomic_load(&control->wake);
        bool flush = pt_clock_monotonic_ns() >= drain->next_flush_ns;
        enum pt_status status = turn(drain, flush ? PT_COLLECT_ALL : PT_COLLECT_FULL_CHUNKS);
        if (status != PT_OK && status != PT_IO)
            return status;
        if (status == PT_IO) { /* producers that wake us now would only make us fail again */
            if (!somebody_records(drain))
                return PT_OK;
            pt_futex_wait(&control->done, 0, TROUBLE_NS);
            continue;
        }
        if (flush)
            drain->next_flush_ns = pt_clock_monotonic_ns() + interval_ns;
        uint64_t look_again_ns;
        if (pt_drain_arrivals_over(&drain->arrivals, now_tick(drain), drain->identity.tick_ps, &look_again_ns))
            return PT_OK;
        if (atomic_load_explicit(&control->stop, memory_order_acquire) == PT_ARENA_RUNNING)
            sleep_until(drain, wake, earliest(look_again_ns, earliest(drain->next_flush_ns, drain->next_clock_ns)));
    }
    return PT_OK;
}

/* --- The end ---------------------------------------------------------------------------------------------------- */

/* A short program may have ended before the limit, which its last chunk did not fit below, could stop it. */
static const char *reason_of(const struct pt_drain *drain, uint32_t stop, const struct pt_collector_totals *totals)
{
    if (stop == PT_ARENA_LIMIT || drain->trace.full)
        return "limit";
    if (!totals->first_ended || strcmp(totals->first_ended, "detached") == 0)
        return "stopped";
    return totals->first_ended;
}

static enum pt_status write_end(struct pt_drain *drain, uint32_t stop, uint64_t stop_tick)
{
    const struct pt_arena_control *control = control_of(drain);
    struct pt_collector_totals totals;
    pt_collector_totals(drain->collector, &totals);
    struct pt_end end = {
        .reason = (char *)(uintptr_t)reason_of(drain, stop, &totals),
        .end_tick = totals.latest_tick > stop_tick ? totals.latest_tick : stop_tick,
        .events = drain->trace.events,
        .lost = totals.lost + drain->trace.refused_events,
        .stalled_ticks = totals.stalled_ticks,
        .unslotted_threads = atomic_load_explicit(&control->unslotted_threads, memory_order_relaxed),
        .unslotted_events = atomic_load_explicit(&control->unslotted_events, memory_order_relaxed),
    };
    PT_TRY(write_clock(drain));
    return pt_drain_trace_end(&drain->trace, &end);
}

/* All that is left goes to the file. Where the disk is full it gets some time to have room again. */
static enum pt_status finish(struct pt_drain *drain)
{
    struct pt_arena_control *control = control_of(drain);
    uint32_t stop = atomic_load_explicit(&control->stop, memory_order_acquire);
    uint64_t deadline_ns = pt_clock_monotonic_ns() + FINISH_WAIT_NS;
    atomic_fetch_or(&control->live, PT_ARENA_CLOSED);

    /* Only a stop dates the end of threads that go on; a tick that a host made up is brought into the recording's time. */
    uint64_t end_tick = now_tick(drain);
    uint64_t stop_tick = atomic_load_explicit(&control->stop_tick, memory_order_relaxed);
    if (stop != PT_ARENA_RUNNING && stop_tick < end_tick && stop_tick >= drain->start_tick)
        end_tick = stop_tick;

    enum pt_status status = turn(drain, PT_COLLECT_ALL);
    while (status == PT_IO && pt_clock_monotonic_ns() < deadline_ns) {
        pt_futex_wait(&control->done, 0, TROUBLE_NS);
        status = turn(drain, PT_COLLECT_ALL);
    }
    PT_TRY(status);
    PT_TRY(pt_collector_finish(drain->collector, end_tick, stop == PT_ARENA_LIMIT ? "limit" : "stopped"));
    return write_end(drain, stop, stop == PT_ARENA_RUNNING ? 0 : end_tick);
}

enum pt_status pt_drain_run(struct pt_drain *drain)
{
    struct pt_arena_control *control = control_of(drain);
    if (!wait_for_host(drain)) {
        pt_drain_abandon(drain);
        return PT_END;
    }
    if (pt_drain_watch_new(&drain->watch, &drain->arena.arena) != PT_OK)
        drain->watch = NULL;
    enum pt_status status = record(drain);
    if (status == PT_OK)
        status = finish(drain);

    /* The hosts are told last: whoever waited for the end finds a finished file without a lock, and no arena. */
    atomic_store_explicit(&control->trouble, (uint32_t)drain->trace.trouble, memory_order_relaxed);
    pt_drain_trace_close(&drain->trace);
    if (status == PT_OK) {
        pt_drain_arena_delete(&drain->arena);
        pt_drain_arena_give_back(&drain->arena);
    }
    atomic_store(&control->done, 1);
    pt_futex_wake_all(&control->done);
    return status;
}
