#include "arena.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- SPEC.md 8.1 to 8.3 ------------------------------------------------------------------------------------------- */

#define AT(type, field, offset) _Static_assert(offsetof(struct type, field) == (offset), "SPEC.md 8: " #type "." #field)

AT(pt_arena_control, magic, 0);
AT(pt_arena_control, abi, 8);
AT(pt_arena_control, flags, 12);
AT(pt_arena_control, run_id, 16);
AT(pt_arena_control, boot_id, 32);
AT(pt_arena_control, process_count, 72);
AT(pt_arena_control, slot_count, 76);
AT(pt_arena_control, journal_size, 80);
AT(pt_arena_control, ring_size, 88);
AT(pt_arena_control, processes_offset, 96);
AT(pt_arena_control, slots_offset, 104);
AT(pt_arena_control, journals_offset, 112);
AT(pt_arena_control, rings_offset, 120);
AT(pt_arena_control, file_size, 128);
AT(pt_arena_control, clock, 136);
AT(pt_arena_control, tick_shift, 140);
AT(pt_arena_control, tick_ps, 144);
AT(pt_arena_control, start_tick, 152);
AT(pt_arena_control, flush_interval_ns, 160);
AT(pt_arena_control, trouble, 168);
AT(pt_arena_control, keeper, 172);
AT(pt_arena_control, expected, 176);
AT(pt_arena_control, live, 192);
AT(pt_arena_control, wake, 196);
AT(pt_arena_control, asleep, 200);
AT(pt_arena_control, done, 204);
AT(pt_arena_control, stop, 208);
AT(pt_arena_control, degraded, 212);
AT(pt_arena_control, progress, 216);
AT(pt_arena_control, waiters, 220);
AT(pt_arena_control, stop_tick, 224);
AT(pt_arena_control, heartbeat_ns, 232);
AT(pt_arena_control, waited_ns, 240);
AT(pt_arena_control, unslotted_threads, 248);
AT(pt_arena_control, unslotted_events, 256);
AT(pt_arena_control, drain, 320);
AT(pt_arena_control, lines, 512);
AT(pt_arena_control, opcodes, 1536);
_Static_assert(sizeof(struct pt_arena_control) <= PT_ARENA_CONTROL_SIZE, "SPEC.md 8.1");

AT(pt_arena_process, state, 64);
AT(pt_arena_process, generation, 68);
AT(pt_arena_process, use, 64);
AT(pt_arena_process, pid, 72);
AT(pt_arena_process, parent, 76);
AT(pt_arena_process, parent_generation, 80);
AT(pt_arena_process, inherited, 84);
AT(pt_arena_process, start_tick, 88);
AT(pt_arena_process, end_tick, 96);
AT(pt_arena_process, notes, 104);
AT(pt_arena_process, origin, 108);
AT(pt_arena_process, produced, 128);
AT(pt_arena_process, program, 136);
AT(pt_arena_process, consumed, 192);
_Static_assert(sizeof(struct pt_arena_process) == 256, "SPEC.md 8.2");

AT(pt_arena_slot, state, 64);
AT(pt_arena_slot, generation, 68);
AT(pt_arena_slot, process, 72);
AT(pt_arena_slot, process_generation, 76);
AT(pt_arena_slot, native_id, 80);
AT(pt_arena_slot, start_tick, 88);
AT(pt_arena_slot, end_tick, 96);
AT(pt_arena_slot, name, 128);
AT(pt_arena_slot, produced, 192);
AT(pt_arena_slot, lost, 200);
AT(pt_arena_slot, stalled_ticks, 208);
AT(pt_arena_slot, consumed, 256);
_Static_assert(sizeof(struct pt_arena_slot) == 384, "SPEC.md 8.3");

_Static_assert(sizeof(union pt_arena_owner) == 64, "SPEC.md 8.2: the owner fills 64 bytes");
_Static_assert(sizeof(_Atomic uint64_t) == 8 && ATOMIC_LLONG_LOCK_FREE == 2, "shared words need lock-free atomics");

/* --- Shape -------------------------------------------------------------------------------------------------------- */

static int is_power_within(uint64_t value, uint64_t least, uint64_t most)
{
    return value >= least && value <= most && (value & (value - 1)) == 0;
}

static uint64_t page_up(uint64_t offset)
{
    return (offset + PT_ARENA_CONTROL_SIZE - 1) & ~(uint64_t)(PT_ARENA_CONTROL_SIZE - 1);
}

