/* An arena in a directory of its own, and both ends of it: what a recorded process does, and what a drain's file
 * gets. */
#ifndef ARENA_FIXTURE_H
#define ARENA_FIXTURE_H

#include "arena.h"
#include "buffer.h"
#include "chunk.h"
#include "collector.h"
#include "names.h"

enum { FIXTURE_JOURNAL_SIZE = PT_ARENA_JOURNAL_MIN };

#define ARENA_FIXTURE_RUN_ID "0123456789abcdef"

struct arena_fixture {
    char directory[64];
    struct pt_arena arena;
};

/* All entries and slots are free. */
void arena_fixture_open(struct arena_fixture *fixture, uint32_t processes, uint32_t slots, uint64_t ring_size);
void arena_fixture_close(struct arena_fixture *fixture);

/* --- The host ----------------------------------------------------------------------------------------------------- */

/* The calling thread becomes the owner. `parent` may be PT_ARENA_NO_PROCESS. */
void arena_fixture_enter(struct arena_fixture *fixture, uint32_t process, uint32_t parent, uint32_t inherited);
void arena_fixture_leave(struct arena_fixture *fixture, uint32_t process, enum pt_process_state state, uint64_t tick);
void arena_fixture_claim(struct arena_fixture *fixture, uint32_t slot, uint32_t process, uint64_t tick);
void arena_fixture_release(struct arena_fixture *fixture, uint32_t slot, uint64_t tick);

/* Publishes one word in the ring of `slot`. */
void arena_fixture_word(struct arena_fixture *fixture, uint32_t slot, uint64_t word);
void arena_fixture_event(struct arena_fixture *fixture, uint32_t slot, enum pt_kind kind, uint32_t id, uint64_t tick);
/* Defines function `id`, whose qualified name is "f<id>". */
void arena_fixture_define(struct arena_fixture *fixture, uint32_t process, uint32_t id);

/* Runs `host` in a process of its own, which is killed as soon as it returns. */
void arena_fixture_run_and_kill(struct arena_fixture *fixture, void (*host)(struct arena_fixture *fixture));

/* --- The file ----------------------------------------------------------------------------------------------------- */

enum { BLOCK_LOG_MAX = 256 };

struct block_log {
    struct {
        enum pt_block_type type;
        uint8_t *payload;
        uint32_t size;
    } blocks[BLOCK_LOG_MAX];
    unsigned count;
    unsigned refuse_at; /* the call, from 1 on, that is refused once; 0: none */
    unsigned calls;
};

/* A pt_collector_sink; `context` is a block_log. */
enum pt_status block_log_take(void *context, enum pt_block_type type, const uint8_t *payload, uint32_t size);
void block_log_release(struct block_log *log);

/* The last block that tells of process or thread `serial`; all zero if there is none. Release them. */
struct pt_process block_log_process(const struct block_log *log, uint64_t serial);
struct pt_thread block_log_thread(const struct block_log *log, uint64_t serial);

/* All entries of a thread as text, "start 1 @1000, return @1003, …"; release with free. Checks on the way that chunks
 * follow each other without a gap and that the names of all functions stand before them. */
char *block_log_entries(const struct block_log *log, uint64_t thread);

#endif
