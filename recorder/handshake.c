#include "handshake.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bytes.h"
#include "clock.h"

#define MESSAGE_MAX  (32u << 20) /* the kernel's own cap on a command line is 6 MiB */
#define LENGTH_BYTES 4
#define NUMBER_BYTES 24

/* --- Building a message ----------------------------------------------------------------------------------------- */

/* Twice over the same code: the first time `at` is NULL and only the size counts. */
struct composer {
    char *at;
    size_t size;
};

static void put_text(struct composer *composer, const char *text)
{
    size_t bytes = strlen(text) + 1;
    if (composer->at)
        memcpy(composer->at + composer->size, text, bytes);
    composer->size += bytes;
}

static void put(struct composer *composer, const char *key, const char *value)
{
    if (!value)
        return;
    put_text(composer, key);
    put_text(composer, value);
}

static void put_number(struct composer *composer, const char *key, uint64_t value)
{
    char digits[NUMBER_BYTES];
    snprintf(digits, sizeof digits, "%" PRIu64, value);
    put(composer, key, digits);
}

static const struct {
    const char *own;
    const char *caller;
} cost_keys[PT_COST_KINDS] = {
    [PT_COST_CALL] = {"call_own_ps", "call_caller_ps"},
    [PT_COST_C_CALL] = {"c_call_own_ps", "c_call_caller_ps"},
    [PT_COST_RESUME] = {"resume_own_ps", "resume_caller_ps"},
};

typedef void compose(struct composer *composer, const void *subject);

static void compose_settings(struct composer *composer, const void *subject)
{
    const struct pt_handshake *handshake = subject;
    const struct pt_settings *settings = &handshake->settings;
    put(composer, "version", PYTRACE_VERSION);
    put(composer, "output", settings->output);
    put_number(composer, "force", settings->force);
    put_number(composer, "c_calls", settings->c_calls);
    put(composer, "lines", settings->lines);
    put(composer, "opcodes", settings->opcodes);
    put_number(composer, "exceptions", settings->exceptions);
    put_number(composer, "drop", settings->drop);
    put_number(composer, "children", settings->children);
    put_number(composer, "clock", settings->clock);
    put_number(composer, "ring_size", settings->ring_size);
    put_number(composer, "max_threads", settings->max_threads);
    put_number(composer, "flush_interval_ns", settings->flush_interval_ns);
    put_number(composer, "max_size", settings->max_size);
    put_number(composer, "level", (uint64_t)settings->level);
    put(composer, "ring_dir", settings->ring_dir);
    put_number(composer, "pid", settings->pid);
    put(composer, "program", settings->program);
    for (size_t i = 0; i < settings->argc; i++)
        put(composer, "argv", settings->argv[i]);
    put(composer, "executable", settings->executable);
    put(composer, "python", settings->python);
    put(composer, "hook", settings->hook);
    for (size_t kind = 0; kind < PT_COST_KINDS; kind++) {
        put_number(composer, cost_keys[kind].own, settings->costs[kind].own_ps);
        put_number(composer, cost_keys[kind].caller, settings->costs[kind].caller_ps);
    }
    put(composer, "runtime_directory", handshake->runtime_directory);
    put_number(composer, "kept", handshake->kept);
}

static void compose_reply(struct composer *composer, const void *subject)
{
    const struct pt_handshake_reply *reply = subject;
    put_number(composer, "status", reply->status);
    if (reply->status == PT_OK) {
        put(composer, "arena", reply->arena);
    } else {
        put_number(composer, "errno", (uint64_t)reply->error.system_errno);
        put(composer, "text", reply->error.text);
    }
}

/* --- Moving bytes ----------------------------------------------------------------------------------------------- */

static int wait_for(int socket, short events, uint64_t deadline_ns)
{
    for (;;) {
        uint64_t now = pt_clock_monotonic_ns();
        int left_ms = now < deadline_ns ? (int)((deadline_ns - now) / 1000000 + 1) : 0;
        int ready = poll(&(struct pollfd){.fd = socket, .events = events}, 1, left_ms);
        if (ready > 0)
            return 0;
        if (ready == 0)
            return ETIMEDOUT;
        if (errno != EINTR)
            return errno;
    }
}

/* PT_END if the other side is gone. */
static enum pt_status send_bytes(int socket, const char *bytes, size_t count, uint64_t deadline_ns,
                                 struct pt_error *error)
{
    while (count > 0) {
        ssize_t sent = send(socket, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN)
            errno = wait_for(socket, POLLOUT, deadline_ns);
        else if (sent >= 0)
            errno = 0;
        if (errno == EPIPE)
            return PT_END;
        if (errno != 0 && errno != EINTR)
            return pt_error_set_errno(error, "cannot write to", "the drain's socket");
        if (sent > 0) {
            bytes += sent;
            count -= (size_t)sent;
        }
    }
    return PT_OK;
}

