/* The pager in front of a terminal. */
#ifndef PT_PAGER_H
#define PT_PAGER_H

#include <stdbool.h>
#include <sys/types.h>

/* All zero is no pager. */
struct pt_pager {
    pid_t pid;
    int fd; /* what is written here is paged */
};

/* Starts $PAGER, or less if that is not set, reading from `pager->fd`. False, and no pager, if it is empty or `cat`, is not installed or
 * cannot be started: write to the terminal itself then. */
bool pt_pager_start(struct pt_pager *pager);

/* Tells the pager that nothing more comes and waits until its user leaves it. */
void pt_pager_finish(struct pt_pager *pager);

#endif
