/* The host notices nothing of its drain, and the drain keeps nothing of its host. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "place.h"
#include "spawn.h"

static struct place place;
static struct host host;
static struct pt_settings settings;
static struct pt_error error;
static volatile sig_atomic_t child_signals;

static void set_up(void)
{
    place_make(&place);
    settings = host_settings(place.trace);
}

static void tear_down(void)
{
    place_remove(&place);
}

TestSuite(invisible, .init = set_up, .fini = tear_down);

static void count_signal(int number)
{
    (void)number;
    child_signals++;
}

static int count_entries(const char *path)
{
    int count = 0;
    DIR *directory = opendir(path);
    while (directory && readdir(directory))
        count++;
    if (directory)
        closedir(directory);
    return count;
}

/* The text of /proc/PID/FILE; how many bytes there were. */
static size_t read_proc(pid_t pid, const char *file, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    memset(text, 0, size);
    FILE *stream = fopen(path, "r");
    size_t count = stream ? fread(text, 1, size - 1, stream) : 0;
    if (stream)
        fclose(stream);
    return count;
}

static void expect_no_children(int options)
{
    cr_expect(eq(int, waitpid(-1, NULL, options), -1));
    cr_expect(eq(int, errno, ECHILD));
}

Test(invisible, nothing_changes_in_the_host)
{
    sigset_t before, after;
    int threads = count_entries("/proc/self/task");
    sigemptyset(&before);
    sigaddset(&before, SIGUSR1);
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGCHLD, count_signal);
    int descriptors = count_entries("/proc/self/fd");
    errno = EDOM;
    cr_assert(eq(int, host_start(&host, NULL, &settings, &error), PT_OK), "%s", error.text);
    cr_expect(eq(int, errno, EDOM));
    sigprocmask(SIG_SETMASK, NULL, &after);
    for (int number = 1; number < NSIG; number++)
        cr_expect(eq(int, sigismember(&after, number), number == SIGUSR1));
    cr_expect(eq(int, count_entries("/proc/self/fd"), descriptors));
    cr_expect(eq(int, count_entries("/proc/self/task"), threads));
    expect_no_children(0);
    expect_no_children(__WALL);
    cr_assert(host_stop(&host));
    expect_no_children(__WALL);
    cr_expect(eq(int, child_signals, 0));
}

Test(invisible, many_recordings_leave_nothing)
{
    int descriptors = count_entries("/proc/self/fd");
    settings.force = true;
    for (int i = 0; i < 100; i++) {
        cr_assert(eq(int, host_start(&host, NULL, &settings, &error), PT_OK), "%d: %s", i, error.text);
        cr_assert(host_stop(&host));
        pt_arena_unmap(&host.arena);
    }
    cr_expect(eq(int, count_entries("/proc/self/fd"), descriptors));
    cr_expect(eq(int, host_count_arenas(place.trace), 0));
    expect_no_children(__WALL);
}

Test(invisible, the_drain_keeps_nothing_of_the_host)
{
    char text[8192], path[64], target[64];
    cpu_set_t one, drains;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    cr_assert(eq(int, sched_setaffinity(0, sizeof one, &one), 0));
    cr_assert(eq(int, chdir(place.directory), 0));
    int inherited = open("/etc/passwd", O_RDONLY); /* without O_CLOEXEC */
    cr_assert(inherited >= 0);
    signal(SIGUSR2, SIG_IGN);
    setenv("SECRET", "sesame", 1);

    cr_assert(eq(int, host_start(&host, NULL, &settings, &error), PT_OK), "%s", error.text);
    pid_t drain = host_find_drain(place.trace);
    cr_assert(drain > 0);
    cr_expect(eq(sz, read_proc(drain, "environ", text, sizeof text), 0));
    cr_expect(eq(int, getsid(drain), drain));
    snprintf(path, sizeof path, "/proc/%d/cwd", drain);
    cr_assert(eq(int, (int)readlink(path, target, sizeof target), 1));
    for (int descriptor = 0; descriptor < 3; descriptor++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", drain, descriptor);
        memset(target, 0, sizeof target);
        cr_assert(readlink(path, target, sizeof target - 1) > 0);
        expect_text(target, "/dev/null");
    }
    snprintf(path, sizeof path, "/proc/%d/fd", drain);
    DIR *directory = opendir(path);
    for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        memset(target, 0, sizeof target);
        if (readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1) > 0)
            cr_expect(strcmp(target, "/etc/passwd") != 0, "an inherited descriptor is open");
    }
    closedir(directory);
    if (sysconf(_SC_NPROCESSORS_ONLN) > 1) {
        cr_assert(eq(int, sched_getaffinity(drain, sizeof drains, &drains), 0));
        cr_expect(CPU_COUNT(&drains) > 1);
    }

    unsigned long long ignored = 0, blocked = ~0ull;
    read_proc(drain, "status", text, sizeof text);
    cr_assert(eq(int, sscanf(strstr(text, "SigBlk:"), "SigBlk: %llx", &blocked), 1));
    cr_assert(eq(int, sscanf(strstr(text, "SigIgn:"), "SigIgn: %llx", &ignored), 1));
    cr_expect(eq(u64, blocked, 0));
    cr_expect(ne(u64, ignored & 1ull << (SIGTERM - 1), 0));
    cr_expect(ne(u64, ignored & 1ull << (SIGHUP - 1), 0));
    cr_expect(ne(u64, ignored & 1ull << (SIGINT - 1), 0));
    cr_expect(eq(u64, ignored & 1ull << (SIGUSR2 - 1), 0));
    kill(drain, SIGTERM);
    kill(drain, SIGINT);
    kill(drain, SIGHUP);
    cr_assert(host_stop(&host));
    close(inherited);
}

