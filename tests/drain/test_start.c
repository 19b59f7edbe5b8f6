/* Starting a drain: what it is asked for, what it refuses, and that a refusal leaves nothing behind. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "place.h"
#include "spawn.h"
#include "trace.h"

static struct place place;
static struct host host;
static struct pt_settings settings;
static struct pt_error error;

static void set_up(void)
{
    place_make(&place);
    settings = host_settings(place.trace);
}

static void tear_down(void)
{
    place_remove(&place);
}

TestSuite(start, .init = set_up, .fini = tear_down);

/* The start fails with PT_IO and `expected`, no arena is left and no child. */
static void expect_refusal(const char *program, int expected)
{
    cr_assert(eq(int, host_start(&host, program, &settings, &error), PT_IO));
    cr_expect(eq(int, error.system_errno, expected), "%s", error.text);
    cr_expect(eq(int, host_count_arenas(settings.output), 0));
    cr_expect(eq(int, waitpid(-1, NULL, __WALL | WNOHANG), -1));
    cr_expect(eq(int, errno, ECHILD));
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert(file != NULL);
    fputs(text, file);
    fclose(file);
}

Test(start, refuses_an_existing_trace)
{
    char text[16] = "";
    write_file(place.trace, "precious");
    expect_refusal(NULL, EEXIST);
    FILE *file = fopen(place.trace, "r");
    cr_assert(fgets(text, sizeof text, file) != NULL);
    fclose(file);
    expect_text(text, "precious");
}

Test(start, refuses_a_dangling_link)
{
    cr_assert(eq(int, symlink("/nowhere/at/all", place.trace), 0));
    expect_refusal(NULL, EEXIST);
}

Test(start, replaces_a_trace_by_force)
{
    struct pt_trace *trace = NULL;
    write_file(place.trace, "old");
    settings.force = true;
    cr_assert(eq(int, host_start(&host, NULL, &settings, &error), PT_OK), "%s", error.text);
    cr_assert(host_stop(&host));
    cr_assert(eq(int, pt_trace_open(&trace, place.trace, NULL, &error), PT_OK), "%s", error.text);
    cr_expect(trace->has_end);
    pt_trace_free(trace);
}

Test(start, force_replaces_no_directory)
{
    settings.output = place.directory;
    settings.force = true;
    expect_refusal(NULL, EISDIR);
}

Test(start, force_replaces_no_trace_that_grows)
{
    struct host second = {0};
    cr_assert(eq(int, host_start(&host, NULL, &settings, &error), PT_OK), "%s", error.text);
    settings.force = true;
    cr_expect(eq(int, host_start(&second, NULL, &settings, &error), PT_IO));
    cr_expect(eq(int, error.system_errno, EBUSY), "%s", error.text);
    cr_assert(host_stop(&host));
}

Test(start, refuses_a_missing_directory)
{
    settings.output = "/tmp/pytrace-test-nowhere/trace.bin";
    expect_refusal(NULL, ENOENT);
}

Test(start, tells_of_a_missing_drain)
{
    expect_refusal("/tmp/pytrace-test-nowhere/pytrace-drain", ENOENT);
    cr_expect(strstr(error.text, "pytrace-drain") != NULL, "%s", error.text);
    cr_expect(eq(int, access(place.trace, F_OK), -1));
}

Test(start, tells_of_a_drain_that_is_no_program)
{
    write_file(place.trace, "#");
    chmod(place.trace, 0700);
    settings.output = "/tmp/pytrace-test-unused.bin";
    expect_refusal(place.trace, ENOEXEC);
}

Test(start, tells_of_a_drain_that_ends_at_once)
{
    expect_refusal("/bin/true", 0);
    cr_expect(strstr(error.text, "ended before it was ready") != NULL, "%s", error.text);
}

Test(start, refuses_rings_where_space_cannot_be_reserved)
{
    settings.ring_dir = "/proc";
    cr_expect(eq(int, host_start(&host, NULL, &settings, &error), PT_UNSUPPORTED));
    cr_expect(strstr(error.text, "/proc") != NULL, "%s", error.text);
    cr_expect(eq(int, access(place.trace, F_OK), -1), "no trace is made");
}

Test(start, puts_the_rings_where_it_is_told)
{
    settings.ring_dir = place.directory;
    cr_assert(eq(int, host_start(&host, NULL, &settings, &error), PT_OK), "%s", error.text);
    cr_expect(eq(int, strncmp(host.directory, place.directory, strlen(place.directory)), 0), "%s", host.directory);
    struct stat directory, arena;
    char path[8192];
    snprintf(path, sizeof path, "%s/arena", host.directory);
    cr_assert(eq(int, stat(host.directory, &directory), 0));
    cr_assert(eq(int, stat(path, &arena), 0));
    cr_expect(eq(u32, directory.st_mode & 07777, 0700));
    cr_expect(eq(u32, arena.st_mode & 07777, 0600));
    cr_assert(host_stop(&host));
    cr_expect(eq(int, access(host.directory, F_OK), -1), "the arena is gone when stop returns");
}

Test(start, gives_up_when_the_host_dies_before_it_began)
{
    pid_t child = fork();
    if (child == 0) {
        char directory[4096];
        settings.pid = (uint64_t)getpid();
        _exit(pt_spawn_drain(PT_TEST_DRAIN, &settings, directory, sizeof directory, &error) == PT_OK ? 0 : 1);
    }
    int status = -1;
    cr_assert(eq(int, waitpid(child, &status, 0), child));
    cr_assert(eq(int, status, 0));
    for (int i = 0; i < 1000 && (host_count_arenas(place.trace) > 0 || access(place.trace, F_OK) == 0); i++)
        usleep(10000);
    cr_expect(eq(int, host_count_arenas(place.trace), 0));
    cr_expect(eq(int, access(place.trace, F_OK), -1));
}

Test(start, passes_on_a_long_command_line)
{
    static const char *arguments[20000];
    struct pt_trace *trace = NULL;
    for (size_t i = 0; i < 20000; i++)
        arguments[i] = i % 2 == 0 ? "an argument with = and \n in it" : "";
    settings.argv = arguments;
    settings.argc = 20000;
    settings.program = "prog\xC3\xA9";
    settings.max_threads = 7;
    settings.drop = true;
    settings.c_calls = false;
    cr_assert(eq(int, host_start(&host, NULL, &settings, &error), PT_OK), "%s", error.text);
    cr_expect(eq(u32, host.control->slot_count, 7));
    cr_expect(eq(u32, host.control->flags, PT_ARENA_FLAG_DROP | PT_ARENA_FLAG_CHILDREN));
    cr_assert(host_stop(&host));
    cr_assert(eq(int, pt_trace_open(&trace, place.trace, NULL, &error), PT_OK), "%s", error.text);
    cr_assert(trace->has_header);
    cr_assert(eq(sz, trace->header.argv_count, 20000));
    expect_text(trace->header.argv[2], "an argument with = and \n in it");
    expect_text(trace->header.argv[19999], "");
    expect_text(trace->header.program, "prog\xC3\xA9");
    expect_text(trace->header.policy, "drop");
    expect_text(trace->header.arena, host.directory);
    cr_expect(not(trace->header.c_calls));
    cr_expect(eq(u64, trace->header.max_threads, 7));
    cr_expect(eq(u64, trace->header.pid, (uint64_t)getpid()));
    cr_expect(gt(u64, trace->header.start_tick, 0));
    cr_expect(le(u64, trace->header.start_tick, host.process->start_tick));
    pt_trace_free(trace);
}
