/* Objects that are made inside the hook (frames, a dict) must not set off a collection, whose finalizers would run there,
 * unseen. From 3.12 on collections wait for the interpreter's loop; 3.9 cannot hold them. */
#ifndef PT_COLLECTIONS_H
#define PT_COLLECTIONS_H

#include <Python.h>

#if PY_VERSION_HEX >= 0x030A0000 && PY_VERSION_HEX < 0x030C0000

/* What is to be handed to _release. */
static inline int pt_collections_hold(void)
{
    return PyGC_Disable();
}

static inline void pt_collections_release(int held)
{
    if (held)
        PyGC_Enable();
}

#else

static inline int pt_collections_hold(void)
{
    return 0;
}

static inline void pt_collections_release(int held)
{
    (void)held;
}

#endif
#endif
