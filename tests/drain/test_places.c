/* Where the rings lie, and how many there are, when the system does not give what was asked for. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host.h"
#include "place.h"
#include "trace.h"

static struct place place;
static struct host host;
static struct pt_settings settings;
static struct pt_error error;
static struct pt_trace *trace;

static void set_up(void)
{
    unsetenv("XDG_RUNTIME_DIR");
    place_make(&place);
    settings = host_settings(place.trace);
}

static void tear_down(void)
{
    pt_trace_free(trace);
    place_remove(&place);
}

TestSuite(places, .init = set_up, .fini = tear_down);

/* Records a little, and opens the finished trace. */
static void record(void)
{
    struct host_thread thread;
    host_claim(&host, &thread);
    cr_assert(eq(u64, host_calls(&thread, 1, 2000), 2000));
    cr_assert(host_stop(&host));
    cr_assert(eq(int, pt_trace_open(&trace, place.trace, NULL, &error), PT_OK), "%s", error.text);
    cr_expect(eq(u64, trace->events, 2000));
    cr_expect(pt_trace_complete(trace));
}

/* --- A place that takes no files -------------------------------------------------------------------------------- */

/* From now on /dev/shm has room, but takes no more than `inodes` files and directories, itself included. The test's directory takes
 * all. */
static void mount_places(const char *inodes)
{
    char options[32];
    snprintf(options, sizeof options, "size=1G,nr_inodes=%s", inodes);
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", "/dev/shm", "tmpfs", 0, options) < 0 || mount("none", place.directory, "tmpfs", 0, "size=1G") < 0)
        cr_skip_test("no file system may be mounted here: %s", strerror(errno));
}

static void unmount_places(void)
{
    umount2(place.directory, MNT_DETACH);
    umount2("/dev/shm", MNT_DETACH);
}

static void expect_beside_the_trace(const char *inodes)
{
    mount_places(inodes);
    cr_assert(eq(int, host_start(&host, NULL, &settings, &error), PT_OK), "%s", error.text);
    cr_expect(eq(int, strncmp(host.directory, place.directory, strlen(place.directory)), 0), "%s", host.directory);
    cr_expect(eq(int, host_count_arenas(settings.output), 0), "none in /dev/shm");
    record();
    pt_trace_free(trace);
    trace = NULL;
    unmount_places();
}

Test(places, the_next_one_if_no_directory_can_be_made)
{
    expect_beside_the_trace("1");
}

Test(places, the_next_one_if_no_file_can_be_made)
{
    expect_beside_the_trace("2");
}

Test(places, no_other_than_was_asked_for)
{
    mount_places("1");
    settings.ring_dir = "/dev/shm";
    cr_expect(eq(int, host_start(&host, NULL, &settings, &error), PT_IO));
    cr_expect(eq(int, error.system_errno, ENOSPC), "%s", error.text);
    cr_expect(eq(int, access(place.trace, F_OK), -1), "no trace is made");
    unmount_places();
}

/* --- A limit on the size of files ------------------------------------------------------------------------------- */

/* For the drain too: it could raise the one, but not the other. */
static void limit_files(rlim_t size)
{
    const struct rlimit limit = {.rlim_cur = size, .rlim_max = size};
    cr_assert(eq(int, setrlimit(RLIMIT_FSIZE, &limit), 0));
}

Test(places, fewer_rings_where_files_may_not_be_long)
{
    limit_files(20 << 20);
    cr_assert(eq(int, host_start(&host, NULL, &settings, &error), PT_OK), "%s", error.text);
    cr_expect(le(u64, host.control->file_size, 20 << 20));
    cr_expect(eq(u64, host.control->ring_size, settings.ring_size));
    cr_expect(ge(u32, host.control->slot_count, 4));
    cr_expect(lt(u32, host.control->slot_count, settings.max_threads));
    record();
    cr_assert(ge(sz, trace->header.note_count, 1));
    cr_expect(strstr(trace->header.notes[0], "limit on file sizes") != NULL, "%s", trace->header.notes[0]);
}

Test(places, smaller_rings_where_files_must_be_short)
{
    limit_files(2 << 20);
    cr_assert(eq(int, host_start(&host, NULL, &settings, &error), PT_OK), "%s", error.text);
    cr_expect(le(u64, host.control->file_size, 2 << 20));
    cr_expect(lt(u64, host.control->ring_size, settings.ring_size));
    record();
}

Test(places, none_where_files_may_hold_nothing)
{
    limit_files(64 << 10);
    cr_expect(eq(int, host_start(&host, NULL, &settings, &error), PT_IO));
    cr_expect(eq(int, error.system_errno, EFBIG), "%s", error.text);
    cr_expect(strstr(error.text, "limit on file sizes") != NULL, "%s", error.text);
    cr_expect(eq(int, access(place.trace, F_OK), -1), "no trace is made");
}
