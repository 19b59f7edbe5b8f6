/* What stands in the trace is what the host wrote. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
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

TestSuite(recording, .init = set_up, .fini = tear_down);

static void start(void)
{
    cr_assert(eq(int, host_start(&host, NULL, &settings, &error), PT_OK), "%s", error.text);
}

/* Opens the finished trace: it has its end with this reason, no damage, and `events` events. */
static void expect_trace(const char *reason, uint64_t events)
{
    cr_assert(eq(int, pt_trace_open(&trace, place.trace, NULL, &error), PT_OK), "%s", error.text);
    cr_assert(trace->has_end);
    expect_text(trace->end.reason, reason);
    cr_expect(eq(u64, trace->events, events));
    cr_expect(eq(u64, trace->end.events, events));
    cr_expect(eq(sz, trace->damage_count, 0));
    cr_expect(eq(u64, trace->missing_blocks, 0));
    cr_expect(ge(sz, trace->clock_count, 2));
    cr_expect(eq(u64, trace->end.blocks + 1, trace->block_count));
}

Test(recording, that_is_stopped)
{
    struct host_thread thread;
    start();
    host_claim(&host, &thread);
    host_define(&host, 1, "Thing.method");
    cr_assert(eq(u64, host_calls(&thread, 1, RECORDS), RECORDS));
    cr_assert(host_stop(&host));
    expect_trace("stopped", RECORDS);
    cr_expect(pt_trace_complete(trace));
    cr_assert(eq(sz, trace->process_count, 1));
    expect_text(trace->processes[0].ended, "stopped");
    cr_expect(eq(u64, trace->processes[0].pid, (uint64_t)getpid()));
    cr_assert(eq(sz, trace->thread_count, 1));
    cr_expect(eq(u64, trace->threads[0].meta.native_id, (uint64_t)gettid()));
    expect_text(trace->functions[pt_trace_function(trace, 1, 1)].qualname, "Thing.method");
    cr_expect(eq(u64, trace->end.end_tick, host.control->stop_tick));
    cr_expect(eq(int, host_count_arenas(place.trace), 0));
}

Test(recording, whose_process_ends_in_order)
{
    struct host_thread thread;
    start();
    host_claim(&host, &thread);
    host_calls(&thread, 1, RECORDS);
    host_release(&thread);
    cr_assert(host_exit(&host));
    expect_trace("exited", RECORDS);
    cr_expect(pt_trace_complete(trace));
    cr_expect(ge(u64, trace->end.end_tick, host.process->end_tick));
}

Test(recording, ends_no_earlier_than_its_threads)
{
    struct host_thread thread;
    start();
    host_claim(&host, &thread);
    host_calls(&thread, 1, RECORDS);
    /* One that leaves while another stops the recording. */
    uint64_t end_tick = host_tick(&host) + (UINT64_C(1) << 30);
    thread.slot->end_tick = end_tick;
    atomic_store_explicit(&thread.slot->state, PT_SLOT_RELEASED, memory_order_release);
    pt_arena_owner_release(&thread.slot->owner);
    cr_assert(host_stop(&host));
    expect_trace("stopped", RECORDS);
    cr_assert(eq(sz, trace->thread_count, 1));
    cr_expect(eq(u64, trace->threads[0].meta.end_tick, end_tick));
    cr_expect(eq(u64, trace->end.end_tick, end_tick));
}

Test(recording, of_nothing)
{
    start();
    cr_assert(host_stop(&host));
    expect_trace("stopped", 0);
    cr_expect(pt_trace_complete(trace));
}

static void *call_in_thread(void *argument)
{
    struct host_thread thread;
    (void)argument;
    host_claim(&host, &thread);
    host_calls(&thread, 1, 2000);
    host_release(&thread);
    return NULL;
}

Test(recording, of_more_threads_than_have_space_ahead)
{
    pthread_t threads[100];
    start();
    host_define(&host, 1, "f");
    for (size_t i = 0; i < 100; i++)
        cr_assert(eq(int, pthread_create(&threads[i], NULL, call_in_thread, NULL), 0));
    for (size_t i = 0; i < 100; i++)
        pthread_join(threads[i], NULL);
    cr_assert(host_stop(&host));
    expect_trace("stopped", 200000);
    cr_expect(eq(sz, trace->thread_count, 100));
}