/* PT_END if the other side closed before all `count` bytes came. */
static enum pt_status receive_bytes(int socket, char *bytes, size_t count, uint64_t deadline_ns, struct pt_error *error)
{
    while (count > 0) {
        ssize_t received = recv(socket, bytes, count, MSG_DONTWAIT);
        if (received == 0 || (received < 0 && errno == ECONNRESET))
            return PT_END;
        if (received < 0 && errno == EAGAIN)
            errno = wait_for(socket, POLLIN, deadline_ns);
        else if (received > 0)
            errno = 0;
        if (errno != 0 && errno != EINTR)
            return pt_error_set_errno(error, "cannot read from", "the drain's socket");
        if (received > 0) {
            bytes += received;
            count -= (size_t)received;
        }
    }
    return PT_OK;
}

static enum pt_status send_message(int socket, compose *pairs, const void *subject, uint64_t deadline_ns,
                                   struct pt_error *error)
{
    struct composer composer = {.size = LENGTH_BYTES};
    pairs(&composer, subject);
    if (composer.size > MESSAGE_MAX)
        return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "the settings take %zu bytes", composer.size);
    composer.at = malloc(composer.size);
    if (!composer.at)
        return pt_error_set(error, PT_NOMEM, PT_ERROR_NO_OFFSET, "out of memory");
    pt_bytes_store32((uint8_t *)composer.at, (uint32_t)(composer.size - LENGTH_BYTES));
    composer.size = LENGTH_BYTES;
    pairs(&composer, subject);
    enum pt_status status = send_bytes(socket, composer.at, composer.size, deadline_ns, error);
    free(composer.at);
    return status;
}

/* On PT_OK `*message` is the caller's: whole texts only, each ended by a NUL, an even number of them. */
static enum pt_status receive_message(int socket, char **message, size_t *size, uint64_t deadline_ns,
                                      struct pt_error *error)
{
    uint8_t length[LENGTH_BYTES];
    char *bytes = NULL;
    size_t texts = 0;
    enum pt_status status = receive_bytes(socket, (char *)length, sizeof length, deadline_ns, error);
    if (status != PT_OK)
        goto cleanup;
    *size = pt_bytes_load32(length);
    if (*size == 0 || *size > MESSAGE_MAX) {
        status = pt_error_set(error, PT_CORRUPT, PT_ERROR_NO_OFFSET, "a message of %zu bytes", *size);
        goto cleanup;
    }
    bytes = malloc(*size);
    if (!bytes) {
        status = pt_error_set(error, PT_NOMEM, PT_ERROR_NO_OFFSET, "out of memory");
        goto cleanup;
    }
    status = receive_bytes(socket, bytes, *size, deadline_ns, error);
    if (status != PT_OK)
        goto cleanup;
    for (size_t i = 0; i < *size; i++)
        texts += bytes[i] == '\0';
    if (bytes[*size - 1] != '\0' || texts % 2 != 0) {
        status = pt_error_set(error, PT_CORRUPT, PT_ERROR_NO_OFFSET, "a message with half a pair");
        goto cleanup;
    }
    *message = bytes;
    bytes = NULL;
cleanup:
    free(bytes);
    return status;
}

/* --- Reading a message ------------------------------------------------------------------------------------------ */

/* The next pair of a message, from `*at` on; false at the end. */
static bool next_pair(const char **at, const char *end, const char **key, const char **value)
{
    if (*at == end)
        return false;
    *key = *at;
    *value = *key + strlen(*key) + 1;
    *at = *value + strlen(*value) + 1;
    return true;
}

static uint64_t number(const char *text)
{
    return strtoull(text, NULL, 10);
}

