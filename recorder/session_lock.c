#include "session_lock.h"

#include <errno.h>
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;

int pt_session_lock(void)
{
    int result = pthread_mutex_trylock(&mutex);
    if (result == EBUSY) {
        PyThreadState *thread = PyEval_SaveThread();
        result = pthread_mutex_lock(&mutex);
        PyEval_RestoreThread(thread);
    }
    if (result == 0)
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "a recording is just being started or stopped, by this very thread");
    return -1;
}

bool pt_session_try_lock(void)
{
    return pthread_mutex_trylock(&mutex) == 0;
}

void pt_session_unlock(void)
{
    pthread_mutex_unlock(&mutex);
}

void pt_session_lock_reset(void)
{
    mutex = (pthread_mutex_t)PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
}
