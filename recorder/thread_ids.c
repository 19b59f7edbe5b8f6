#define Py_BUILD_CORE 1 /* for the interpreter's own count */
#include <Python.h>

#if PY_VERSION_HEX < 0x030C0000

#include <internal/pycore_interp.h>

#include "thread_ids.h"

uint64_t pt_thread_ids_newest(void)
{
    const PyInterpreterState *interpreter = PyInterpreterState_Main();
#if PY_VERSION_HEX >= 0x030B0000
    return interpreter->threads.next_unique_id; /* raised before it is given */
#else
    return interpreter->tstate_next_unique_id; /* raised before it is given */
#endif
}

#endif