static void take_setting(struct pt_handshake *handshake, const char *key, const char *value)
{
    struct pt_settings *settings = &handshake->settings;
    const struct {
        const char *key;
        const char **text;
        bool *flag;
        uint64_t *number;
    } fields[] = {
        {.key = "output", .text = &settings->output},
        {.key = "ring_dir", .text = &settings->ring_dir},
        {.key = "lines", .text = &settings->lines},
        {.key = "opcodes", .text = &settings->opcodes},
        {.key = "program", .text = &settings->program},
        {.key = "executable", .text = &settings->executable},
        {.key = "python", .text = &settings->python},
        {.key = "hook", .text = &settings->hook},
        {.key = "runtime_directory", .text = &handshake->runtime_directory},
        {.key = "force", .flag = &settings->force},
        {.key = "c_calls", .flag = &settings->c_calls},
        {.key = "exceptions", .flag = &settings->exceptions},
        {.key = "drop", .flag = &settings->drop},
        {.key = "children", .flag = &settings->children},
        {.key = "kept", .flag = &handshake->kept},
        {.key = "ring_size", .number = &settings->ring_size},
        {.key = "flush_interval_ns", .number = &settings->flush_interval_ns},
        {.key = "max_size", .number = &settings->max_size},
        {.key = "pid", .number = &settings->pid},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(key, fields[i].key) != 0)
            continue;
        if (fields[i].text)
            *fields[i].text = value;
        else if (fields[i].flag)
            *fields[i].flag = number(value) != 0;
        else
            *fields[i].number = number(value);
    }
    for (size_t kind = 0; kind < PT_COST_KINDS; kind++) {
        if (strcmp(key, cost_keys[kind].own) == 0)
            settings->costs[kind].own_ps = number(value);
        if (strcmp(key, cost_keys[kind].caller) == 0)
            settings->costs[kind].caller_ps = number(value);
    }
    if (strcmp(key, "clock") == 0)
        settings->clock = (enum pt_clock_choice)number(value);
    if (strcmp(key, "max_threads") == 0)
        settings->max_threads = (uint32_t)number(value);
    if (strcmp(key, "level") == 0)
        settings->level = (int)strtol(value, NULL, 10);
}

enum pt_status pt_handshake_receive(int socket, struct pt_handshake *handshake, uint64_t deadline_ns,
                                    struct pt_error *error)
{
    const char *version = "none";
    const char *key, *value;
    size_t size = 0, argc = 0;
    PT_TRY(receive_message(socket, &handshake->message, &size, deadline_ns, error));
    const char *end = handshake->message + size;

    for (const char *at = handshake->message; next_pair(&at, end, &key, &value);) {
        if (strcmp(key, "argv") == 0)
            argc++;
        else if (strcmp(key, "version") == 0)
            version = value;
        else
            take_setting(handshake, key, value);
    }
    if (strcmp(version, PYTRACE_VERSION) != 0)
        return pt_error_set(error, PT_UNSUPPORTED, PT_ERROR_NO_OFFSET,
                            "pytrace-drain is of version %s, the recorder of %s", PYTRACE_VERSION, version);
    if (!handshake->settings.output)
        return pt_error_set(error, PT_CORRUPT, PT_ERROR_NO_OFFSET, "settings without an output");

    handshake->argv = calloc(argc + 1, sizeof *handshake->argv);
    if (!handshake->argv)
        return pt_error_set(error, PT_NOMEM, PT_ERROR_NO_OFFSET, "out of memory");
    for (const char *at = handshake->message; next_pair(&at, end, &key, &value);)
        if (strcmp(key, "argv") == 0)
            handshake->argv[handshake->settings.argc++] = value;
    handshake->settings.argv = handshake->argv;
    return PT_OK;
}

void pt_handshake_release(struct pt_handshake *handshake)
{
    free(handshake->message);
    free(handshake->argv);
    *handshake = (struct pt_handshake){0};
}

enum pt_status pt_handshake_receive_reply(int socket, struct pt_handshake_reply *reply, uint64_t deadline_ns,
                                          struct pt_error *error)
{
    char *message = NULL;
    const char *key, *value;
    size_t size = 0;
    *reply = (struct pt_handshake_reply){.status = PT_CORRUPT, .error.offset = PT_ERROR_NO_OFFSET};
    PT_TRY(receive_message(socket, &message, &size, deadline_ns, error));
    for (const char *at = message; next_pair(&at, message + size, &key, &value);) {
        if (strcmp(key, "status") == 0)
            reply->status = (enum pt_status)number(value);
        else if (strcmp(key, "errno") == 0)
            reply->error.system_errno = (int)number(value);
        else if (strcmp(key, "text") == 0)
            snprintf(reply->error.text, sizeof reply->error.text, "%s", value);
        else if (strcmp(key, "arena") == 0)
            snprintf(reply->arena, sizeof reply->arena, "%s", value);
    }
    free(message);
    return PT_OK;
}

enum pt_status pt_handshake_send(int socket, const struct pt_handshake *handshake, uint64_t deadline_ns,
                                 struct pt_error *error)
{
    return send_message(socket, compose_settings, handshake, deadline_ns, error);
}

enum pt_status pt_handshake_send_reply(int socket, const struct pt_handshake_reply *reply, uint64_t deadline_ns,
                                       struct pt_error *error)
{
    return send_message(socket, compose_reply, reply, deadline_ns, error);
}
