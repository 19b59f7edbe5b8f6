/* Opening, steps 1 and 2: the file's bytes, and the blocks in them. */
#include "trace_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

const char *pt_trace_block_name(uint32_t type)
{
    static const char *const names[] = {
        [PT_BLOCK_HEADER] = "HEADER", [PT_BLOCK_PROCESS] = "PROCESS", [PT_BLOCK_THREAD] = "THREAD",
        [PT_BLOCK_NAMES] = "NAMES",   [PT_BLOCK_CLOCK] = "CLOCK",     [PT_BLOCK_CHUNK] = "CHUNK",
        [PT_BLOCK_INDEX] = "INDEX",   [PT_BLOCK_END] = "END",
    };
    return type < sizeof names / sizeof *names && names[type] ? names[type] : "unknown block";
}

void pt_trace_damage_add(struct pt_trace *trace, uint64_t offset, uint64_t length, enum pt_status status,
                         const char *format, ...)
{
    trace->private->damages++;
    trace->damage_bytes += length;
    if (trace->damage_count >= PT_TRACE_DAMAGES_MAX)
        return;
    struct pt_trace_damage *damages =
        pt_memory_grow(&trace->private->memory, trace->damages, trace->damage_count, 1, sizeof *damages);
    if (!damages)
        return;
    trace->damages = damages;
    struct pt_trace_damage *damage = &damages[trace->damage_count++];
    *damage = (struct pt_trace_damage){.offset = offset, .length = length, .status = status};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(damage->text, sizeof damage->text, format, arguments);
    va_end(arguments);
}

/* Not O_NOFOLLOW: a user may link to a trace as to any file. O_NONBLOCK: a FIFO must not make us wait. */
enum pt_status pt_trace_map(struct pt_trace *trace, struct pt_error *error)
{
    struct pt_trace_private *own = trace->private;
    own->descriptor = open(trace->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (own->descriptor < 0)
        return pt_error_set_errno(error, "cannot open", trace->path);
    struct stat about;
    if (fstat(own->descriptor, &about) != 0)
        return pt_error_set_errno(error, "cannot read", trace->path);
    /* A recording that has just begun: its drain has made the file and is about to write the header. */
    for (int waited_ms = 0; about.st_size == 0 && waited_ms < 2000 && pt_trace_locked(trace); waited_ms += 5) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        if (fstat(own->descriptor, &about) != 0)
            return pt_error_set_errno(error, "cannot read", trace->path);
    }
    if (S_ISDIR(about.st_mode)) {
        errno = EISDIR;
        return pt_error_set_errno(error, "cannot read", trace->path);
    }
    if (!S_ISREG(about.st_mode)) {
        pt_error_set(error, PT_IO, PT_ERROR_NO_OFFSET, "cannot read %s: not a regular file", trace->path);
        if (error)
            error->system_errno = EINVAL;
        return PT_IO;
    }
    if (about.st_size == 0)
        return pt_error_set(error, PT_TRUNCATED, 0, "the file is empty");
    own->size = (size_t)about.st_size;
    trace->file_size = own->size;
    void *bytes = mmap(NULL, own->size, PROT_READ, MAP_PRIVATE, own->descriptor, 0);
    if (bytes == MAP_FAILED)
        return pt_error_set_errno(error, "cannot map", trace->path);
    own->bytes = bytes;
    return PT_OK;
}

void pt_trace_unload(const struct pt_trace *trace, size_t from, size_t to)
{
    const struct pt_trace_private *own = trace->private;
    const uintptr_t begin = (uintptr_t)own->bytes, end = begin + own->size;
    /* A fault maps the whole aligned window around it, so it is whole windows that are given back. */
    uintptr_t first = (begin + from) & ~(uintptr_t)(PT_TRACE_WINDOW - 1);
    uintptr_t last = (begin + to + PT_TRACE_WINDOW - 1) & ~(uintptr_t)(PT_TRACE_WINDOW - 1);
    first = first > begin ? first : begin;
    last = last < end ? last : end;
    madvise((void *)first, last - first, MADV_DONTNEED);
}

