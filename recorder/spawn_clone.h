/* The two clones by which a process gets a drain that is not its child (internal to spawn.c). */
#ifndef PT_SPAWN_CLONE_H
#define PT_SPAWN_CLONE_H

#include <stdbool.h>
#include <sys/types.h>

#define PT_SPAWN_SOCKET 3 /* the descriptor at which the drain finds its end of the socket pair */

struct pt_spawn_clone {
    const char *program; /* absolute path */
    const char *argv[3]; /* NULL at the end */
    int socket;          /* the drain's end */
    int host_socket;     /* the other one, which the children close */
    bool keep;           /* orphans of this process come back to it: leave a keeper as the drain's parent */
};

/* Starts the program; all signals must be blocked. Returns 0, or the errno of what failed; nothing is left behind then. With `keep` the
 * result of the exec is not known yet at return: `*keeper` is the parent of the drain, to be handed to pt_spawn_clone_reap. */
int pt_spawn_clone(const struct pt_spawn_clone *request, pid_t *keeper);

/* Takes a keeper that ends within `wait_ms` (negative: for ever) out of the process table. Returns the errno with which it failed, 0 if it did not, or −1 if it is
 * still there. */
int pt_spawn_clone_reap(pid_t keeper, int wait_ms);

#endif