Test(invisible, a_host_with_no_descriptors_left)
{
    struct rlimit limit;
    int last = -1;
    cr_assert(eq(int, getrlimit(RLIMIT_NOFILE, &limit), 0));
    limit.rlim_cur = 64;
    cr_assert(eq(int, setrlimit(RLIMIT_NOFILE, &limit), 0));
    for (int next = dup(1); next >= 0; next = dup(1))
        last = next;
    cr_expect(eq(int, host_start(&host, NULL, &settings, &error), PT_IO));
    cr_expect(eq(int, error.system_errno, EMFILE));
    close(last);
    close(last - 1);
    cr_assert(eq(int, host_start(&host, NULL, &settings, &error), PT_OK), "two are enough: %s", error.text);
    cr_assert(host_stop(&host));
}

Test(invisible, a_host_without_standard_descriptors)
{
    int saved[3];
    for (int i = 0; i < 3; i++) {
        saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
        close(i);
    }
    enum pt_status status = host_start(&host, NULL, &settings, &error);
    int stopped = status == PT_OK && host_stop(&host);
    int opened = open("/dev/null", O_RDONLY);
    for (int i = 0; i < 3; i++)
        dup2(saved[i], i);
    cr_expect(eq(int, status, PT_OK), "%s", error.text);
    cr_expect(stopped);
    cr_expect(eq(int, opened, 0), "0 is free again");
}

/* What a host sees to which orphans come back. Runs in a child of the test; a number tells what is wrong, 0 nothing. */
static int live_with_a_keeper(void)
{
    char text[8192];
    size_t megabytes = 64;
    void *memory =
        mmap(NULL, megabytes << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    settings.pid = (uint64_t)getpid();
    signal(SIGCHLD, count_signal);
    if (memory == MAP_FAILED || host_start(&host, NULL, &settings, &error) != PT_OK)
        return 1;
    pid_t keeper = (pid_t)host.control->keeper;
    if (keeper <= 0 || waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
        return 2;

    /* A child of our own comes and goes as if there were nothing else. */
    pid_t child = fork();
    if (child == 0)
        _exit(7);
    int status = 0;
    if (wait(&status) != child || WEXITSTATUS(status) != 7 || wait(&status) != -1 || errno != ECHILD)
        return 3;
    if (child_signals != 1)
        return 4;
    if (getpid() != 1) { /* /proc shows another namespace there */
        for (int tries = 0; read_proc(keeper, "maps", text, sizeof text) > 1000; tries++)
            if (tries == 1000)
                return 5; /* it still has the host's memory */
            else
                usleep(10000);
        read_proc(keeper, "comm", text, sizeof text);
        if (strcmp(text, "pytrace-keeper\n") != 0)
            return 6;
    }
    if (!host_stop(&host))
        return 7;
    pt_spawn_reap((uint32_t)keeper);
    if (waitpid(-1, NULL, __WALL | WNOHANG) != -1 || errno != ECHILD)
        return 8; /* the keeper, or the drain, is still our child */
    return child_signals == 1 ? 0 : 9;
}

Test(invisible, to_a_subreaper)
{
    cr_assert(eq(int, prctl(PR_SET_CHILD_SUBREAPER, 1), 0));
    cr_expect(eq(int, live_with_a_keeper(), 0));
}

Test(invisible, to_a_subreaper_whose_drain_is_missing)
{
    cr_assert(eq(int, prctl(PR_SET_CHILD_SUBREAPER, 1), 0));
    cr_expect(eq(int, host_start(&host, "/tmp/pytrace-test-nowhere/pytrace-drain", &settings, &error), PT_IO));
    cr_expect(eq(int, error.system_errno, ENOENT), "%s", error.text);
    expect_no_children(__WALL | WNOHANG);
}

static void enter_pid_namespace(void)
{
    if (unshare(CLONE_NEWPID) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWPID) < 0)
        cr_skip_test("no pid namespace may be made here: %s", strerror(errno));
}

Test(invisible, to_init_of_a_pid_namespace)
{
    enter_pid_namespace();
    pid_t init = fork();
    if (init == 0)
        _exit(getpid() == 1 ? live_with_a_keeper() : 99);
    int status = -1;
    cr_assert(eq(int, waitpid(init, &status, 0), init));
    cr_expect(eq(int, status, 0), "step %d", WEXITSTATUS(status));
}

Test(invisible, refused_where_children_live_in_another_pid_namespace)
{
    enter_pid_namespace();
    cr_expect(eq(int, host_start(&host, NULL, &settings, &error), PT_UNSUPPORTED));
    expect_no_children(__WALL | WNOHANG);
}
