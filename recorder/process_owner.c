#include "process_owner.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Its value is the mutex that the thread holds; its destructor runs when the thread ends in an orderly way. */
static pthread_key_t held;
static pthread_once_t held_once = PTHREAD_ONCE_INIT;
static bool held_exists;

static void release_if_ours(union pt_arena_owner *owner)
{
    if ((atomic_load(&owner->word) & FUTEX_TID_MASK) == (uint32_t)syscall(SYS_gettid))
        pt_arena_owner_release(owner);
}

/* Unlocked, not marked as dead: that is how the drain tells a thread that has ended from a process that was killed. The
 * mapping is there: who unmaps arenas (retired.c) spares those that somebody holds. */
static void let_go(void *owner)
{
    release_if_ours(owner);
}

static void create_key(void)
{
    held_exists = pthread_key_create(&held, let_go) == 0;
}

bool pt_process_owner_take(struct pt_arena_process *process)
{
    if (!pt_arena_owner_try(&process->owner))
        return false;
    pthread_once(&held_once, create_key);
    if (held_exists)
        (void)pthread_setspecific(held, &process->owner); /* without memory it ends as if killed */
    return true;
}

void pt_process_owner_release(struct pt_arena_process *process)
{
    release_if_ours(&process->owner);
    if (held_exists && pthread_getspecific(held) == &process->owner)
        (void)pthread_setspecific(held, NULL);
}
