#include "pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whether the shell would find the program that `command` begins with. Asked first, because a pager that fails to start
 * swallows the report. */
static bool is_installed(const char *command)
{
    char program[256];
    char path[4096];
    const char *directory = getenv("PATH");

    command += strspn(command, " \t");
    if (snprintf(program, sizeof program, "%.*s", (int)strcspn(command, " \t"), command) >= (int)sizeof program)
        return false;
    if (program[0] == '\0')
        return false;
    if (strchr(program, '/'))
        return access(program, X_OK) == 0;
    while (directory && *directory) {
        size_t length = strcspn(directory, ":");
        int size = snprintf(path, sizeof path, "%.*s/%s", (int)length, directory, program);
        if (size > 0 && size < (int)sizeof path && access(path, X_OK) == 0)
            return true;
        directory += length + (directory[length] == ':');
    }
    return false;
}

bool pt_pager_start(struct pt_pager *pager)
{
    const char *command = getenv("PAGER");
    char shell[] = "sh", option[] = "-c";
    char *text = NULL;
    int ends[2];
    sigset_t defaults;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;

    if (!command)
        command = "less";
    if (strcmp(command, "cat") == 0 || !is_installed(command))
        return false;
    /* Quit if all fits on one screen, pass colour on, leave the text on the screen. */
    setenv("LESS", "FRX", 0);
    text = strdup(command);
    if (!text || pipe2(ends, O_CLOEXEC) != 0) {
        free(text);
        return false;
    }
    /* A pager that is left must end what feeds it; we ignore SIGPIPE, and children inherit that. */
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);

    char *const arguments[] = {shell, option, text, NULL};
    int failure = posix_spawn(&pager->pid, "/bin/sh", &actions, &attributes, arguments, environ);

    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    free(text);
    close(ends[0]);
    if (failure) {
        close(ends[1]);
        pager->pid = 0;
        return false;
    }
    pager->fd = ends[1];
    return true;
}

void pt_pager_finish(struct pt_pager *pager)
{
    if (pager->pid <= 0)
        return;
    close(pager->fd);
    while (waitpid(pager->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    pager->pid = 0;
}
