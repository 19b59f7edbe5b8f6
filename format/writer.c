#include "writer.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include "block.h"
#include "bytes.h"

#define END_PAYLOAD_MAX 512 /* keys, eight numbers, and a reason of a few letters */

void pt_writer_init(struct pt_writer *writer, int descriptor)
{
    *writer = (struct pt_writer){.descriptor = descriptor};
}

void pt_writer_release(struct pt_writer *writer)
{
    pt_buffer_release(&writer->index);
}

static bool write_all(int descriptor, uint64_t offset, const uint8_t *header, const uint8_t *payload, uint32_t size)
{
    struct iovec parts[2] = {
        {.iov_base = (void *)(uintptr_t)header, .iov_len = PT_BLOCK_HEADER_SIZE},
        {.iov_base = (void *)(uintptr_t)payload, .iov_len = size},
    };
    int first = 0;
    for (;;) {
        while (first < 2 && parts[first].iov_len == 0)
            first++;
        if (first == 2)
            return true;
        ssize_t written = pwritev(descriptor, parts + first, 2 - first, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written == 0)
            errno = ENOSPC;
        if (written <= 0)
            return false;
        offset += (uint64_t)written;
        for (int i = first; i < 2 && written > 0; i++) {
            size_t done = (size_t)written < parts[i].iov_len ? (size_t)written : parts[i].iov_len;
            parts[i].iov_base = (char *)parts[i].iov_base + done;
            parts[i].iov_len -= done;
            written -= (ssize_t)done;
        }
    }
}

/* Cuts the file back to `offset`. Should that fail too, the next block overwrites what is left, or a reader meets a
 * torn block at the end and says so. */
static void cut_back(struct pt_writer *writer, uint64_t offset, uint64_t sequence)
{
    int ignored = ftruncate(writer->descriptor, (off_t)offset);
    (void)ignored;
    writer->offset = offset;
    writer->sequence = sequence;
}

/* Appends a block without an index entry. */
static enum pt_status append(struct pt_writer *writer, enum pt_block_type type, const uint8_t *payload, uint32_t size,
                             struct pt_error *error)
{
    uint8_t header[PT_BLOCK_HEADER_SIZE];
    if (size > PT_BLOCK_PAYLOAD_MAX)
        return pt_error_set(error, PT_MISUSE, writer->offset, "a block of %u bytes is too long", size);
    pt_block_encode(header, type, 0, writer->sequence, payload, size);
    if (!write_all(writer->descriptor, writer->offset, header, payload, size)) {
        pt_error_set_errno(error, "cannot write", "the trace");
        if (error)
            error->offset = writer->offset;
        cut_back(writer, writer->offset, writer->sequence);
        return PT_IO;
    }
    writer->offset += PT_BLOCK_HEADER_SIZE + size;
    writer->sequence++;
    return PT_OK;
}

/* The index is a convenience: a writer that cannot hold it goes on without. */
static void add_index_entry(struct pt_writer *writer, enum pt_block_type type, uint64_t offset, const uint8_t *payload)
{
    if (writer->index_full)
        return;
    if (writer->index.size + PT_INDEX_ENTRY_SIZE > PT_BLOCK_PAYLOAD_MAX ||
        pt_buffer_reserve(&writer->index, PT_INDEX_ENTRY_SIZE) != PT_OK) {
        writer->index_full = true;
        pt_buffer_release(&writer->index);
        return;
    }
    bool chunk = type == PT_BLOCK_CHUNK;
    uint8_t *at = writer->index.data + writer->index.size;
    pt_bytes_store64(at + PT_INDEX_OFF_OFFSET, offset);
    pt_bytes_store32(at + PT_INDEX_OFF_TYPE, type);
    pt_bytes_store32(at + PT_INDEX_OFF_THREAD, chunk ? pt_bytes_load32(payload + PT_CHUNK_OFF_THREAD) : 0);
    pt_bytes_store64(at + PT_INDEX_OFF_FIRST_TICK, chunk ? pt_bytes_load64(payload + PT_CHUNK_OFF_FIRST_TICK) : 0);
    pt_bytes_store64(at + PT_INDEX_OFF_LAST_TICK, chunk ? pt_bytes_load64(payload + PT_CHUNK_OFF_LAST_TICK) : 0);
    pt_bytes_store32(at + PT_INDEX_OFF_EVENTS, chunk ? pt_bytes_load32(payload + PT_CHUNK_OFF_EVENTS) : 0);
    pt_bytes_store32(at + PT_INDEX_OFF_RESERVED, 0);
    writer->index.size += PT_INDEX_ENTRY_SIZE;
}

enum pt_status pt_writer_block(struct pt_writer *writer, enum pt_block_type type, const uint8_t *payload, uint32_t size,
                               struct pt_error *error)
{
    if (type == PT_BLOCK_CHUNK && size < PT_CHUNK_FIXED_SIZE)
        return pt_error_set(error, PT_MISUSE, writer->offset, "a chunk of %u bytes is too short", size);
    uint64_t offset = writer->offset;
    PT_TRY(append(writer, type, payload, size, error));
    add_index_entry(writer, type, offset, payload);
    return PT_OK;
}

enum pt_status pt_writer_end(struct pt_writer *writer, struct pt_end *end, struct pt_error *error)
{
    struct pt_buffer payload = {0};
    uint64_t offset = writer->offset, sequence = writer->sequence;
    end->index = PT_META_ABSENT;
    /* On a full disk the end, which is short, is worth a try even if there is no room for the index. */
    if (writer->index.size > 0 &&
        append(writer, PT_BLOCK_INDEX, writer->index.data, (uint32_t)writer->index.size, NULL) == PT_OK)
        end->index = offset;
    end->blocks = writer->sequence;

    enum pt_status status = pt_end_encode(end, &payload);
    if (status == PT_OK)
        status = append(writer, PT_BLOCK_END, payload.data, (uint32_t)payload.size, error);
    else
        pt_error_set(error, status, PT_ERROR_NO_OFFSET, "out of memory");
    if (status != PT_OK)
        cut_back(writer, offset, sequence);
    pt_buffer_release(&payload);
    return status;
}

uint64_t pt_writer_end_size(const struct pt_writer *writer)
{
    return PT_BLOCK_HEADER_SIZE + writer->index.size + PT_BLOCK_HEADER_SIZE + END_PAYLOAD_MAX;
}
