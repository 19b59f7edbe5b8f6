#include "spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "handshake.h"
#include "raw_syscall.h"
#include "spawn_clone.h"

#define REAP_WAIT_MS   1000
#define KERNEL_SIGNALS 8 /* bytes of a signal set as the kernel knows it */

/* After unshare(CLONE_NEWPID) a process's children are init, and its descendants, of another world: the drain would die
 * with the first of them, and owners could not be told apart. */
static int children_leave_namespace(void)
{
    char own[64], children[64];
    ssize_t own_length = readlink("/proc/thread-self/ns/pid", own, sizeof own);
    ssize_t children_length = readlink("/proc/thread-self/ns/pid_for_children", children, sizeof children);
    if (own_length <= 0)
        return 0; /* no /proc: nothing is known */
    /* The link leads nowhere until the first child has made the new namespace. */
    return own_length != children_length || memcmp(own, children, (size_t)own_length) != 0;
}

static int orphans_come_back(void)
{
    int subreaper = 0;
    return getpid() == 1 || (prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0 && subreaper);
}

/* All of them, those that glibc keeps for itself included: no handler may run on the memory that a child shares with us. */
static void block_all_signals(uint64_t *before)
{
    uint64_t all = UINT64_MAX;
    pt_raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, (long)&all, (long)before, KERNEL_SIGNALS);
}

static void restore_signals(const uint64_t *before)
{
    pt_raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)before, 0, KERNEL_SIGNALS);
}

static enum pt_status converse(int socket, const struct pt_handshake *handshake, char *arena_directory,
                               size_t arena_directory_size, struct pt_error *error)
{
    uint64_t deadline_ns = pt_clock_monotonic_ns() + PT_HANDSHAKE_WAIT_NS;
    struct pt_handshake_reply *reply = calloc(1, sizeof *reply);
    if (!reply)
        return pt_error_set(error, PT_NOMEM, PT_ERROR_NO_OFFSET, "out of memory");

    enum pt_status status = pt_handshake_send(socket, handshake, deadline_ns, error);
    if (status == PT_OK)
        status = pt_handshake_receive_reply(socket, reply, deadline_ns, error);
    if (status == PT_END)
        status = pt_error_set(error, PT_IO, PT_ERROR_NO_OFFSET, "the drain process ended before it was ready");
    if (status == PT_OK && reply->status != PT_OK) {
        status = reply->status;
        if (error)
            *error = reply->error;
    }
    if (status == PT_OK && strlen(reply->arena) >= arena_directory_size)
        status = pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "the arena's path is too long: %s", reply->arena);
    if (status == PT_OK)
        memcpy(arena_directory, reply->arena, strlen(reply->arena) + 1);
    free(reply);
    return status;
}

static enum pt_status spawn(const char *program, const struct pt_settings *settings, char *arena_directory,
                            size_t arena_directory_size, struct pt_error *error)
{
    int sockets[2];
    pid_t keeper = 0;
    struct pt_handshake handshake = {
        .settings = *settings,
        .runtime_directory = getenv("XDG_RUNTIME_DIR"),
        .kept = orphans_come_back(),
    };
    if (children_leave_namespace())
        return pt_error_set(error, PT_UNSUPPORTED, PT_ERROR_NO_OFFSET,
                            "new children of this process land in another pid namespace: start the recording there");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
        return pt_error_set_errno(error, "cannot start", program);

    struct pt_spawn_clone request = {
        .program = program,
        .argv = {"pytrace-drain", settings->output},
        .socket = sockets[1],
        .host_socket = sockets[0],
        .keep = handshake.kept,
    };
    int failure = pt_spawn_clone(&request, &keeper);
    close(sockets[1]);
    enum pt_status status = PT_IO;
    if (failure == 0)
        status = converse(sockets[0], &handshake, arena_directory, arena_directory_size, error);
    close(sockets[0]);
    if (status != PT_OK && keeper > 0) {
        int keeper_failure = pt_spawn_clone_reap(keeper, REAP_WAIT_MS);
        failure = keeper_failure > 0 ? keeper_failure : 0;
    }
    if (failure != 0) {
        errno = failure;
        status = pt_error_set_errno(error, "cannot start", program);
    }
    return status;
}

enum pt_status pt_spawn_drain(const char *program, const struct pt_settings *settings, char *arena_directory,
                              size_t arena_directory_size, struct pt_error *error)
{
    int saved_errno = errno;
    uint64_t signals;
    block_all_signals(&signals);
    enum pt_status status = spawn(program, settings, arena_directory, arena_directory_size, error);
    restore_signals(&signals);
    errno = saved_errno;
    return status;
}

void pt_spawn_reap(uint32_t keeper)
{
    int saved_errno = errno;
    if (keeper != 0)
        pt_spawn_clone_reap((pid_t)keeper, REAP_WAIT_MS);
    errno = saved_errno;
}
