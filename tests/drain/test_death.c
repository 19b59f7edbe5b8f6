/* Whoever dies, everything that was published is readable; whatever a host writes, its drain survives. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "place.h"
#include "trace.h"

#define RECORDS 100000

static struct place place;
static struct host host;
static struct pt_settings settings;
static struct pt_error error;
static struct pt_trace *trace;

static void set_up(void)
{
    place_make(&place);
    settings = host_settings(place.trace);
}

static void tear_down(void)
{
    pt_trace_free(trace);
    place_remove(&place);
}

TestSuite(death, .init = set_up, .fini = tear_down);

/* Runs `life` as a recorded process of its own and waits for its end. Returns the directory of its arena. */
static const char *live(void (*life)(void))
{
    static char directory[4096];
    int pipes[2];
    cr_assert(eq(int, pipe(pipes), 0));
    pid_t child = fork();
    if (child == 0) {
        settings.pid = (uint64_t)getpid();
        if (host_start(&host, NULL, &settings, &error) != PT_OK)
            _exit(1);
        if (write(pipes[1], host.directory, sizeof host.directory) != (ssize_t)sizeof host.directory)
            _exit(2);
        life();
        _exit(3);
    }
    close(pipes[1]);
    cr_assert(eq(int, (int)read(pipes[0], directory, sizeof directory), (int)sizeof directory));
    close(pipes[0]);
    cr_assert(eq(int, waitpid(child, NULL, 0), child));
    return directory;
}

static void expect_events(uint64_t events)
{
    cr_assert(eq(int, pt_trace_open(&trace, place.trace, NULL, &error), PT_OK), "%s", error.text);
    cr_expect(eq(u64, trace->events, events));
    cr_expect(eq(u64, trace->lost, 0));
    cr_expect(eq(sz, trace->damage_count, 0));
}

static void be_killed(void)
{
    struct host_thread thread;
    host_claim(&host, &thread);
    host_define(&host, 1, "doomed");
    host_calls(&thread, 1, RECORDS + 1); /* dies inside a call */
    kill(getpid(), SIGKILL);
}

Test(death, of_the_program_leaves_a_finished_file)
{
    cr_assert(host_wait_gone(live(be_killed)));
    expect_events(RECORDS + 1);
    cr_assert(trace->has_end);
    expect_text(trace->end.reason, "killed");
    expect_text(trace->processes[0].ended, "killed");
    cr_expect(pt_trace_complete(trace));
    expect_text(trace->functions[pt_trace_function(trace, 1, 1)].qualname, "doomed");
}

static void exec_another(void)
{
    struct host_thread thread;
    host_claim(&host, &thread);
    host_calls(&thread, 1, RECORDS);
    execl("/bin/true", "true", NULL);
}

Test(death, by_exec_leaves_a_finished_file)
{
    cr_assert(host_wait_gone(live(exec_another)));
    expect_events(RECORDS);
    cr_expect(trace->has_end);
}

static void fork_and_be_killed(void)
{
    struct host_thread thread;
    for (int i = 0; i < 5; i++)
        if (host_fork(&host) == 0)
            break;
    host_claim(&host, &thread);
    host_calls(&thread, 1, RECORDS);
    kill(getpid(), SIGKILL);
}

Test(death, of_a_whole_family_leaves_a_finished_file)
{
    cr_assert(host_wait_gone(live(fork_and_be_killed)));
    expect_events(6 * RECORDS);
    cr_expect(eq(sz, trace->process_count, 6));
    cr_expect(trace->has_end);
}

static void announce_and_be_killed(void)
{
    host_announce(&host);
    kill(getpid(), SIGKILL);
}

Test(death, before_a_fork_leaves_nobody_to_wait_for)
{
    cr_assert(host_wait_gone(live(announce_and_be_killed)));
    expect_events(0);
    cr_expect(trace->has_end);
}

