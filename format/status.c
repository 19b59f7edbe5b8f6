#include "status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum pt_status pt_error_set(struct pt_error *error, enum pt_status status, uint64_t offset, const char *format, ...)
{
    if (error) {
        va_list arguments;
        error->offset = offset;
        error->system_errno = 0;
        va_start(arguments, format);
        vsnprintf(error->text, sizeof error->text, format, arguments);
        va_end(arguments);
    }
    return status;
}

enum pt_status pt_error_set_errno(struct pt_error *error, const char *what, const char *path)
{
    int saved = errno;
    pt_error_set(error, PT_IO, PT_ERROR_NO_OFFSET, "%s %s: %s", what, path, strerror(saved));
    if (error)
        error->system_errno = saved;
    errno = saved;
    return PT_IO;
}

const char *pt_status_name(enum pt_status status)
{
    switch (status) {
    case PT_OK:
        return "ok";
    case PT_END:
        return "end";
    case PT_TRUNCATED:
        return "truncated";
    case PT_CORRUPT:
        return "corrupt";
    case PT_UNSUPPORTED:
        return "unsupported";
    case PT_NOMEM:
        return "out of memory";
    case PT_IO:
        return "input/output error";
    case PT_MISUSE:
        return "misuse";
    }
    return "unknown";
}
