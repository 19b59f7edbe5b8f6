/* pytrace-drain: the process beside a recording that writes its trace. Started by the recorder alone (spawn.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "drain.h"
#include "drain_settle.h"
#include "handshake.h"
#include "spawn_clone.h"

static int is_socket(int descriptor)
{
    int type;
    socklen_t size = sizeof type;
    return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

/* Takes the settings, makes arena and trace, tells the host. PT_END if the host is gone. */
static enum pt_status prepare(int socket, struct pt_handshake *handshake, struct pt_drain **drain)
{
    uint64_t deadline_ns = pt_clock_monotonic_ns() + PT_HANDSHAKE_WAIT_NS;
    struct pt_handshake_reply reply = {.error.offset = PT_ERROR_NO_OFFSET};
    reply.status = pt_handshake_receive(socket, handshake, deadline_ns, &reply.error);
    if (reply.status == PT_END)
        return PT_END;
    if (reply.status == PT_OK)
        reply.status = pt_drain_open(drain, handshake, &reply.error);
    if (reply.status == PT_OK)
        snprintf(reply.arena, sizeof reply.arena, "%s", pt_drain_arena_directory(*drain));
    enum pt_status sent = pt_handshake_send_reply(socket, &reply, deadline_ns, NULL);
    if (sent != PT_OK && *drain) {
        pt_drain_abandon(*drain);
        pt_drain_free(*drain);
        *drain = NULL;
    }
    return reply.status == PT_OK ? sent : reply.status;
}

int main(int argc, char **argv)
{
    struct pt_handshake handshake = {0};
    struct pt_drain *drain = NULL;
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("pytrace-drain " PYTRACE_VERSION);
        return EXIT_SUCCESS;
    }
    if (argc != 2 || !is_socket(PT_SPAWN_SOCKET)) {
        fputs("pytrace-drain writes the trace of a recording and is started by it: see python3 -m pytrace record "
              "--help\n",
              stderr);
        return 2;
    }
    pt_drain_settle(PT_SPAWN_SOCKET);
    enum pt_status status = prepare(PT_SPAWN_SOCKET, &handshake, &drain);
    close(PT_SPAWN_SOCKET);
    if (status == PT_OK) {
        status = pt_drain_run(drain);
        pt_drain_free(drain);
    }
    pt_handshake_release(&handshake);
    return status == PT_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
