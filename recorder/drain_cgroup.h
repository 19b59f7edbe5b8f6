/* How much memory the control group still allows (cgroup v2). */
#ifndef PT_DRAIN_CGROUP_H
#define PT_DRAIN_CGROUP_H

#include <stdint.h>

/* Bytes until this process's group, or one above it, reaches its limit; UINT64_MAX if there is none or none can be read. */
uint64_t pt_drain_cgroup_headroom(void);

#endif
