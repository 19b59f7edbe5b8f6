#include "drain_arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "drain_shape.h"

#define RETRY_NS UINT64_C(1000000000)

static uint32_t control_flags(const struct pt_settings *settings)
{
    return (settings->c_calls ? PT_ARENA_FLAG_C_CALLS : 0) | (settings->drop ? PT_ARENA_FLAG_DROP : 0) |
           (settings->children ? PT_ARENA_FLAG_CHILDREN : 0) | (settings->exceptions ? PT_ARENA_FLAG_EXCEPTIONS : 0);
}

/* --- Files ------------------------------------------------------------------------------------------------------ */

static enum pt_status make_directory(struct pt_drain_arena *arena, const char *root, struct pt_error *error)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    for (int tries = 0; tries < 100; tries++) {
        uint8_t random[8];
        char name[sizeof random + 1] = "";
        if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
            break;
        for (size_t i = 0; i < sizeof random; i++)
            name[i] = letters[random[i] % 32];
        errno = ENAMETOOLONG;
        if ((size_t)snprintf(arena->directory, sizeof arena->directory, "%s/" PT_DRAIN_ARENA_PREFIX "%s", root, name) >=
            sizeof arena->directory)
            break;
        if (mkdir(arena->directory, S_IRWXU) == 0)
            return PT_OK;
        if (errno != EEXIST)
            break;
    }
    arena->directory[0] = '\0'; /* none of ours to delete */
    return pt_error_set_errno(error, "cannot make a directory in", root);
}

/* The file with its control page, and the tables reserved; not mapped yet. */
static enum pt_status make_file(struct pt_drain_arena *arena, const char *trace, const struct pt_arena_control *control,
                                struct pt_error *error)
{
    const struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    enum pt_status status = PT_OK;
    int directory = open(arena->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0)
        return pt_error_set_errno(error, "cannot open", arena->directory);
    arena->descriptor =
        openat(directory, PT_ARENA_FILE_NAME, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (arena->descriptor < 0 || fcntl(arena->descriptor, F_OFD_SETLK, &lock) < 0 ||
        symlinkat(trace, directory, PT_DRAIN_ARENA_LINK) < 0 ||
        ftruncate(arena->descriptor, (off_t)control->file_size) < 0 ||
        fallocate(arena->descriptor, 0, 0, (off_t)control->journals_offset) < 0 ||
        pwrite(arena->descriptor, control, sizeof *control, 0) != (ssize_t)sizeof *control)
        status = pt_error_set_errno(error, "cannot make the rings in", arena->directory);
    close(directory);
    return status;
}

void pt_drain_arena_delete(struct pt_drain_arena *arena)
{
    int directory = open(arena->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory >= 0) {
        unlinkat(directory, PT_ARENA_FILE_NAME, 0);
        unlinkat(directory, PT_DRAIN_ARENA_LINK, 0);
        close(directory);
    }
    rmdir(arena->directory);
}

/* --- Space ------------------------------------------------------------------------------------------------------ */

/* Takes `length` bytes off `*room` and makes them real. */
static bool reserve_space(const struct pt_drain_arena *arena, uint64_t *room, uint64_t offset, uint64_t length)
{
    if (*room < length || fallocate(arena->descriptor, 0, (off_t)offset, (off_t)length) < 0)
        return false;
    *room -= length;
    return true;
}

static bool reserve_process(struct pt_drain_arena *arena, uint64_t *room)
{
    uint32_t index = arena->processes_reserved;
    struct pt_arena_process *process = pt_arena_process(&arena->arena, index);
    const struct pt_arena_shape *shape = &arena->arena.shape;
    if (!reserve_space(arena, room, shape->journals_offset + index * shape->journal_size, shape->journal_size) ||
        pt_arena_owner_init(&process->owner) != PT_OK)
        return false;
    arena->processes_reserved++;
    atomic_store_explicit(&process->state, PT_PROCESS_FREE, memory_order_release);
    return true;
}

static bool reserve_slot(struct pt_drain_arena *arena, uint64_t *room)
{
    uint32_t index = arena->slots_reserved;
    struct pt_arena_slot *slot = pt_arena_slot(&arena->arena, index);
    const struct pt_arena_shape *shape = &arena->arena.shape;
    if (!reserve_space(arena, room, shape->rings_offset + index * shape->ring_size, shape->ring_size) ||
        pt_arena_owner_init(&slot->owner) != PT_OK)
        return false;
    arena->slots_reserved++;
    atomic_store_explicit(&slot->state, PT_SLOT_FREE, memory_order_release);
    return true;
}

static uint32_t missing_slots(const struct pt_drain_arena *arena, uint32_t ahead)
{
    uint32_t missing = ahead;
    uint32_t left = arena->arena.shape.slot_count - arena->slots_reserved;
    for (uint32_t i = 0; i < arena->slots_reserved && missing > 0; i++)
        missing -= atomic_load_explicit(&pt_arena_slot(&arena->arena, i)->state, memory_order_relaxed) == PT_SLOT_FREE;
    return missing < left ? missing : left;
}

static uint32_t missing_processes(const struct pt_drain_arena *arena, uint32_t ahead)
{
    uint32_t missing = ahead;
    uint32_t left = arena->arena.shape.process_count - arena->processes_reserved;
    for (uint32_t i = 0; i < arena->processes_reserved && missing > 0; i++)
        missing -=
            atomic_load_explicit(&pt_arena_process(&arena->arena, i)->state, memory_order_relaxed) == PT_PROCESS_FREE;
    return missing < left ? missing : left;
}

static void reserve(struct pt_drain_arena *arena, uint32_t ahead)
{
    uint64_t room = 0;
    uint32_t slots = missing_slots(arena, ahead);
    uint32_t processes = missing_processes(arena, ahead);
    bool enough = true;
    if (slots + processes == 0)
        return;
    if (pt_drain_place_room(arena->directory, &room, NULL) != PT_OK)
        room = 0;
    for (; slots > 0 && enough; slots--)
        enough = reserve_slot(arena, &room);
    for (; processes > 0 && enough; processes--)
        enough = reserve_process(arena, &room);
    arena->retry_ns = enough ? 0 : pt_clock_monotonic_ns() + RETRY_NS;
}

void pt_drain_arena_reserve(struct pt_drain_arena *arena)
{
    if (arena->retry_ns == 0 || pt_clock_monotonic_ns() >= arena->retry_ns)
        reserve(arena, PT_DRAIN_AHEAD_ENTRIES);
}

static void punch(const struct pt_drain_arena *arena, uint64_t offset, uint64_t length)
{
    fallocate(arena->descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)length);
}

