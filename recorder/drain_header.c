#include "drain_header.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>

#include "clock.h"

#define NOTES_MAX 3

enum pt_status pt_drain_header_identify(struct pt_drain_identity *identity, enum pt_clock_choice clock,
                                        struct pt_error *error)
{
    *identity = (struct pt_drain_identity){0};
    if (getrandom(identity->run_id, sizeof identity->run_id, 0) != (ssize_t)sizeof identity->run_id)
        return pt_error_set_errno(error, "cannot get", "random bytes");
    pt_arena_boot_id(identity->boot_id);
    PT_TRY(pt_clock_choose(clock, &identity->clock, error));
    identity->tick_ps = pt_clock_calibrate(identity->clock, &identity->tick_shift);
    return PT_OK;
}

void pt_drain_header_clock(const struct pt_drain_identity *identity, struct pt_clock *clock)
{
    uint64_t best_span = UINT64_MAX;
    for (int tries = 0; tries < 8; tries++) { /* the one that nothing interrupted */
        uint64_t before = pt_clock_tick(identity->clock, identity->tick_shift);
        uint64_t monotonic_ns = pt_clock_monotonic_ns();
        uint64_t realtime_ns = pt_clock_realtime_ns();
        uint64_t span = pt_clock_tick(identity->clock, identity->tick_shift) - before;
        if (span < best_span) {
            best_span = span;
            *clock = (struct pt_clock){before + span / 2, monotonic_ns, realtime_ns};
        }
    }
}

/* Texts of a header that is only written are borrowed: its type is that of a header that was read, and owns them. */
static char *borrow(const char *text)
{
    return (char *)(uintptr_t)text;
}

struct notes {
    char bytes[NOTES_MAX][PATH_MAX + 128];
    char *texts[NOTES_MAX];
    size_t count;
};

__attribute__((format(printf, 2, 3))) static void add_note(struct notes *notes, const char *format, ...)
{
    va_list arguments;
    char *text = notes->bytes[notes->count];
    va_start(arguments, format);
    vsnprintf(text, sizeof notes->bytes[0], format, arguments);
    va_end(arguments);
    notes->texts[notes->count++] = text;
}

enum pt_status pt_drain_header_write(struct pt_drain_trace *trace, const struct pt_handshake *handshake,
                                     const struct pt_drain_identity *identity, const struct pt_drain_arena *arena,
                                     unsigned leftovers_removed)
{
    const struct pt_settings *settings = &handshake->settings;
    struct notes notes = {0};
    struct utsname machine = {0};
    char system[sizeof machine.sysname + sizeof machine.release];
    struct pt_clock now;

    uname(&machine);
    snprintf(system, sizeof system, "%s %s", machine.sysname, machine.release);
    pt_drain_header_clock(identity, &now);

    if (arena->short_of_room)
        add_note(&notes, "arena in %s: little room, rings of %" PRIu64 " bytes", arena->directory,
                 arena->arena.shape.ring_size);
    else if (!settings->ring_dir && strncmp(arena->directory, "/dev/shm/", strlen("/dev/shm/")) != 0)
        add_note(&notes, "arena in %s: no room in /dev/shm", arena->directory);
    if (arena->size_limited)
        add_note(&notes, "limit on file sizes: room for %" PRIu32 " threads, rings of %" PRIu64 " bytes",
                 arena->arena.shape.slot_count, arena->arena.shape.ring_size);
    if (leftovers_removed > 0)
        add_note(&notes, "arenas that dead recordings had left were removed: %u", leftovers_removed);

    struct pt_header header = {
        .major = PT_FORMAT_MAJOR,
        .minor = PT_FORMAT_MINOR,
        .boot_id = borrow(identity->boot_id),
        .recorder = borrow(PYTRACE_VERSION),
        .implementation = borrow("CPython"),
        .python = borrow(settings->python),
        .hook = borrow(settings->hook),
        .program = borrow(settings->program),
        .argv = (char **)(uintptr_t)settings->argv,
        .argv_count = settings->argc,
        .executable = borrow(settings->executable),
        .host = machine.nodename,
        .machine = machine.machine,
        .system = system,
        .pid = settings->pid,
        .started_ns = now.realtime_ns,
        .clock = borrow(pt_clock_name(identity->clock)),
        .tick_ps = identity->tick_ps,
        .start_tick = now.tick,
        .c_calls = settings->c_calls,
        .lines = borrow(settings->lines),
        .opcodes = borrow(settings->opcodes),
        .exceptions = settings->exceptions,
        .policy = borrow(settings->drop ? "drop" : "block"),
        .children = settings->children,
        .ring_size = settings->ring_size,
        .max_threads = settings->max_threads,
        .flush_interval_ns = settings->flush_interval_ns,
        .max_size = settings->max_size,
        .level = (uint64_t)settings->level,
        .costs = PT_COSTS_UNMEASURED,
        .arena = borrow(arena->directory),
        .notes = notes.texts,
        .note_count = notes.count,
    };
    /* Where another clock is read, each event takes another way, which was not measured. */
    if (pt_clock_is_counter(identity->clock))
        memcpy(header.costs, settings->costs, sizeof header.costs);
    memcpy(header.run_id, identity->run_id, sizeof header.run_id);
    PT_TRY(pt_drain_trace_header(trace, &header));
    return pt_drain_trace_clock(trace, &now);
}