Test(recording, of_a_quiet_thread_reaches_the_file)
{
    struct host_thread thread;
    settings.flush_interval_ns = 20000000;
    start();
    host_claim(&host, &thread);
    host_calls(&thread, 1, 10);
    for (int i = 0; i < 1000 && atomic_load(&thread.slot->consumed) < thread.position; i++)
        usleep(10000);
    cr_expect(eq(u64, atomic_load(&thread.slot->consumed), thread.position));
    cr_assert(host_stop(&host));
    expect_trace("stopped", 10);
}

Test(recording, of_a_forked_child_stands_in_the_same_file)
{
    struct host_thread thread;
    start();
    host_claim(&host, &thread);
    host_define(&host, 1, "in_parent");
    pid_t child = host_fork(&host);
    if (child == 0) {
        host_define(&host, 1, "in_child");
        host_claim(&host, &thread);
        host_calls(&thread, 1, 500);
        host.process->end_tick = host_tick(&host);
        atomic_store(&host.process->state, PT_PROCESS_EXITED);
        _exit(0);
    }
    host_calls(&thread, 1, 300);
    waitpid(child, NULL, 0);
    cr_assert(host_stop(&host));
    expect_trace("stopped", 800);
    cr_assert(eq(sz, trace->process_count, 2));
    cr_expect(eq(u64, trace->processes[1].parent, 1));
    cr_expect(eq(u64, trace->processes[1].pid, (uint64_t)child));
    expect_text(trace->processes[1].ended, "exited");
    expect_text(trace->functions[pt_trace_function(trace, 2, 1)].qualname, "in_child");
    expect_text(trace->functions[pt_trace_function(trace, 1, 1)].qualname, "in_parent");
}

Test(recording, goes_on_until_the_last_process_has_ended)
{
    int gate[2];
    struct host_thread thread;
    start();
    cr_assert(eq(int, pipe(gate), 0));
    pid_t child = host_fork(&host);
    if (child == 0) {
        char go;
        if (read(gate[0], &go, 1) != 1)
            _exit(1);
        host_claim(&host, &thread);
        host_calls(&thread, 1, 50);
        _exit(host_exit(&host) ? 0 : 2);
    }
    host.process->end_tick = host_tick(&host);
    atomic_store(&host.process->state, PT_PROCESS_EXITED);
    host_wake(&host);
    while (atomic_load(&host.control->live) != 1)
        usleep(1000);
    cr_expect(eq(u32, atomic_load(&host.control->done), 0));
    int status = -1;
    cr_assert(eq(int, (int)write(gate[1], "g", 1), 1));
    waitpid(child, &status, 0);
    cr_expect(eq(int, status, 0));
    expect_trace("exited", 50);
}

Test(recording, ends_below_its_size_limit)
{
    struct host_thread thread;
    uint64_t written = 0;
    settings.max_size = 300000;
    start();
    host_claim(&host, &thread);
    host_define(&host, 1, "f");
    while (atomic_load(&host.control->stop) == PT_ARENA_RUNNING)
        written += host_calls(&thread, 1, 1000);
    cr_expect(eq(u32, atomic_load(&host.control->stop), PT_ARENA_LIMIT));
    cr_assert(host_wait_gone(host.directory));
    cr_assert(eq(int, pt_trace_open(&trace, place.trace, NULL, &error), PT_OK), "%s", error.text);
    cr_assert(trace->has_end);
    expect_text(trace->end.reason, "limit");
    cr_expect(le(u64, trace->file_size, 300000));
    cr_expect(ge(u64, trace->file_size, 100000), "most of the room is used");
    cr_expect(le(u64, trace->events, written));
    cr_expect(eq(sz, trace->damage_count, 0));
}

Test(recording, never_exceeds_even_a_tiny_limit)
{
    struct host_thread thread;
    settings.max_size = 4096;
    start();
    host_claim(&host, &thread);
    for (int i = 0; i < 100 && atomic_load(&host.control->stop) == PT_ARENA_RUNNING; i++)
        host_calls(&thread, 1, 1000);
    cr_assert(host_stop(&host) || host_wait_gone(host.directory));
    cr_assert(eq(int, pt_trace_open(&trace, place.trace, NULL, &error), PT_OK), "%s", error.text);
    cr_expect(trace->has_end);
    cr_expect(le(u64, trace->file_size, 4096));
}