/* A host that still writes to a hole would need a new page, which a full file system answers with a SIGBUS: only entries that
 * nobody owns are given back. Withdrawing the entry first, and looking at the owner second, meets a claim, which locks first and looks
 * at the state second. The drain takes no lock itself: a mutex is a list of pointers, and a host wrote them. */
void pt_drain_arena_give_back(struct pt_drain_arena *arena)
{
    const struct pt_arena_shape *shape = &arena->arena.shape;
    for (uint32_t i = 0; i < arena->slots_reserved; i++) {
        struct pt_arena_slot *slot = pt_arena_slot(&arena->arena, i);
        uint32_t state = PT_SLOT_FREE;
        atomic_compare_exchange_strong(&slot->state, &state, PT_SLOT_UNRESERVED);
        if (!pt_arena_owner_alive(&slot->owner))
            punch(arena, shape->rings_offset + i * shape->ring_size, shape->ring_size);
    }
    for (uint32_t i = 0; i < arena->processes_reserved; i++) {
        struct pt_arena_process *process = pt_arena_process(&arena->arena, i);
        uint32_t state = PT_PROCESS_FREE;
        atomic_compare_exchange_strong(&process->state, &state, PT_PROCESS_UNRESERVED);
        if (state != PT_PROCESS_BORN && !pt_arena_owner_alive(&process->owner))
            punch(arena, shape->journals_offset + i * shape->journal_size, shape->journal_size);
    }
}

/* --- Life ------------------------------------------------------------------------------------------------------- */

/* The host has checked that it fits. */
static void copy_pattern(char to[PT_ARENA_PATTERN_SIZE], const char *pattern)
{
    snprintf(to, PT_ARENA_PATTERN_SIZE, "%s", pattern ? pattern : "");
}

static struct pt_arena_control make_control(const struct pt_arena_shape *shape, const struct pt_handshake *handshake,
                                            const struct pt_drain_identity *identity)
{
    struct pt_arena_control control = {
        .magic = PT_ARENA_MAGIC, /* nobody can see the file before the host is told of it */
        .abi = PT_ARENA_ABI,
        .flags = control_flags(&handshake->settings),
        .process_count = shape->process_count,
        .slot_count = shape->slot_count,
        .journal_size = shape->journal_size,
        .ring_size = shape->ring_size,
        .processes_offset = shape->processes_offset,
        .slots_offset = shape->slots_offset,
        .journals_offset = shape->journals_offset,
        .rings_offset = shape->rings_offset,
        .file_size = shape->file_size,
        .clock = identity->clock,
        .tick_shift = identity->tick_shift,
        .tick_ps = identity->tick_ps,
        .flush_interval_ns = handshake->settings.flush_interval_ns,
        .keeper = handshake->kept ? (uint32_t)getppid() : 0,
        .live = 1,
        .heartbeat_ns = pt_clock_monotonic_ns(),
    };
    memcpy(control.run_id, identity->run_id, sizeof control.run_id);
    memcpy(control.boot_id, identity->boot_id, sizeof control.boot_id);
    copy_pattern(control.lines, handshake->settings.lines);
    copy_pattern(control.opcodes, handshake->settings.opcodes);
    return control;
}

