#include "salvage.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aside.h"
#include "record.h"
#include "trace_private.h"
#include "varint.h"

/* --- Finding the arena -------------------------------------------------------------------------------------------- */

static void conclude(struct pt_trace *trace, enum pt_trace_arena outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void conclude(struct pt_trace *trace, enum pt_trace_arena outcome, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(trace->arena_text, sizeof trace->arena_text, format, arguments);
    va_end(arguments);
    trace->arena = outcome;
}

/* The directory that holds `path`, into `parent` (PATH_MAX bytes). */
static void parent_of(const char *path, char *parent)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    snprintf(parent, PATH_MAX, "%s", dirname(copy));
}

static bool is_same_directory(const char *one, const char *other)
{
    struct stat a;
    struct stat b;
    return stat(one, &a) == 0 && stat(other, &b) == 0 && S_ISDIR(a.st_mode) && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* The path comes out of a file that anybody may have made: only places where a recorder puts arenas are looked at. By
 * the identity of the directory, not by its spelling. */
static bool is_below_known_root(const char *arena, const char *trace_directory)
{
    char parent[PATH_MAX];
    char runtime[64];
    const char *const named = getenv("XDG_RUNTIME_DIR");
    snprintf(runtime, sizeof runtime, "/run/user/%lu", (unsigned long)geteuid());
    parent_of(arena, parent);
    return is_same_directory(parent, trace_directory) || is_same_directory(parent, "/dev/shm") ||
           is_same_directory(parent, "/tmp") || is_same_directory(parent, runtime) ||
           (named && named[0] == '/' && is_same_directory(parent, named));
}

/* Where the arena is, into `directory` (PATH_MAX bytes). False, with the reason told, if there is none to be used. */
static bool find_directory(struct pt_trace *trace, char *directory)
{
    char trace_directory[PATH_MAX];
    char name[PATH_MAX];
    struct stat about;

    if (!trace->has_header || trace->header.arena[0] != '/' || strlen(trace->header.arena) >= PATH_MAX) {
        conclude(trace, PT_TRACE_ARENA_NOT_FOUND, "the trace does not tell where its arena is");
        return false;
    }
    parent_of(trace->path, trace_directory);
    snprintf(directory, PATH_MAX, "%s", trace->header.arena);
    if (lstat(directory, &about) != 0) {
        /* Trace and arena may have been on a volume that is mounted elsewhere now. */
        snprintf(name, sizeof name, "%s", trace->header.arena);
        if (snprintf(directory, PATH_MAX, "%s/%s", trace_directory, basename(name)) >= PATH_MAX ||
            lstat(directory, &about) != 0) {
            conclude(trace, PT_TRACE_ARENA_NOT_FOUND, "%s is not there", trace->header.arena);
            return false;
        }
    }
    if (!is_below_known_root(directory, trace_directory)) {
        conclude(trace, PT_TRACE_ARENA_REFUSED, "%s lies where no arena is expected", directory);
        return false;
    }
    if (!S_ISDIR(about.st_mode) || about.st_uid != geteuid() || (about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        conclude(trace, PT_TRACE_ARENA_REFUSED, "%s is no private directory of this user", directory);
        return false;
    }
    return true;
}

static bool is_of_this_recording(struct pt_trace *trace, const struct pt_arena *arena, const char *directory)
{
    const struct pt_arena_control *control = pt_arena_control(arena);
    char boot_id[sizeof control->boot_id];
    pt_arena_boot_id(boot_id);
    if (memcmp(control->run_id, trace->header.run_id, sizeof control->run_id) != 0) {
        conclude(trace, PT_TRACE_ARENA_REFUSED, "%s belongs to another recording", directory);
        return false;
    }
    /* Stamps, owners and positions mean something only as long as the kernel that kept them runs. */
    if (strncmp(control->boot_id, boot_id, sizeof boot_id) != 0) {
        conclude(trace, PT_TRACE_ARENA_REFUSED, "%s was left before the machine was restarted", directory);
        return false;
    }
    return true;
}

static bool map_arena(struct pt_trace *trace, struct pt_arena *arena)
{
    char directory[PATH_MAX];
    struct pt_error error;
    if (!find_directory(trace, directory))
        return false;
    if (pt_arena_map(arena, directory, 0, &error) != PT_OK) {
        const bool gone = error.system_errno == ENOENT;
        conclude(trace, gone ? PT_TRACE_ARENA_NOT_FOUND : PT_TRACE_ARENA_REFUSED, "%s", error.text);
        return false;
    }
    if (!is_of_this_recording(trace, arena, directory)) {
        pt_arena_unmap(arena);
        return false;
    }
    conclude(trace, PT_TRACE_ARENA_SALVAGED, "%s", directory);
    return true;
}

/* --- Where the file ends ------------------------------------------------------------------------------------------ */

/* Takes the entries of `chunk`: what they do to the stack, and how far the clock had gone back. */
static enum pt_status take_entries(const struct pt_chunk *chunk, struct pt_chunk_source *source)
{
    struct pt_chunk_cursor cursor;
    struct pt_chunk_entry entry;
    bool agrees;
    PT_TRY(pt_chunk_begin(chunk, &source->stack, &agrees));
    pt_chunk_cursor_init(&cursor, chunk);
    while (pt_chunk_cursor_next(&cursor, &entry)) {
        uint64_t ticks;
        const uint8_t *argument = entry.arguments;
        if (entry.kind == PT_KIND_CONTROL && entry.id == PT_CONTROL_BACKSTEP &&
            pt_varint_decode(&argument, entry.arguments + entry.argument_bytes, &ticks) == PT_OK)
            source->shift_ticks += ticks;
        PT_TRY(pt_chunk_entry_apply(&entry, &source->stack));
    }
    return PT_OK;
}

/* What the chunks of a use lead to. Only those with arguments can tell of a backstep or of other greenlets than the one
 * in the next keyframe; the last one tells what is open at the end. Ones that cannot be read tell nothing: the first
 * record behind them that is too early says so again. */
static enum pt_status add_up(const struct pt_trace *trace, const struct pt_trace_thread *thread, struct pt_chunk *chunk,
                             struct pt_chunk_source *source)
{
    for (size_t i = 0; i < thread->chunk_count; i++) {
        const struct pt_trace_chunk *at = &thread->chunks[i];
        if (at->info.slot != source->slot || at->info.generation != source->generation)
            continue;
        source->lost += at->info.lost;
        if (at->info.argument_bytes == 0 && i + 1 < thread->chunk_count)
            continue;
        enum pt_status status = pt_trace_chunk_decode(trace, at, chunk);
        if (status == PT_OK)
            status = take_entries(chunk, source);
        if (status == PT_NOMEM)
            return status;
        if (status != PT_OK)
            pt_stack_clear(&source->stack); /* the stack is lost, what follows is not */
    }
    return PT_OK;
}

/* Puts frames in the place of those of which only the number is known. `*most`: how many more there may be. */
static enum pt_status fill_up(struct pt_stack *stack, uint64_t *most)
{
    const size_t known = stack->depth;
    const size_t unknown = (size_t)stack->unknown;
    if (unknown == 0)
        return PT_OK;
    if (stack->unknown > *most)
        return PT_CORRUPT;
    *most -= unknown;
    const uint64_t tick = known > 0 ? stack->frames[0].entry_tick : 0;
    struct pt_stack whole = {0};
    enum pt_status status = PT_OK;
    for (size_t i = 0; i < unknown + known && status == PT_OK; i++)
        status = i < unknown
                     ? pt_stack_push(&whole, (uint32_t)pt_record_frame(PT_ID_UNKNOWN, 0), tick)
                     : pt_stack_push(&whole, stack->frames[i - unknown].frame, stack->frames[i - unknown].entry_tick);
    if (status != PT_OK) {
        pt_stack_release(&whole);
        return status;
    }
    free(stack->frames);
    stack->frames = whole.frames;
    stack->depth = whole.depth;
    stack->capacity = whole.capacity;
    stack->unknown = 0;
    return PT_OK;
}

/* The same for all greenlets. */
static enum pt_status fill_up_all(struct pt_stack *stack)
{
    const uint64_t running = stack->greenlet;
    const struct pt_aside_stack *one;
    uint64_t most = PT_LOST_PUSHED_MAX;
    uint32_t at = 0;
    PT_TRY(fill_up(stack, &most));
    while ((one = pt_aside_next(stack, &at)) != NULL) {
        if (one->unknown == 0)
            continue;
        PT_TRY(pt_aside_switch(stack, one->greenlet));
        PT_TRY(fill_up(stack, &most));
    }
    return pt_aside_switch(stack, running);
}

/* Where a recorder that goes on with `thread` would stand. A chunk ends with an entry, so the clock's tick of that has
 * the upper bits that the records behind it need. */
static enum pt_status find_source(const struct pt_trace *trace, const struct pt_trace_thread *thread,
                                  struct pt_chunk *chunk, struct pt_chunk_source *source)
{
    *source = (struct pt_chunk_source){
        .thread = (uint32_t)thread->meta.serial,
        .slot = (uint32_t)thread->meta.slot,
        .generation = (uint32_t)thread->meta.generation,
    };
    if (thread->chunk_count == 0)
        return PT_OK;
    const struct pt_trace_chunk *last = &thread->chunks[thread->chunk_count - 1];
    enum pt_status status = add_up(trace, thread, chunk, source);
    if (source->shift_ticks > last->info.last_tick)
        source->shift_ticks = 0;
    source->position = last->info.first_position + last->info.words;
    source->base_tick = last->info.last_tick - source->shift_ticks;
    source->last_tick = last->info.last_tick;
    source->based = true;
    if (status == PT_OK)
        status = fill_up_all(&source->stack);
    if (status == PT_NOMEM)
        pt_stack_release(&source->stack);
    else if (status != PT_OK)
        pt_stack_clear(&source->stack);
    return status == PT_NOMEM ? status : PT_OK;
}

/* Of a thread whose slot was given back nothing can be left. */
static bool is_in_arena(const struct pt_arena *arena, const struct pt_thread *thread)
{
    return thread->slot < arena->shape.slot_count &&
           atomic_load(&pt_arena_slot(arena, (uint32_t)thread->slot)->generation) == thread->generation;
}

static enum pt_status tell_what_is_known(const struct pt_trace *trace, const struct pt_arena *arena,
                                         struct pt_collector *collector)
{
    const struct pt_trace_private *private = trace->private;
    struct pt_chunk chunk = {0};
    enum pt_status status = PT_OK;

    for (size_t i = 0; status == PT_OK && i < trace->process_count; i++) {
        const struct pt_process *process = &trace->processes[i];
        const uint32_t next_id = i < private->next_id_count ? private->next_ids[i] : 0;
        if (process->serial != 0)
            status = pt_collector_know_process(collector, process, next_id);
    }
    for (size_t i = 0; status == PT_OK && i < trace->thread_count; i++) {
        const struct pt_trace_thread *thread = &trace->threads[i];
        struct pt_chunk_source source = {0};
        if (thread->meta.serial == 0)
            continue;
        if (is_in_arena(arena, &thread->meta))
            status = find_source(trace, thread, &chunk, &source);
        else if (thread->chunk_count > 0)
            source.last_tick = thread->chunks[thread->chunk_count - 1].info.last_tick;
        if (status == PT_OK)
            status = pt_collector_know_thread(collector, &thread->meta, &source);
    }
    pt_chunk_release(&chunk);
    return status;
}

enum pt_status pt_salvage(struct pt_trace *trace, pt_collector_sink *sink, void *context)
{
    static const struct pt_collector_settings settings = {.live = false, .zstd_level = 1};
    struct pt_arena arena = {0};
    struct pt_collector *collector = NULL;

    if (!map_arena(trace, &arena))
        return PT_OK;
    enum pt_status status = pt_collector_new(&collector, &arena, &settings, sink, context);
    if (status == PT_OK)
        status = tell_what_is_known(trace, &arena, collector);
    /* Twice: the first turn finds the processes that the file does not know, the second one those of them that are
     * dead. No time of our own: whoever looks again, later, shall see the same. */
    for (unsigned turn = 0; status == PT_OK && turn < 2; turn++)
        status = pt_collector_turn(collector, PT_COLLECT_ALL, 0);
    if (status == PT_OK) {
        /* A thread whose ring stayed full had no room for a record of its losses, but it counted them. */
        struct pt_collector_totals totals;
        pt_collector_totals(collector, &totals);
        trace->private->untold_lost = totals.untold;
    }
    pt_collector_free(collector);
    pt_arena_unmap(&arena);
    return status;
}