Test(recording, waits_again_once_the_rings_are_below_half)
{
    start();
    atomic_store(&host.control->degraded, 1);
    host_wake(&host);
    for (int i = 0; i < 1000 && atomic_load(&host.control->degraded); i++)
        usleep(10000);
    cr_expect(eq(u32, atomic_load(&host.control->degraded), 0));
    cr_assert(host_stop(&host));
}

/* The test's directory is a file system of its own from now on, of `size`. */
static void mount_disk(const char *size)
{
    char options[32];
    snprintf(options, sizeof options, "size=%s", size);
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", place.directory, "tmpfs", 0, options) < 0)
        cr_skip_test("no file system may be mounted here: %s", strerror(errno));
}

Test(recording, outlives_a_full_disk)
{
    struct host_thread thread;
    char filler[128];
    mount_disk("1M");
    snprintf(filler, sizeof filler, "%s/filler", place.directory);
    int descriptor = open(filler, O_CREAT | O_WRONLY, 0600);
    cr_assert(eq(int, fallocate(descriptor, 0, 0, (1 << 20) - 8192), 0));
    close(descriptor);

    start();
    host_claim(&host, &thread);
    host_define(&host, 1, "f");
    uint64_t written = host_calls(&thread, 1, 120000); /* several times what two pages hold */
    for (int i = 0; i < 1000 && atomic_load(&host.control->trouble) == 0; i++)
        usleep(10000);
    cr_expect(eq(u32, atomic_load(&host.control->trouble), ENOSPC));
    cr_assert(eq(int, pt_trace_open(&trace, place.trace, NULL, &error), PT_OK), "%s", error.text);
    cr_expect(eq(sz, trace->damage_count, 0), "what is there is valid");
    pt_trace_free(trace);
    trace = NULL;

    cr_assert(eq(int, unlink(filler), 0));
    cr_assert(host_stop(&host));
    expect_trace("stopped", written);
    pt_trace_free(trace);
    trace = NULL;
    umount2(place.directory, MNT_DETACH);
}

/* The trace has no end; the arena is there and has the rest of its `events`. */
static void expect_salvage(uint64_t events)
{
    cr_expect(eq(int, host_count_arenas(place.trace), 1));
    cr_assert(eq(int, pt_trace_open(&trace, place.trace, NULL, &error), PT_OK), "%s", error.text);
    cr_expect(not(trace->has_end));
    cr_expect(eq(int, trace->arena, PT_TRACE_ARENA_SALVAGED), "%s", trace->arena_text);
    cr_expect(eq(u64, trace->events, events));
    pt_trace_free(trace);
    trace = NULL;
    umount2(place.directory, MNT_DETACH);
}

Test(recording, on_a_disk_that_stays_full_leaves_the_rest_in_the_arena)
{
    struct host_thread thread;
    mount_disk("4k");
    start();
    host_claim(&host, &thread);
    host_define(&host, 1, "f");
    uint64_t written = host_calls(&thread, 1, 120000);
    cr_assert(host_stop(&host));
    cr_expect(eq(u32, atomic_load(&host.control->trouble), ENOSPC));
    expect_salvage(written);
    place_remove_arena(host.directory);
}

Test(recording, on_a_full_disk_ends_when_the_program_is_killed)
{
    struct pipe_message {
        char directory[4096];
        pid_t drain;
    } message;
    int pipes[2];
    mount_disk("4k");
    cr_assert(eq(int, pipe(pipes), 0));
    pid_t child = fork();
    if (child == 0) {
        struct host_thread thread;
        settings.pid = (uint64_t)getpid();
        start();
        strcpy(message.directory, host.directory);
        message.drain = host_find_drain(place.trace);
        host_claim(&host, &thread);
        host_calls(&thread, 1, 120000);
        if (write(pipes[1], &message, sizeof message) == (ssize_t)sizeof message)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    cr_assert(eq(int, (int)read(pipes[0], &message, sizeof message), (int)sizeof message));
    waitpid(child, NULL, 0);
    for (int i = 0; i < 1000 && host_is_running(message.drain); i++)
        usleep(10000);
    cr_expect(not(host_is_running(message.drain)));
    expect_salvage(120000);
    place_remove_arena(message.directory);
}