static enum pt_status create_in(struct pt_drain_arena *arena, const char *root, const char *trace,
                                const struct pt_arena_control *control, struct pt_error *error)
{
    PT_TRY(make_directory(arena, root, error));
    enum pt_status status = make_file(arena, trace, control, error);
    if (status == PT_OK)
        status = pt_arena_map(&arena->arena, arena->directory, 1, error);
    if (status == PT_OK) {
        reserve(arena, PT_DRAIN_FIRST_ENTRIES);
        if (arena->slots_reserved == 0 || arena->processes_reserved == 0) {
            errno = ENOSPC;
            status = pt_error_set_errno(error, "no room for the rings in", root);
        }
    }
    if (status != PT_OK) {
        pt_drain_arena_delete(arena);
        pt_drain_arena_release(arena);
        arena->directory[0] = '\0';
    }
    return status;
}

/* The host's own entry: it has only to make it live. */
static void announce_host(const struct pt_drain_arena *arena, uint64_t pid, const struct pt_drain_identity *identity)
{
    struct pt_arena_process *host = pt_arena_process(&arena->arena, 0);
    host->generation = 1;
    host->pid = (uint32_t)pid;
    host->parent = PT_ARENA_NO_PROCESS;
    host->origin = PT_PROCESS_STARTED;
    host->start_tick = pt_clock_tick(identity->clock, identity->tick_shift);
    atomic_store_explicit(&host->state, PT_PROCESS_BORN, memory_order_release);
}

enum pt_status pt_drain_arena_create(struct pt_drain_arena *arena, const struct pt_handshake *handshake,
                                     const struct pt_drain_identity *identity, struct pt_error *error)
{
    const struct pt_settings *settings = &handshake->settings;
    struct pt_drain_place places[PT_DRAIN_PLACES_MAX];
    struct pt_arena_shape planned;
    size_t place_count;
    bool size_limited = false;
    PT_TRY(pt_drain_shape_plan(&planned, &size_limited, settings, error));
    struct pt_arena_shape least = planned;
    least.ring_size = PT_ARENA_RING_MIN;
    PT_TRY(pt_arena_shape_plan(&least));
    PT_TRY(pt_drain_places_find(places, &place_count, handshake, pt_drain_shape_space(&planned, PT_DRAIN_AHEAD_ENTRIES),
                                pt_drain_shape_space(&least, PT_DRAIN_FIRST_ENTRIES), error));

    /* A quota, or a lack of inodes, shows only now. What is told in the end is what was wrong with the first place. */
    enum pt_status status = PT_END;
    for (size_t i = 0; i < place_count && status != PT_OK; i++) {
        struct pt_arena_shape shape = planned;
        *arena = (struct pt_drain_arena){.descriptor = -1, .size_limited = size_limited};
        PT_TRY(pt_drain_shape_fit(&shape, &arena->short_of_room, places[i].room));
        const struct pt_arena_control control = make_control(&shape, handshake, identity);
        status = create_in(arena, places[i].root, settings->output, &control, i == 0 ? error : NULL);
    }
    if (status != PT_OK)
        return status;
    union pt_arena_owner *drain = &pt_arena_control(&arena->arena)->drain;
    arena->owned = pt_arena_owner_init(drain) == PT_OK && pt_arena_owner_try(drain);
    if (!arena->owned) {
        pt_drain_arena_delete(arena);
        pt_drain_arena_release(arena);
        return pt_error_set(error, PT_NOMEM, PT_ERROR_NO_OFFSET, "the arena's lock cannot be made");
    }
    announce_host(arena, settings->pid, identity);
    return PT_OK;
}

void pt_drain_arena_release(struct pt_drain_arena *arena)
{
    if (arena->owned)
        pt_arena_owner_release(&pt_arena_control(&arena->arena)->drain);
    arena->owned = false;
    pt_arena_unmap(&arena->arena);
    if (arena->descriptor >= 0)
        close(arena->descriptor);
    arena->descriptor = -1;
}
