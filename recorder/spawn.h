/* Starting the drain process from inside the host, so that the host never notices: no SIGCHLD, nothing that any wait() shows, no
 * descriptor left, no memory copied. */
#ifndef PT_SPAWN_H
#define PT_SPAWN_H

#include <stddef.h>
#include <stdint.h>

#include "settings.h"
#include "status.h"

/* Starts `program` (absolute path of pytrace-drain), hands it `settings`, and waits (10 s at most) until the arena stands and the trace
 * file is created. Writes the arena's directory to `arena_directory`. The calling thread must hold no lock that a fork handler needs; all
 * signals are blocked meanwhile. PT_IO with errno as the drain met it (EEXIST: the trace exists already), PT_UNSUPPORTED (new
 * children of this process land in another pid namespace), PT_NOMEM. errno is left as it was.
 *
 * A host that is init of its pid namespace, or a subreaper, keeps a child without a SIGCHLD while the recording runs: only a wait() with
 * __WALL or __WCLONE shows it. */
PT_MUST_USE enum pt_status pt_spawn_drain(const char *program, const struct pt_settings *settings,
                                          char *arena_directory, size_t arena_directory_size, struct pt_error *error);

/* After the end of a recording: `keeper` is that of its control page. Takes what is left of it out of the process table, in the process
 * that started the recording; elsewhere, and if there is none (0), it does nothing. */
void pt_spawn_reap(uint32_t keeper);

#endif
