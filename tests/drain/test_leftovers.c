/* Arenas whose drain was killed: kept while something can be salvaged from them, removed after that, and never while in use. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host.h"
#include "place.h"

static struct place place;
static struct pt_settings settings;
static struct pt_error error;
static char second_trace[128];

static void set_up(void)
{
    place_make(&place);
    settings = host_settings(place.trace);
    settings.ring_dir = place.directory;
    snprintf(second_trace, sizeof second_trace, "%s/second.bin", place.directory);
}

static void tear_down(void)
{
    DIR *directory = opendir(place.directory);
    for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", place.directory, entry->d_name);
        if (strncmp(entry->d_name, "pytrace-", 8) == 0)
            place_remove_arena(path);
    }
    closedir(directory);
    place_remove(&place);
}

TestSuite(leftovers, .init = set_up, .fini = tear_down);

/* A recording whose drain was killed; its arena is `age_s` old. */
static void leave_arena(struct host *host, long age_s)
{
    cr_assert(eq(int, host_start(host, NULL, &settings, &error), PT_OK), "%s", error.text);
    pid_t drain = host_find_drain(place.trace);
    kill(drain, SIGKILL);
    while (host_is_running(drain))
        usleep(1000);
    struct timespec then = {.tv_sec = time(NULL) - age_s};
    cr_assert(eq(int, utimensat(AT_FDCWD, host->directory, (struct timespec[]){then, then}, 0), 0));
}

static void record_another(void)
{
    struct host host = {0};
    settings.output = second_trace;
    cr_assert(eq(int, host_start(&host, NULL, &settings, &error), PT_OK), "%s", error.text);
    cr_assert(host_stop(&host));
}

static int exists(const struct host *host)
{
    return access(host->directory, F_OK) == 0;
}

Test(leftovers, with_an_unfinished_trace_are_kept)
{
    struct host host = {0};
    leave_arena(&host, 3600);
    record_another();
    cr_expect(exists(&host));
}

Test(leftovers, whose_trace_is_gone_are_removed)
{
    struct host host = {0};
    leave_arena(&host, 3600);
    cr_assert(eq(int, unlink(place.trace), 0));
    record_another();
    cr_expect(not(exists(&host)));
}

Test(leftovers, whose_trace_is_another_recording_now_are_removed)
{
    struct host host = {0};
    leave_arena(&host, 3600);
    record_another();
    cr_expect(exists(&host));
    cr_assert(eq(int, rename(second_trace, place.trace), 0));
    record_another();
    cr_expect(not(exists(&host)));
}

Test(leftovers, that_are_old_are_removed)
{
    struct host host = {0};
    leave_arena(&host, 8 * 24 * 3600);
    record_another();
    cr_expect(not(exists(&host)));
}

Test(leftovers, that_are_new_are_left_alone)
{
    struct host host = {0};
    leave_arena(&host, 10);
    cr_assert(eq(int, unlink(place.trace), 0));
    record_another();
    cr_expect(exists(&host));
}

Test(leftovers, in_use_are_left_alone)
{
    struct host host = {0};
    cr_assert(eq(int, host_start(&host, NULL, &settings, &error), PT_OK), "%s", error.text);
    struct timespec then = {.tv_sec = time(NULL) - 30 * 24 * 3600};
    cr_assert(eq(int, utimensat(AT_FDCWD, host.directory, (struct timespec[]){then, then}, 0), 0));
    record_another();
    cr_expect(exists(&host));
    cr_assert(host_stop(&host));
}
