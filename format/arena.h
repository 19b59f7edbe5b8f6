/* The arena: the shared memory of a recording (SPEC.md 8).
 *
 * The structs below lie over the mapping itself: it is memory of this machine and this boot, written by processes of
 * the same build, and needs atomics. Their offsets are asserted against SPEC.md in arena.c. Who maps an arena that
 * may have been damaged (salvage, and the drain, which trusts no word that a host wrote) goes through `struct
 * pt_arena`, which holds checked copies of every size. */
#ifndef PT_ARENA_H
#define PT_ARENA_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"
#include "status.h"

/* A robust, process-shared mutex that a thread locks when it claims the entry and never unlocks while it records:
 * the kernel marks it when the thread ends, execs or is killed. glibc keeps the futex word first. */
union pt_arena_owner {
    pthread_mutex_t mutex;
    _Atomic uint32_t word;
    uint8_t size[64];
};

struct pt_arena_control {
    _Atomic uint64_t magic; /* stored last by the drain (release): all of the page is valid once it is there */
    uint32_t abi;
    uint32_t flags; /* PT_ARENA_FLAG_… */
    uint8_t run_id[16];
    char boot_id[PT_ARENA_BOOT_ID_SIZE];
    uint32_t process_count;
    uint32_t slot_count;
    uint64_t journal_size;
    uint64_t ring_size;
    uint64_t processes_offset;
    uint64_t slots_offset;
    uint64_t journals_offset;
    uint64_t rings_offset;
    uint64_t file_size;
    uint32_t clock; /* enum pt_clock_kind */
    uint32_t tick_shift;
    uint64_t tick_ps;
    _Atomic uint64_t start_tick;
    uint64_t flush_interval_ns;
    _Atomic uint32_t trouble;  /* errno of the drain's last write to the trace, 0 if it went well */
    uint32_t keeper;           /* pid of the process that stands between host and drain, 0 if there is none */
    _Atomic uint32_t expected; /* 1: nobody is left, and the drain waits for a program that is about to join */
    uint8_t reserved_180[12];

    /* Shared state from here on, every word atomic. */
    _Atomic uint32_t live;   /* processes alive or being born, or PT_ARENA_CLOSED */
    _Atomic uint32_t wake;   /* futex: producers raise it, the drain waits on it */
    _Atomic uint32_t asleep; /* 1 while the drain waits on `wake`, so that a wake costs no system call otherwise */
    _Atomic uint32_t done;   /* futex: 1 when the trace file is complete */
    _Atomic uint32_t stop;   /* enum pt_arena_stop */
    _Atomic uint32_t
        degraded; /* 1: the policy is drop for now; set by a producer whose wait ran out, cleared by the drain */
    _Atomic uint32_t progress; /* futex: the drain raises it after moving `consumed` while `waiters` > 0 */
    _Atomic uint32_t waiters;
    _Atomic uint64_t stop_tick;
    _Atomic uint64_t heartbeat_ns; /* CLOCK_MONOTONIC of the drain's last turn */
    _Atomic uint64_t waited_ns;
    _Atomic uint64_t unslotted_threads;
    _Atomic uint64_t unslotted_events;
    _Alignas(64) union pt_arena_owner drain; /* held by the drain's main thread: dead, the kernel says so at once */
    uint8_t reserved_384[128];

    /* Constant again. */
    char lines[PT_ARENA_PATTERN_SIZE]; /* of which functions: a regular expression; empty for none */
    char opcodes[PT_ARENA_PATTERN_SIZE];
};

enum pt_arena_stop { PT_ARENA_RUNNING = 0, PT_ARENA_STOPPED = 1, PT_ARENA_LIMIT = 2 };

enum pt_clock_kind { PT_CLOCK_TSC = 1, PT_CLOCK_CNTVCT = 2, PT_CLOCK_MONOTONIC = 3, PT_CLOCK_CPU = 4 };

enum pt_process_state {
    PT_PROCESS_UNRESERVED = 0, /* its journal has no space yet */
    PT_PROCESS_FREE = 1,
    PT_PROCESS_BORN = 2, /* reserved by a parent for a child that may not exist yet */
    PT_PROCESS_LIVE = 3,
    PT_PROCESS_EXITED = 4,   /* ran its exit handlers; records nothing any more */
    PT_PROCESS_DETACHED = 5, /* left the recording, and lives on */
};

enum pt_process_origin {
    PT_PROCESS_STARTED = 0, /* it started the recording */
    PT_PROCESS_FORKED = 1,
    PT_PROCESS_EXECED = 2, /* a program that a recorded process, or what that had started, has executed */
};

struct pt_arena_process {
    union pt_arena_owner owner;
    union {
        struct {
            _Atomic uint32_t state; /* enum pt_process_state; a release store publishes the fields below */
            _Atomic uint32_t generation;
        };
        _Atomic uint64_t use; /* both, for who must not take a later use for the one it means */
    };
    _Atomic uint32_t pid;
    uint32_t parent; /* index, or PT_ARENA_NO_PROCESS */
    uint32_t parent_generation;
    uint32_t inherited;
    _Atomic uint64_t start_tick;
    _Atomic uint64_t end_tick;
    _Atomic uint32_t notes; /* PT_PROCESS_NOTE_… */
    uint32_t origin;        /* enum pt_process_origin */
    uint8_t reserved_112[16];
    _Alignas(64) _Atomic uint64_t produced; /* journal bytes; release by the owner, acquire by the drain */
    char program[PT_PROCESS_PROGRAM_SIZE];  /* of an executed one: UTF-8, zero padded */
    _Alignas(64) _Atomic uint64_t consumed; /* release by the drain, acquire by the owner */
};