enum pt_status pt_arena_shape_plan(struct pt_arena_shape *shape)
{
    if (shape->process_count == 0 || shape->process_count > PT_ARENA_PROCESSES_MAX || shape->slot_count == 0 ||
        shape->slot_count > PT_ARENA_SLOTS_MAX ||
        !is_power_within(shape->journal_size, PT_ARENA_JOURNAL_MIN, PT_ARENA_JOURNAL_MAX) ||
        !is_power_within(shape->ring_size, PT_ARENA_RING_MIN, PT_ARENA_RING_MAX))
        return PT_MISUSE;
    shape->processes_offset = PT_ARENA_CONTROL_SIZE;
    shape->slots_offset =
        page_up(shape->processes_offset + shape->process_count * (uint64_t)sizeof(struct pt_arena_process));
    shape->journals_offset = page_up(shape->slots_offset + shape->slot_count * (uint64_t)sizeof(struct pt_arena_slot));
    shape->rings_offset = shape->journals_offset + shape->process_count * shape->journal_size;
    shape->file_size = shape->rings_offset + shape->slot_count * shape->ring_size;
    return PT_OK;
}

enum pt_status pt_arena_view(struct pt_arena *arena, uint8_t *base, uint64_t length, struct pt_error *error)
{
    if (length < PT_ARENA_CONTROL_SIZE)
        return pt_error_set(error, PT_TRUNCATED, PT_ERROR_NO_OFFSET, "the arena is shorter than its control page");
    const struct pt_arena_control *control = (const struct pt_arena_control *)(const void *)base;
    if (atomic_load_explicit(&control->magic, memory_order_acquire) != PT_ARENA_MAGIC) /* published last by the drain */
        return pt_error_set(error, PT_CORRUPT, 0, "no arena: the magic is missing");
    if (control->abi != PT_ARENA_ABI)
        return pt_error_set(error, PT_UNSUPPORTED, 8, "an arena of ABI %u, this build knows %u", control->abi,
                            PT_ARENA_ABI);
    /* Each word is read once, into `claimed`: the memory is shared with whoever may change it meanwhile. Counts and
     * sizes determine the offsets, so planning again checks them all. */
    const struct pt_arena_shape claimed = {
        .process_count = control->process_count,
        .slot_count = control->slot_count,
        .journal_size = control->journal_size,
        .ring_size = control->ring_size,
        .processes_offset = control->processes_offset,
        .slots_offset = control->slots_offset,
        .journals_offset = control->journals_offset,
        .rings_offset = control->rings_offset,
        .file_size = control->file_size,
    };
    struct pt_arena_shape planned = claimed;
    if (pt_arena_shape_plan(&planned) != PT_OK || memcmp(&planned, &claimed, sizeof planned) != 0)
        return pt_error_set(error, PT_CORRUPT, 72, "the arena's sizes contradict each other");
    if (planned.file_size > length)
        return pt_error_set(error, PT_TRUNCATED, length, "the arena ends after %llu bytes of %llu",
                            (unsigned long long)length, (unsigned long long)planned.file_size);
    arena->base = base;
    arena->shape = planned;
    return PT_OK;
}

/* --- Mapping ------------------------------------------------------------------------------------------------------ */

static int is_ours_alone(const struct stat *status)
{
    return status->st_uid == geteuid() && (status->st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* Only a file that nobody else could have written or swapped is trusted to be an arena. */
static enum pt_status check_file(int descriptor, const char *path, uint64_t *length, struct pt_error *error)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return pt_error_set_errno(error, "cannot examine", path);
    if (!S_ISREG(status.st_mode))
        return pt_error_set(error, PT_CORRUPT, PT_ERROR_NO_OFFSET, "%s: not a regular file", path);
    if (!is_ours_alone(&status))
        return pt_error_set(error, PT_CORRUPT, PT_ERROR_NO_OFFSET, "%s: others own it or may open it", path);
    *length = (uint64_t)status.st_size;
    return PT_OK;
}

static enum pt_status check_directory(const char *path, struct pt_error *error)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return pt_error_set_errno(error, "cannot examine", path);
    if (!S_ISDIR(status.st_mode) || !is_ours_alone(&status))
        return pt_error_set(error, PT_CORRUPT, PT_ERROR_NO_OFFSET, "%s: no directory, or not ours alone", path);
    return PT_OK;
}

