#include "source.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* All of a file of at most PT_SOURCE_SIZE_MAX bytes. */
static enum pt_status read_text(struct pt_source *source, int descriptor)
{
    struct stat file;
    if (fstat(descriptor, &file) != 0 || !S_ISREG(file.st_mode) || file.st_size > PT_SOURCE_SIZE_MAX)
        return PT_IO;
    source->modified_ns = (int64_t)file.st_mtim.tv_sec * 1000000000 + file.st_mtim.tv_nsec;
    const size_t most = (size_t)file.st_size;
    PT_TRY(pt_buffer_reserve(&source->text, most + 1));
    while (source->text.size < most) {
        ssize_t count = read(descriptor, source->text.data + source->text.size, most - source->text.size);
        if (count < 0)
            return PT_IO;
        if (count == 0)
            break;
        source->text.size += (size_t)count;
    }
    return PT_OK;
}

static enum pt_status find_lines(struct pt_source *source)
{
    const char *text = (const char *)source->text.data;
    size_t at = 0;
    while (at < source->text.size) {
        PT_TRY(pt_buffer_append(&source->starts, &at, sizeof at));
        source->line_count++;
        const char *end = memchr(text + at, '\n', source->text.size - at);
        at = end ? (size_t)(end - text) + 1 : source->text.size;
    }
    return pt_buffer_append(&source->starts, &at, sizeof at);
}

enum pt_status pt_source_read(struct pt_source *source, const char *path)
{
    *source = (struct pt_source){0};
    /* Not waiting: the path of a pipe would wait for somebody to write into it. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0)
        return PT_IO;
    enum pt_status status = read_text(source, descriptor);
    close(descriptor);
    if (status == PT_OK)
        status = find_lines(source);
    if (status != PT_OK)
        pt_source_release(source);
    return status;
}

void pt_source_release(struct pt_source *source)
{
    pt_buffer_release(&source->text);
    pt_buffer_release(&source->starts);
    *source = (struct pt_source){0};
}

static size_t start_of(const struct pt_source *source, size_t index)
{
    size_t start;
    memcpy(&start, source->starts.data + index * sizeof start, sizeof start);
    return start;
}

const char *pt_source_line(const struct pt_source *source, uint32_t number, size_t *size)
{
    *size = 0;
    if (number == 0 || number > source->line_count)
        return "";
    const size_t start = start_of(source, number - 1);
    const char *line = (const char *)source->text.data + start;
    *size = start_of(source, number) - start;
    while (*size > 0 && (line[*size - 1] == '\n' || line[*size - 1] == '\r'))
        --*size;
    return line;
}

/* Code that has no name of its own (<module>, <lambda>, <genexpr>) has none in its source. */
static const char *name_of(const struct pt_function *function, size_t *size)
{
    const char *dot = strrchr(function->qualname, '.');
    const char *name = dot ? dot + 1 : function->qualname;
    *size = *name == '<' ? 0 : strlen(name);
    return name;
}

bool pt_source_fits(const struct pt_source *source, const struct pt_function *function, uint32_t last)
{
    size_t name_size;
    const char *name = name_of(function, &name_size);
    if (function->line == 0 || function->line > source->line_count || last > source->line_count)
        return false;
    const size_t start = start_of(source, function->line - 1);
    const size_t end = start_of(source, last > function->line ? last : function->line);
    return name_size == 0 || memmem(source->text.data + start, end - start, name, name_size) != NULL;
}
