/* Becoming a process of its own: what a drain inherits from its host, and does away with. */
#ifndef PT_DRAIN_SETTLE_H
#define PT_DRAIN_SETTLE_H

/* Closes all descriptors but `keep` and puts /dev/null on 0 to 2; ignores what a terminal or a service manager sends to all processes of a
 * group, and takes all other signals at their default; no priority, affinity, working directory or file mode mask of the host's stays. */
void pt_drain_settle(int keep);

#endif
