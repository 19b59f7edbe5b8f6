/* What host and drain say to each other at start, over a socket pair: the settings one way, the answer back.
 *
 * A message is its length as a u32, then pairs of texts, key and value, each ended by a NUL: `ring_size NUL 1048576 NUL`. A key that
 * can have several values (`argv`, `note`) is repeated; keys that the receiver does not know are skipped. Every function gives up at
 * `deadline_ns` of CLOCK_MONOTONIC with ETIMEDOUT, and none raises SIGPIPE. */
#ifndef PT_HANDSHAKE_H
#define PT_HANDSHAKE_H

#include <limits.h>
#include <stdint.h>

#include "settings.h"
#include "status.h"

#define PT_HANDSHAKE_WAIT_NS UINT64_C(10000000000)

/* What the drain was told. Texts belong to `message`. */
struct pt_handshake {
    struct pt_settings settings;
    const char *runtime_directory; /* $XDG_RUNTIME_DIR of the host, NULL if it has none: the drain has no environment */
    bool kept;                     /* a keeper is the drain's parent */
    char *message;
    const char **argv;
};

/* The drain's answer: a status, and either the arena or what is wrong. */
struct pt_handshake_reply {
    enum pt_status status;
    struct pt_error error;
    char arena[PATH_MAX]; /* the directory, absolute */
};

/* PT_END if the other side is gone, PT_IO, PT_NOMEM. `kept` and `runtime_directory` of what is sent are looked at, `message` and `argv` are not. */
PT_MUST_USE enum pt_status pt_handshake_send(int socket, const struct pt_handshake *handshake, uint64_t deadline_ns,
                                             struct pt_error *error);

/* Fills a zeroed `handshake`. PT_END if the other side is gone, PT_CORRUPT, PT_UNSUPPORTED (a recorder of another version), PT_IO,
 * PT_NOMEM. Release with pt_handshake_release whatever it returned. */
PT_MUST_USE enum pt_status pt_handshake_receive(int socket, struct pt_handshake *handshake, uint64_t deadline_ns,
                                                struct pt_error *error);
void pt_handshake_release(struct pt_handshake *handshake);

/* The same for the answer. */
PT_MUST_USE enum pt_status pt_handshake_send_reply(int socket, const struct pt_handshake_reply *reply,
                                                   uint64_t deadline_ns, struct pt_error *error);
PT_MUST_USE enum pt_status pt_handshake_receive_reply(int socket, struct pt_handshake_reply *reply,
                                                      uint64_t deadline_ns, struct pt_error *error);

#endif
