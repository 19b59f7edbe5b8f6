/* How the child of a fork joins the recording (SPEC.md 8.2).
 *
 * The parent reserves an entry of the process table before the fork, so that the recording cannot end between the
 * parent's death and the child's first record; the child takes it over. Handlers allocate nothing; the parent may wait
 * for an entry, within the bounds of host_wait.h. */
#ifndef PT_FORK_H
#define PT_FORK_H

/* Installs the handlers, once in the life of a process. Returns 0, or -1 with MemoryError set. */
int pt_fork_install(void);

#endif
