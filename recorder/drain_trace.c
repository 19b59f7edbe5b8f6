#include "drain_trace.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chunk.h"

#define BLOCK_OVERHEAD (PT_BLOCK_HEADER_SIZE + PT_INDEX_ENTRY_SIZE)
#define ENTITY_RESERVE                                                                                                 \
    512 /* bytes: the block that tells the end of a process or thread, its index entry, a closing chunk */

/* What keeps a file from being replaced, as an errno: that it is no plain file, or is still being written. */
static int obstacle(int descriptor)
{
    struct stat status;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fstat(descriptor, &status) < 0)
        return errno;
    if (!S_ISREG(status.st_mode))
        return S_ISDIR(status.st_mode) ? EISDIR : ENOTSUP;
    return fcntl(descriptor, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? EBUSY : 0;
}

/* Makes way for a new file at `path`. */
static enum pt_status clear_way(const char *path, struct pt_error *error)
{
    int descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return errno == ENOENT ? PT_OK : pt_error_set_errno(error, "cannot replace", path);
    int failure = obstacle(descriptor);
    if (failure == 0 && unlink(path) < 0 && errno != ENOENT)
        failure = errno;
    close(descriptor);
    errno = failure;
    return failure == 0 ? PT_OK : pt_error_set_errno(error, "cannot replace", path);
}

enum pt_status pt_drain_trace_create(struct pt_drain_trace *trace, const char *path, bool force, uint64_t max_size,
                                     struct pt_error *error)
{
    const struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    *trace = (struct pt_drain_trace){.descriptor = -1, .path = path, .max_size = max_size};
    if (force)
        PT_TRY(clear_way(path, error));
    trace->descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (trace->descriptor < 0)
        return pt_error_set_errno(error, "cannot create", path);
    /* Where locks are unknown (some network file systems) readers cannot tell a growing file from one that was cut short; it
     * is written all the same. */
    fcntl(trace->descriptor, F_OFD_SETLK, &lock);
    pt_writer_init(&trace->writer, trace->descriptor);
    return PT_OK;
}

static uint64_t room_for(const struct pt_drain_trace *trace, uint64_t reserve)
{
    uint64_t taken = trace->writer.offset + pt_writer_end_size(&trace->writer) + reserve;
    if (trace->max_size == 0)
        return UINT64_MAX;
    return taken < trace->max_size ? trace->max_size - taken : 0;
}

uint64_t pt_drain_trace_room(const struct pt_drain_trace *trace)
{
    return room_for(trace, trace->entities * ENTITY_RESERVE);
}

/* Whether a block may still be written below the limit. Ends of processes and threads have a reserve of their own, which chunks and names must leave;
 * after the first of those that did not fit none is taken, so that what there is has no gap and no chunk lacks a name. */
static bool fits(struct pt_drain_trace *trace, enum pt_block_type type, uint32_t size)
{
    bool bulk = type == PT_BLOCK_CHUNK || type == PT_BLOCK_NAMES;
    uint64_t room = bulk ? pt_drain_trace_room(trace) : room_for(trace, 0);
    bool fitting = !(bulk && trace->full) && size + (uint64_t)BLOCK_OVERHEAD <= room;
    if (bulk && !fitting)
        trace->full = true;
    return fitting;
}

enum pt_status pt_drain_trace_write(struct pt_drain_trace *trace, enum pt_block_type type, const uint8_t *payload,
                                    uint32_t size)
{
    struct pt_error error;
    struct pt_chunk_info info = {0};
    if (type == PT_BLOCK_CHUNK)
        PT_TRY(pt_chunk_info_decode(&info, payload, size));
    if (!fits(trace, type, size)) {
        trace->refused_events += info.events;
        return PT_OK;
    }
    enum pt_status status = pt_writer_block(&trace->writer, type, payload, size, &error);
    trace->trouble = status == PT_IO ? error.system_errno : 0;
    if (status != PT_OK)
        return status;
    trace->events += info.events;
    if (type == PT_BLOCK_PROCESS || type == PT_BLOCK_THREAD)
        trace->entities++;
    return PT_OK;
}

static enum pt_status write_scratch(struct pt_drain_trace *trace, enum pt_block_type type, enum pt_status encoded)
{
    PT_TRY(encoded);
    return pt_drain_trace_write(trace, type, trace->scratch.data, (uint32_t)trace->scratch.size);
}

enum pt_status pt_drain_trace_header(struct pt_drain_trace *trace, const struct pt_header *header)
{
    trace->scratch.size = 0;
    return write_scratch(trace, PT_BLOCK_HEADER, pt_header_encode(header, &trace->scratch));
}

enum pt_status pt_drain_trace_clock(struct pt_drain_trace *trace, const struct pt_clock *clock)
{
    trace->scratch.size = 0;
    return write_scratch(trace, PT_BLOCK_CLOCK, pt_clock_encode(clock, &trace->scratch));
}

enum pt_status pt_drain_trace_end(struct pt_drain_trace *trace, struct pt_end *end)
{
    struct pt_error error;
    enum pt_status status = pt_writer_end(&trace->writer, end, &error);
    trace->trouble = status == PT_IO ? error.system_errno : 0;
    return status;
}

void pt_drain_trace_close(struct pt_drain_trace *trace)
{
    pt_writer_release(&trace->writer);
    pt_buffer_release(&trace->scratch);
    if (trace->descriptor >= 0)
        close(trace->descriptor);
    trace->descriptor = -1;
}

void pt_drain_trace_remove(struct pt_drain_trace *trace)
{
    if (trace->descriptor >= 0)
        unlink(trace->path);
    pt_drain_trace_close(trace);
}
