/* Opening a trace that is being written, or was when its program died. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block.h"
#include "trace_file.h"

static void count_wait(void *context)
{
    ++*(unsigned *)context;
}

/* The drain's lock is that of an open file description: one of our own, opened apart, shows as another's. */
static int lock_for_writing(const char *path)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int descriptor = open(path, O_RDWR | O_CLOEXEC);
    cr_assert_geq(descriptor, 0);
    cr_assert_eq(fcntl(descriptor, F_OFD_SETLK, &lock), 0);
    return descriptor;
}

static void unfinished(struct trace_file *file, uint64_t pid)
{
    struct pt_buffer payload = {0};
    struct pt_process process = {.serial = 1, .pid = pid, .end_tick = PT_META_ABSENT};
    trace_file_begin(file);
    trace_file_header(file);
    cr_assert_eq(pt_process_encode(&process, &payload), PT_OK);
    trace_file_block(file, PT_BLOCK_PROCESS, payload.data, payload.size);
    pt_buffer_release(&payload);
    trace_file_thread(file, 1, 1, PT_META_ABSENT);
}

Test(trace_live, of_a_living_program_is_read_as_it_stands)
{
    unsigned waits = 0;
    struct pt_trace_options options = {.wait_ms = 60000, .waiting = count_wait, .context = &waits};
    struct trace_file file;
    struct pt_trace *trace;
    unfinished(&file, (uint64_t)getpid());
    int lock = lock_for_writing(file.path);
    cr_assert_eq(write(file.writer.descriptor, PT_BLOCK_MAGIC, 8), 8);
    cr_assert_eq(pt_trace_open(&trace, file.path, &options, NULL), PT_OK);
    cr_expect_eq(trace->arena, PT_TRACE_ARENA_LIVE);
    cr_expect_eq(waits, 0);
    cr_expect_eq(trace->damage_count, 0, "a block that is being written is no damage");
    cr_expect_not(pt_trace_complete(trace));
    pt_trace_free(trace);
    close(lock);
    trace_file_release(&file);
}

Test(trace_live, of_a_dead_program_waits_for_the_drain)
{
    unsigned waits = 0;
    struct pt_trace_options options = {.wait_ms = 60000, .waiting = count_wait, .context = &waits};
    struct trace_file file;
    struct pt_trace *trace;
    unfinished(&file, 0);
    int lock = lock_for_writing(file.path);
    int ready[2];
    cr_assert_eq(pipe(ready), 0);
    pid_t drain = fork();
    cr_assert_geq(drain, 0);
    if (drain == 0) { /* holds the lock, too, until it has written the end */
        char byte;
        if (read(ready[0], &byte, 1) != 1)
            _exit(1);
        trace_file_end(&file, 5000);
        _exit(0);
    }
    close(lock);
    cr_assert_eq(write(ready[1], "x", 1), 1);
    cr_assert_eq(pt_trace_open(&trace, file.path, &options, NULL), PT_OK);
    cr_expect(trace->has_end);
    pt_trace_free(trace);
    cr_assert_eq(waitpid(drain, NULL, 0), drain);
    trace_file_release(&file);
}

Test(trace_live, wait_has_an_end)
{
    unsigned waits = 0;
    struct pt_trace_options options = {.wait_ms = 30, .waiting = count_wait, .context = &waits};
    struct trace_file file;
    struct pt_trace *trace;
    unfinished(&file, 0);
    int lock = lock_for_writing(file.path);
    cr_assert_eq(pt_trace_open(&trace, file.path, &options, NULL), PT_OK);
    cr_expect_eq(trace->arena, PT_TRACE_ARENA_LIVE);
    cr_expect_eq(waits, 1);
    pt_trace_free(trace);
    close(lock);
    trace_file_release(&file);
}