enum pt_slot_state {
    PT_SLOT_UNRESERVED = 0, /* its ring has no space yet */
    PT_SLOT_FREE = 1,
    PT_SLOT_OWNED = 3,
    PT_SLOT_RELEASED = 4, /* its thread left of its own accord */
};

struct pt_arena_slot {
    union pt_arena_owner owner;
    _Atomic uint32_t state;      /* enum pt_slot_state; a release store of OWNED publishes the fields below */
    _Atomic uint32_t generation; /* raised at each claim */
    _Atomic uint32_t process;
    _Atomic uint32_t process_generation;
    _Atomic uint64_t native_id;
    _Atomic uint64_t start_tick;
    _Atomic uint64_t end_tick;
    uint8_t reserved_104[24];
    char name[64];                          /* written when it becomes known; read as data that may be torn */
    _Alignas(64) _Atomic uint64_t produced; /* words; release by the owner after the records, acquire by the drain */
    _Atomic uint64_t lost;
    _Atomic uint64_t stalled_ticks;
    _Alignas(64) _Atomic uint64_t consumed; /* words; release by the drain, acquire by the owner */
    uint8_t reserved_264[120];
};

/* What is being built, or what a control page claims after it was checked. */
struct pt_arena_shape {
    uint32_t process_count;
    uint32_t slot_count;
    uint64_t journal_size; /* bytes, a power of two */
    uint64_t ring_size;    /* bytes, a power of two */
    uint64_t processes_offset;
    uint64_t slots_offset;
    uint64_t journals_offset;
    uint64_t rings_offset;
    uint64_t file_size;
};

/* A mapped arena: `base` and checked sizes. Shared or private, writable or not, as the mapper chose. */
struct pt_arena {
    uint8_t *base;
    struct pt_arena_shape shape;
};

/* Computes the offsets and the file size for the counts and sizes in `shape`; page aligned. PT_MISUSE for a size that
 * is no power of two or out of bounds. */
PT_MUST_USE enum pt_status pt_arena_shape_plan(struct pt_arena_shape *shape);

/* Wraps `length` mapped bytes whose control page is checked in full against `length` (magic, ABI, sizes, offsets).
 * PT_TRUNCATED, PT_CORRUPT, PT_UNSUPPORTED (another ABI). Borrows the mapping. */
PT_MUST_USE enum pt_status pt_arena_view(struct pt_arena *arena, uint8_t *base, uint64_t length,
                                         struct pt_error *error);

/* Maps the file `arena` in `directory` (O_NOFOLLOW, owner = effective uid, no permissions for others): shared and
 * writable, then the same is asked of the directory, or private (copy on write) for salvage. Keeps no descriptor. Free
 * with pt_arena_unmap. */
PT_MUST_USE enum pt_status pt_arena_map(struct pt_arena *arena, const char *directory, int shared,
                                        struct pt_error *error);
void pt_arena_unmap(struct pt_arena *arena);

/* The kernel's boot id as text, padded with zeros. Empty if it is not told. */
void pt_arena_boot_id(char boot_id[PT_ARENA_BOOT_ID_SIZE]);

static inline struct pt_arena_control *pt_arena_control(const struct pt_arena *arena)
{
    return (struct pt_arena_control *)(void *)arena->base;
}

/* What `use` of a process entry is in this state and generation. */
static inline uint64_t pt_arena_process_use(enum pt_process_state state, uint32_t generation)
{
    return (uint64_t)state | (uint64_t)generation << 32;
}

/* `index` must be below the count in `shape`. */
static inline struct pt_arena_process *pt_arena_process(const struct pt_arena *arena, uint32_t index)
{
    return (struct pt_arena_process *)(void *)(arena->base + arena->shape.processes_offset) + index;
}

static inline struct pt_arena_slot *pt_arena_slot(const struct pt_arena *arena, uint32_t index)
{
    return (struct pt_arena_slot *)(void *)(arena->base + arena->shape.slots_offset) + index;
}

static inline uint8_t *pt_arena_journal(const struct pt_arena *arena, uint32_t index)
{
    return arena->base + arena->shape.journals_offset + index * arena->shape.journal_size;
}

static inline uint64_t *pt_arena_ring(const struct pt_arena *arena, uint32_t index)
{
    return (uint64_t *)(void *)(arena->base + arena->shape.rings_offset + index * arena->shape.ring_size);
}

/* --- Ownership ------------------------------------------------------------------------------------------------ */

/* Makes a fresh robust, process-shared mutex. The drain, once per entry before it is first free. */
PT_MUST_USE enum pt_status pt_arena_owner_init(union pt_arena_owner *owner);

/* Takes the mutex if nobody alive has it (a dead owner's is made consistent). Returns 1 if the calling thread now
 * owns it. */
int pt_arena_owner_try(union pt_arena_owner *owner);

/* Only by the thread that owns it. */
void pt_arena_owner_release(union pt_arena_owner *owner);

/* 1 if the process in the entry is gone: the thread that held its mutex died with it, or had let go of it, and the
 * process has ended since. For the drain: asks the kernel about the pid, in the latter case. */
int pt_arena_process_gone(const struct pt_arena_process *process);

/* 1 if a thread holds it and lives, as far as the kernel has told. Reads one word; for the drain and for salvage. */
int pt_arena_owner_alive(const union pt_arena_owner *owner);

#endif