enum pt_status pt_arena_map(struct pt_arena *arena, const char *directory, int shared, struct pt_error *error)
{
    enum pt_status status;
    uint8_t *base = MAP_FAILED;
    uint64_t length = 0;
    char path[4096];

    if ((size_t)snprintf(path, sizeof path, "%s/" PT_ARENA_FILE_NAME, directory) >= sizeof path)
        return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "the path of the arena is too long");
    if (shared)
        PT_TRY(check_directory(directory, error));
    int descriptor = open(path, (shared ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return pt_error_set_errno(error, "cannot open", path);
    status = check_file(descriptor, path, &length, error);
    if (status != PT_OK)
        goto cleanup;
    if (length < PT_ARENA_CONTROL_SIZE) {
        status = pt_error_set(error, PT_TRUNCATED, length, "%s: shorter than a control page", path);
        goto cleanup;
    }
    base =
        mmap(NULL, length, PROT_READ | PROT_WRITE, (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_NORESERVE, descriptor, 0);
    if (base == MAP_FAILED) {
        status = pt_error_set_errno(error, "cannot map", path);
        goto cleanup;
    }
    status = pt_arena_view(arena, base, length, error);
    if (status == PT_OK && arena->shape.file_size != length)
        status = pt_error_set(error, PT_CORRUPT, PT_ERROR_NO_OFFSET, "%s: longer than its sizes tell", path);

cleanup:
    close(descriptor);
    if (status != PT_OK) {
        if (base != MAP_FAILED)
            munmap(base, length);
        *arena = (struct pt_arena){0};
    }
    return status;
}

void pt_arena_unmap(struct pt_arena *arena)
{
    if (arena->base)
        munmap(arena->base, arena->shape.file_size);
    *arena = (struct pt_arena){0};
}

void pt_arena_boot_id(char boot_id[PT_ARENA_BOOT_ID_SIZE])
{
    memset(boot_id, 0, PT_ARENA_BOOT_ID_SIZE);
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (!file)
        return;
    if (fscanf(file, "%39[^\n]", boot_id) != 1)
        boot_id[0] = '\0';
    fclose(file);
}

/* --- Ownership ---------------------------------------------------------------------------------------------------- */

enum pt_status pt_arena_owner_init(union pt_arena_owner *owner)
{
    pthread_mutexattr_t attributes;
    if (pthread_mutexattr_init(&attributes) != 0)
        return PT_NOMEM;
    enum pt_status status = PT_IO;
    if (pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0 &&
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0 &&
        pthread_mutex_init(&owner->mutex, &attributes) == 0)
        status = PT_OK;
    pthread_mutexattr_destroy(&attributes);
    return status;
}

int pt_arena_owner_try(union pt_arena_owner *owner)
{
    int result = pthread_mutex_trylock(&owner->mutex);
    if (result == EOWNERDEAD)
        result = pthread_mutex_consistent(&owner->mutex);
    return result == 0;
}

void pt_arena_owner_release(union pt_arena_owner *owner)
{
    pthread_mutex_unlock(&owner->mutex);
}

int pt_arena_owner_alive(const union pt_arena_owner *owner)
{
    /* The futex word as the kernel defines it for robust locks: the holder's thread id in the low 30 bits, which the
     * kernel clears, setting OWNER_DIED, when that thread is gone. Acquire: whoever sees a dead owner sees all it
     * wrote. */
    enum { TID = 0x3FFFFFFF, OWNER_DIED = 0x40000000 };
    uint32_t word = atomic_load_explicit(&owner->word, memory_order_acquire);
    return (word & TID) != 0 && (word & OWNER_DIED) == 0;
}

int pt_arena_process_gone(const struct pt_arena_process *process)
{
    if (pt_arena_owner_alive(&process->owner))
        return 0;
    /* Unlocked while the process is live: a thread has let go of it, and the next one has not had an event yet. */
    if (atomic_load_explicit(&process->owner.word, memory_order_acquire) != 0 ||
        atomic_load_explicit(&process->state, memory_order_acquire) != PT_PROCESS_LIVE)
        return 1;
    struct pollfd ended = {.events = POLLIN};
    ended.fd = (int)syscall(SYS_pidfd_open, (pid_t)atomic_load_explicit(&process->pid, memory_order_relaxed), 0);
    if (ended.fd < 0)
        return errno == ESRCH || errno == EINVAL;
    int gone = poll(&ended, 1, 0) > 0;
    close(ended.fd);
    return gone;
}
