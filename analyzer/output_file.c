#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum pt_status exists_already(const char *path, struct pt_error *error)
{
    return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET, "%s exists already (--force replaces it)", path);
}

/* The permissions that open(2) would have given; mkstemp makes private files. */
static mode_t file_mode(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static enum pt_status open_temporary(struct pt_output_file *file, struct pt_error *error)
{
    if (asprintf(&file->temporary, "%s.XXXXXX", file->path) < 0) {
        file->temporary = NULL;
        return pt_error_set(error, PT_NOMEM, PT_ERROR_NO_OFFSET, "out of memory");
    }
    file->fd = mkostemp(file->temporary, O_CLOEXEC);
    if (file->fd < 0 || fchmod(file->fd, file_mode()) != 0)
        return pt_error_set_errno(error, "cannot create", file->path);
    return PT_OK;
}

static void discard(struct pt_output_file *file)
{
    if (file->fd >= 0) {
        close(file->fd);
        if (file->temporary)
            unlink(file->temporary);
    }
    free(file->temporary);
    free(file->path);
    *file = (struct pt_output_file){.fd = -1};
}

enum pt_status pt_output_file_open(struct pt_output_file *file, const char *path, bool replace, struct pt_error *error)
{
    struct stat existing;
    bool exists = stat(path, &existing) == 0;
    enum pt_status status = PT_OK;

    *file = (struct pt_output_file){.fd = -1, .path = strdup(path), .replace = replace};
    if (!file->path) {
        status = pt_error_set(error, PT_NOMEM, PT_ERROR_NO_OFFSET, "out of memory");
    } else if (!exists || (S_ISREG(existing.st_mode) && replace)) {
        status = open_temporary(file, error);
    } else if (S_ISREG(existing.st_mode)) {
        status = exists_already(path, error);
    } else { /* a directory refuses by itself */
        file->fd = open(path, O_WRONLY | O_CLOEXEC);
        if (file->fd < 0)
            status = pt_error_set_errno(error, "cannot write", path);
    }
    if (status != PT_OK)
        discard(file);
    return status;
}

/* link(2) refuses where a file of that name has appeared since. */
static enum pt_status publish(const struct pt_output_file *file, const char *temporary, struct pt_error *error)
{
    if (!file->replace && link(temporary, file->path) == 0)
        return unlink(temporary) == 0 ? PT_OK : pt_error_set_errno(error, "cannot remove", temporary);
    if (!file->replace && errno == EEXIST)
        return exists_already(file->path, error);
    /* to be replaced, or a file system without hard links */
    return rename(temporary, file->path) == 0 ? PT_OK : pt_error_set_errno(error, "cannot create", file->path);
}

enum pt_status pt_output_file_close(struct pt_output_file *file, bool keep, struct pt_error *error)
{
    enum pt_status status = PT_OK;
    int failure = close(file->fd);

    /* Some file systems tell only now that the disk is full. */
    if (failure != 0 && keep)
        status = pt_error_set_errno(error, "cannot write", file->path);
    file->fd = -1;
    if (file->temporary) {
        if (keep && status == PT_OK)
            status = publish(file, file->temporary, error);
        if (!keep || status != PT_OK)
            unlink(file->temporary);
    }
    discard(file);
    return status;
}