void pt_trace_unload_behind(const struct pt_trace *trace, size_t at, size_t *unloaded)
{
    if (at - *unloaded < PT_TRACE_STRIDE)
        return;
    pt_trace_unload(trace, *unloaded, at);
    *unloaded = at;
}

/* Says what is wrong with the bytes from `from` to `to`, where no block was found. */
static void note_damage(struct pt_trace *trace, size_t from, size_t to)
{
    struct pt_trace_private *own = trace->private;
    struct pt_block block;
    size_t available = own->size - from;
    enum pt_status status = pt_block_decode_header(own->bytes + from, available, &block);
    if (status == PT_TRUNCATED) {
        pt_trace_damage_add(trace, from, to - from, PT_TRUNCATED, "a block header is cut short");
    } else if (status != PT_OK) {
        pt_trace_damage_add(trace, from, to - from, PT_CORRUPT, "no valid block here");
    } else if (block.length > available - PT_BLOCK_HEADER_SIZE) {
        pt_trace_damage_add(trace, from, to - from, PT_TRUNCATED, "%s is cut short", pt_trace_block_name(block.type));
    } else {
        pt_trace_damage_add(trace, from, to - from, PT_CORRUPT, "%s: wrong payload checksum",
                            pt_trace_block_name(block.type));
    }
}

static void check_sequence(struct pt_trace *trace, size_t offset, uint64_t sequence)
{
    struct pt_trace_private *own = trace->private;
    uint64_t expected = own->block_count ? own->blocks[own->block_count - 1].block.sequence + 1 : 0;
    if (sequence > expected)
        trace->missing_blocks += sequence - expected;
    else if (sequence < expected)
        pt_trace_damage_add(trace, offset, 0, PT_CORRUPT, "block number %llu stands behind number %llu",
                            (unsigned long long)sequence, (unsigned long long)expected - 1);
}

static enum pt_status add_block(struct pt_trace_private *own, size_t offset, const struct pt_block *block)
{
    struct pt_trace_block *blocks = pt_memory_grow(&own->memory, own->blocks, own->block_count, 1, sizeof *blocks);
    if (!blocks)
        return PT_NOMEM;
    own->blocks = blocks;
    blocks[own->block_count++] = (struct pt_trace_block){.offset = offset, .block = *block};
    return PT_OK;
}

static enum pt_status no_block(const struct pt_trace_private *own, struct pt_error *error)
{
    struct pt_block block;
    if (pt_block_decode(own->bytes, own->size, &block) == PT_TRUNCATED)
        return pt_error_set(error, PT_TRUNCATED, 0, "the file is cut short within its first block");
    return pt_error_set(error, PT_CORRUPT, 0, "not a pytrace trace: no valid block");
}

/* Checksums of all blocks are verified here, once, and never again. */
enum pt_status pt_trace_scan(struct pt_trace *trace, struct pt_error *error)
{
    struct pt_trace_private *own = trace->private;
    struct pt_block_search search;
    pt_block_search_init(&search, own->bytes, own->size);
    size_t at = 0;
    size_t unloaded = 0;
    bool ended = false;
    while (at < own->size && !ended) {
        struct pt_block block;
        size_t found = pt_block_search_next(&search, at, &block);
        if (found > at)
            note_damage(trace, at, found);
        if (found == own->size)
            break;
        check_sequence(trace, found, block.sequence);
        if (add_block(own, found, &block) != PT_OK)
            return pt_error_set(error, PT_NOMEM, found, "out of memory: more blocks than fit");
        at = found + PT_BLOCK_HEADER_SIZE + block.length;
        ended = block.type == PT_BLOCK_END;
        pt_trace_unload_behind(trace, at, &unloaded);
    }
    if (own->block_count == 0)
        return no_block(own, error);
    if (ended && at < own->size)
        pt_trace_damage_add(trace, at, own->size - at, PT_CORRUPT, "trailing bytes");
    return PT_OK;
}
