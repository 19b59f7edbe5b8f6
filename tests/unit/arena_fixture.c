#include "arena_fixture.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal.h"
#include "record.h"

static void read_boot_id(char *boot_id, int size)
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    cr_assert(file && fgets(boot_id, size, file));
    boot_id[strcspn(boot_id, "\n")] = '\0';
    fclose(file);
}

void arena_fixture_open(struct arena_fixture *fixture, uint32_t processes, uint32_t slots, uint64_t ring_size)
{
    struct pt_arena_shape shape = {
        .process_count = processes,
        .slot_count = slots,
        .journal_size = FIXTURE_JOURNAL_SIZE,
        .ring_size = ring_size,
    };
    char path[128];
    cr_assert_eq(pt_arena_shape_plan(&shape), PT_OK);
    strcpy(fixture->directory, "/tmp/pytrace-test-XXXXXX");
    cr_assert(mkdtemp(fixture->directory));
    snprintf(path, sizeof path, "%s/" PT_ARENA_FILE_NAME, fixture->directory);
    int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    cr_assert_geq(descriptor, 0);
    cr_assert_eq(ftruncate(descriptor, (off_t)shape.file_size), 0);
    uint8_t *base = mmap(NULL, shape.file_size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    cr_assert_neq(base, MAP_FAILED);
    close(descriptor);

    struct pt_arena_control *control = (struct pt_arena_control *)(void *)base;
    control->abi = PT_ARENA_ABI;
    memcpy(control->run_id, ARENA_FIXTURE_RUN_ID, 16);
    read_boot_id(control->boot_id, sizeof control->boot_id);
    control->process_count = shape.process_count;
    control->slot_count = shape.slot_count;
    control->journal_size = shape.journal_size;
    control->ring_size = shape.ring_size;
    control->processes_offset = shape.processes_offset;
    control->slots_offset = shape.slots_offset;
    control->journals_offset = shape.journals_offset;
    control->rings_offset = shape.rings_offset;
    control->file_size = shape.file_size;
    control->clock = PT_CLOCK_MONOTONIC;
    control->tick_ps = 1000000; /* a microsecond */
    atomic_store(&control->magic, PT_ARENA_MAGIC);
    munmap(base, shape.file_size);

    cr_assert_eq(pt_arena_map(&fixture->arena, fixture->directory, 1, NULL), PT_OK);
    for (uint32_t i = 0; i < processes; i++) {
        cr_assert_eq(pt_arena_owner_init(&pt_arena_process(&fixture->arena, i)->owner), PT_OK);
        pt_arena_process(&fixture->arena, i)->state = PT_PROCESS_FREE;
    }
    for (uint32_t i = 0; i < slots; i++) {
        cr_assert_eq(pt_arena_owner_init(&pt_arena_slot(&fixture->arena, i)->owner), PT_OK);
        pt_arena_slot(&fixture->arena, i)->state = PT_SLOT_FREE;
    }
}

/* The C library chains the robust mutexes that a thread holds, through memory that is about to go. */
static void forget_held_mutexes(void)
{
    struct robust_list_head *head;
    size_t size;
    cr_assert_eq(syscall(SYS_get_robust_list, 0, &head, &size), 0);
    head->list.next = &head->list;
}

void arena_fixture_close(struct arena_fixture *fixture)
{
    char path[128];
    snprintf(path, sizeof path, "%s/" PT_ARENA_FILE_NAME, fixture->directory);
    forget_held_mutexes();
    pt_arena_unmap(&fixture->arena);
    unlink(path);
    rmdir(fixture->directory);
}

/* --- The host ----------------------------------------------------------------------------------------------------- */

void arena_fixture_enter(struct arena_fixture *fixture, uint32_t process, uint32_t parent, uint32_t inherited)
{
    struct pt_arena_process *entry = pt_arena_process(&fixture->arena, process);
    cr_assert(pt_arena_owner_try(&entry->owner));
    cr_assert_eq(entry->state, PT_PROCESS_FREE);
    atomic_fetch_add(&pt_arena_control(&fixture->arena)->live, 1);
    entry->generation++;
    entry->pid = (uint32_t)getpid();
    entry->parent = parent;
    entry->parent_generation =
        parent == PT_ARENA_NO_PROCESS ? 0 : pt_arena_process(&fixture->arena, parent)->generation;
    entry->inherited = inherited;
    entry->start_tick = 500;
    entry->end_tick = 0;
    atomic_store_explicit(&entry->state, PT_PROCESS_LIVE, memory_order_release);
}

void arena_fixture_leave(struct arena_fixture *fixture, uint32_t process, enum pt_process_state state, uint64_t tick)
{
    struct pt_arena_process *entry = pt_arena_process(&fixture->arena, process);
    entry->end_tick = tick;
    atomic_store_explicit(&entry->state, state, memory_order_release);
}

void arena_fixture_claim(struct arena_fixture *fixture, uint32_t slot, uint32_t process, uint64_t tick)
{
    struct pt_arena_slot *entry = pt_arena_slot(&fixture->arena, slot);
    cr_assert(pt_arena_owner_try(&entry->owner));
    cr_assert_eq(entry->state, PT_SLOT_FREE);
    entry->generation++;
    entry->process = process;
    entry->process_generation = atomic_load(&pt_arena_process(&fixture->arena, process)->generation);
    entry->native_id = 4711;
    entry->start_tick = tick;
    atomic_store_explicit(&entry->state, PT_SLOT_OWNED, memory_order_release);
    uint64_t *ring = pt_arena_ring(&fixture->arena, slot);
    ring[0] = pt_record_pack_control(PT_CONTROL_REBASE, 1, tick);
    ring[1] = tick;
    atomic_store_explicit(&entry->produced, 2, memory_order_release);
}

void arena_fixture_release(struct arena_fixture *fixture, uint32_t slot, uint64_t tick)
{
    struct pt_arena_slot *entry = pt_arena_slot(&fixture->arena, slot);
    entry->end_tick = tick;
    atomic_store_explicit(&entry->state, PT_SLOT_RELEASED, memory_order_release);
    pt_arena_owner_release(&entry->owner);
}

void arena_fixture_word(struct arena_fixture *fixture, uint32_t slot, uint64_t word)
{
    struct pt_arena_slot *entry = pt_arena_slot(&fixture->arena, slot);
    const uint64_t mask = fixture->arena.shape.ring_size / sizeof(uint64_t) - 1;
    const uint64_t position = atomic_load_explicit(&entry->produced, memory_order_relaxed);
    pt_arena_ring(&fixture->arena, slot)[position & mask] = word;
    atomic_store_explicit(&entry->produced, position + 1, memory_order_release);
}

void arena_fixture_event(struct arena_fixture *fixture, uint32_t slot, enum pt_kind kind, uint32_t id, uint64_t tick)
{
    arena_fixture_word(fixture, slot, pt_record_pack(kind, id, tick));
}

void arena_fixture_define(struct arena_fixture *fixture, uint32_t process, uint32_t id)
{
    char qualname[16];
    const int size = snprintf(qualname, sizeof qualname, "f%u", id);
    const struct pt_name name = {.module = {"m", 1}, .qualname = {qualname, (uint32_t)size}, .file = {"m.py", 4}};
    cr_assert(pt_journal_append(pt_arena_process(&fixture->arena, process), pt_arena_journal(&fixture->arena, process),
                                fixture->arena.shape.journal_size, id, &name));
}

void arena_fixture_run_and_kill(struct arena_fixture *fixture, void (*host)(struct arena_fixture *fixture))
{
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        host(fixture);
        kill(getpid(), SIGKILL);
    }
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* --- The file ----------------------------------------------------------------------------------------------------- */

enum pt_status block_log_take(void *context, enum pt_block_type type, const uint8_t *payload, uint32_t size)
{
    struct block_log *log = context;
    if (++log->calls == log->refuse_at)
        return PT_IO;
    cr_assert_lt(log->count, BLOCK_LOG_MAX);
    uint8_t *copy = malloc(size ? size : 1);
    cr_assert(copy);
    memcpy(copy, payload, size);
    log->blocks[log->count].type = type;
    log->blocks[log->count].payload = copy;
    log->blocks[log->count].size = size;
    log->count++;
    return PT_OK;
}

void block_log_release(struct block_log *log)
{
    for (unsigned i = 0; i < log->count; i++)
        free(log->blocks[i].payload);
    *log = (struct block_log){0};
}

struct pt_process block_log_process(const struct block_log *log, uint64_t serial)
{
    struct pt_process found = {0};
    for (unsigned i = 0; i < log->count; i++) {
        struct pt_process process = {0};
        if (log->blocks[i].type != PT_BLOCK_PROCESS)
            continue;
        cr_assert_eq(pt_process_decode(&process, log->blocks[i].payload, log->blocks[i].size), PT_OK);
        if (process.serial == serial) {
            pt_process_release(&found);
            found = process;
        } else {
            pt_process_release(&process);
        }
    }
    return found;
}

struct pt_thread block_log_thread(const struct block_log *log, uint64_t serial)
{
    struct pt_thread found = {0};
    for (unsigned i = 0; i < log->count; i++) {
        struct pt_thread thread = {0};
        if (log->blocks[i].type != PT_BLOCK_THREAD)
            continue;
        cr_assert_eq(pt_thread_decode(&thread, log->blocks[i].payload, log->blocks[i].size), PT_OK);
        if (thread.serial == serial) {
            pt_thread_release(&found);
            found = thread;
        } else {
            pt_thread_release(&thread);
        }
    }
    return found;
}

/* Names known so far, as one bit a function, for each of the first processes. */
struct known {
    bool names[16][1024];
};

static enum pt_status note_name(void *context, uint64_t process, uint32_t id, const struct pt_name *name)
{
    struct known *known = context;
    char expected[16];
    const int size = snprintf(expected, sizeof expected, "f%u", id);
    cr_assert(name->qualname.size == (uint32_t)size && memcmp(name->qualname.data, expected, (size_t)size) == 0);
    cr_assert(process < 16 && id < 1024);
    cr_assert_not(known->names[process][id], "defined twice: process %lu, id %u", (unsigned long)process, id);
    known->names[process][id] = true;
    return PT_OK;
}

static bool is_named(const struct block_log *log, const struct known *known, uint64_t process, uint32_t id)
{
    while (process != 0) {
        struct pt_process meta = block_log_process(log, process);
        const uint64_t parent = meta.parent;
        const bool own = id > meta.inherited;
        pt_process_release(&meta);
        if (own)
            return known->names[process][id];
        process = parent;
    }
    return false;
}

static const char *kind_name(uint32_t kind)
{
    static const char *const names[] = {"none",   "start", "resume", "throw",    "c_call",  "open",
                                        "return", "yield", "unwind", "c_return", "c_raise", "close"};
    return kind < sizeof names / sizeof *names ? names[kind] : "control";
}

char *block_log_entries(const struct block_log *log, uint64_t thread)
{
    static struct known known;
    char *text = NULL;
    size_t size = 0;
    uint64_t position = 0;
    struct pt_chunk chunk = {0};
    FILE *out = open_memstream(&text, &size);
    struct pt_thread meta = block_log_thread(log, thread);

    cr_assert(out);
    memset(&known, 0, sizeof known);
    for (unsigned i = 0; i < log->count; i++) {
        if (log->blocks[i].type == PT_BLOCK_NAMES)
            cr_assert_eq(pt_names_decode(log->blocks[i].payload, log->blocks[i].size, note_name, &known), PT_OK);
        if (log->blocks[i].type != PT_BLOCK_CHUNK)
            continue;
        cr_assert_eq(pt_chunk_decode(&chunk, log->blocks[i].payload, log->blocks[i].size), PT_OK);
        if (chunk.info.thread != thread)
            continue;
        cr_assert_eq(chunk.info.first_position, position);
        position += chunk.info.words;
        struct pt_chunk_cursor cursor;
        struct pt_chunk_entry entry;
        pt_chunk_cursor_init(&cursor, &chunk);
        while (pt_chunk_cursor_next(&cursor, &entry)) {
            if (entry.kind != PT_KIND_CONTROL && entry.id != 0)
                cr_assert(is_named(log, &known, meta.process, entry.id), "function %u has no name", entry.id);
            fprintf(out, "%s%s", ftell(out) > 0 ? ", " : "", kind_name(entry.kind));
            if (entry.id != 0)
                fprintf(out, " %u", entry.id);
            fprintf(out, " @%lu", (unsigned long)entry.tick);
        }
    }
    fclose(out);
    pt_chunk_release(&chunk);
    pt_thread_release(&meta);
    return text;
}
