#include <Python.h>

#include "fork.h"

#include <pthread.h>

#include "functions.h"
#include "names_journal.h"
#include "process_entry.h"
#include "session_lock.h"
#include "session_use.h"

/* Over `birth`, from before a fork until after it: one thread forks at a time. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* Handed from the parent's handler to the child's, by the memory that fork copies. */
static struct {
    bool attached; /* the tables are locked, for the child to find them whole */
    bool entered;  /* the session stays until the child has its copy */
    bool reserved;
    struct pt_process_entry entry;
    struct pt_session parent;
} birth;

static void reserve_entry(void)
{
    if (!pt_session->children)
        return;
    const struct pt_process_entry parent = {pt_session->process_index, pt_session->process_generation};
    birth.reserved = pt_process_entry_reserve(&birth.entry, &parent, PT_PROCESS_FORKED);
    if (birth.reserved)
        birth.parent = *pt_session;
}

static void before_fork(void)
{
    pthread_mutex_lock(&mutex);
    birth.entered = birth.reserved = false;
    /* A thread that is not attached to the interpreter may fork while another one changes the session. Its child cannot
     * run Python anyway. */
    birth.attached = PyGILState_Check();
    if (!birth.attached)
        return;
    if ((birth.entered = pt_session_enter()))
        reserve_entry();
    pt_functions_lock();
    pt_names_journal_lock();
}

static void after_fork(void)
{
    if (birth.attached) {
        pt_names_journal_unlock();
        pt_functions_unlock();
    }
    if (birth.entered)
        pt_session_exit();
    pthread_mutex_unlock(&mutex);
}

static void after_fork_in_child(void)
{
    after_fork();
    pt_session_lock_reset();
    pt_session_use_reset();
    /* The session was wiped by the fork, with all thread states. Without an entry the child stays as it is: detached.
     */
    if (birth.reserved)
        pt_session_join(&birth.parent, birth.entry.index, birth.entry.generation);
    birth.reserved = false;
}

int pt_fork_install(void)
{
    static bool installed;
    if (!installed && pthread_atfork(before_fork, after_fork, after_fork_in_child) != 0) {
        PyErr_NoMemory();
        return -1;
    }
    installed = true;
    return 0;
}
