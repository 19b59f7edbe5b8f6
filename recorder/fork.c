#include <Python.h>

#include "fork.h"

#include <pthread.h>

#include "process_entry.h"
#include "session.h"

/* Handed from the parent's handler to the child's, by the memory that fork copies. */
static struct {
    bool reserved;
    struct pt_process_entry entry;
    struct pt_session parent;
} birth;

static void before_fork(void)
{
    birth.reserved = false;
    if (pt_session->state != PT_SESSION_RECORDING || !pt_session->children)
        return;
    /* A thread that forks without the GIL may do so while another one changes our tables. Its child cannot run Python
     * anyway. */
    if (!PyGILState_Check())
        return;
    const struct pt_process_entry parent = {pt_session->process_index, pt_session->process_generation};
    birth.reserved = pt_process_entry_reserve(&birth.entry, &parent, PT_PROCESS_FORKED);
    if (birth.reserved)
        birth.parent = *pt_session;
}

static void after_fork_in_child(void)
{
    /* The session was wiped by the fork, with all thread states. Without an entry the child stays as it is: detached.
     */
    if (birth.reserved)
        pt_session_join(&birth.parent, birth.entry.index, birth.entry.generation);
    birth.reserved = false;
}

int pt_fork_install(void)
{
    static bool installed;
    if (!installed && pthread_atfork(before_fork, NULL, after_fork_in_child) != 0) {
        PyErr_NoMemory();
        return -1;
    }
    installed = true;
    return 0;
}