/* The parent dies before its child has done anything at all. */
static void fork_and_be_killed_at_once(void)
{
    struct pt_arena_process *entry = host_announce(&host);
    struct host_thread thread;
    if (fork() > 0)
        kill(getpid(), SIGKILL);
    usleep(500000); /* the drain looks around many times */
    host_be_born(&host, entry);
    host_claim(&host, &thread);
    host_calls(&thread, 1, RECORDS);
    kill(getpid(), SIGKILL);
}

Test(death, of_a_parent_loses_no_child)
{
    cr_assert(host_wait_gone(live(fork_and_be_killed_at_once)));
    expect_events(RECORDS);
    cr_expect(eq(sz, trace->process_count, 2));
    cr_expect(trace->has_end);
}

static void kill_drain(void)
{
    struct host_thread thread;
    host_claim(&host, &thread);
    host_define(&host, 1, "survivor");
    host_calls(&thread, 1, RECORDS);
    pid_t drain = host_find_drain(place.trace);
    kill(drain, SIGKILL);
    while (host_is_running(drain))
        usleep(1000);
    host_calls(&thread, 1, 20000); /* goes on in what is left of the ring */
    kill(getpid(), SIGKILL);
}

Test(death, of_drain_and_program_leaves_the_rest_in_the_arena)
{
    const char *directory = live(kill_drain);
    cr_expect(eq(int, access(directory, F_OK), 0));
    expect_events(RECORDS + 20000);
    cr_expect(not(trace->has_end));
    cr_expect(eq(int, trace->arena, PT_TRACE_ARENA_SALVAGED), "%s", trace->arena_text);
    expect_text(trace->functions[pt_trace_function(trace, 1, 1)].qualname, "survivor");
    place_remove_arena(directory);
}

/* The drain has ended in order, and not by a signal: then the trace would lack its end, and the arena would still be there. */
static void scribble(unsigned seed)
{
    srand(seed);
    for (int round = 0; round < 200; round++) {
        uint64_t span = host.arena.shape.journals_offset + 8 * host.arena.shape.journal_size;
        uint64_t tables = host.arena.shape.journals_offset - PT_ARENA_CONTROL_SIZE;
        for (int i = 0; i < 500; i++) {
            uint64_t at = round % 2 == 0 ? PT_ARENA_CONTROL_SIZE + (uint64_t)rand() % tables : (uint64_t)rand() % span;
            if (at < PT_ARENA_CONTROL_SIZE || at >= host.arena.shape.journals_offset + host.arena.shape.journal_size)
                continue; /* the control page has its own turn; journals further on may have no space */
            host.arena.base[at] = (uint8_t)rand();
        }
        for (uint32_t slot = 0; slot < 2; slot++)
            for (int i = 0; i < 500; i++)
                pt_arena_ring(&host.arena, slot)[rand() % 2048] = (uint64_t)rand() << 32 ^ (uint64_t)rand();
        host_wake(&host);
        usleep(500);
    }
    atomic_store(&host.control->start_tick, (uint64_t)rand() << 40);
    atomic_store(&host.control->stop_tick, (uint64_t)rand() << 40);
    atomic_store(&host.control->live, (uint32_t)rand());
    atomic_store(&host.control->stop, PT_ARENA_STOPPED);
    host_wake(&host);
    kill(getpid(), SIGKILL);
}

static void scribble_1(void)
{
    scribble(1);
}

static void scribble_2(void)
{
    struct host_thread thread;
    host_claim(&host, &thread);
    host_calls(&thread, 1, 1000);
    scribble(2);
}

Test(death, never_comes_from_a_hostile_arena)
{
    cr_assert(host_wait_gone(live(scribble_1)));
    cr_assert(eq(int, pt_trace_open(&trace, place.trace, NULL, &error), PT_OK), "%s", error.text);
    cr_expect(trace->has_end);
}

Test(death, never_comes_from_a_host_gone_mad)
{
    cr_assert(host_wait_gone(live(scribble_2)));
    cr_assert(eq(int, pt_trace_open(&trace, place.trace, NULL, &error), PT_OK), "%s", error.text);
    cr_expect(trace->has_end);
}
