/* Starting the drain process from inside the host, so that the host never notices: no SIGCHLD, nothing that any wait() shows, no
 * descriptor left, no memory copied. */
#ifndef PT_SPAWN_H
#define PT_SPAWN_H

#include <stddef.h>

#include "settings.h"
#include "status.h"

/* Starts `program` (absolute path of pytrace-drain), hands it `settings`, and waits (10 s at most) until the arena stands and the trace
 * file is created. Writes the arena's directory to `arena_directory`. The calling thread must hold no lock that a fork handler needs; all
 * signals are blocked meanwhile. PT_IO with errno as the drain met it (EEXIST: the trace exists already), PT_UNSUPPORTED (new
 * children of this process land in another pid namespace), PT_NOMEM. */
PT_MUST_USE enum pt_status pt_spawn_drain(const char *program, const struct pt_settings *settings, char *arena_directory,
                                          size_t arena_directory_size, struct pt_error *error);

#endif
